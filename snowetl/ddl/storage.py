"""Rewriting a schema for typed storage: one type for every place (schema-ddl 0.18.2 ``mutate``).

Tuples of items become one widened item, additional and pattern properties go, alternatives are merged: each is narrowed
by the schema around it, then all of them are widened into one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import reduce
from typing import Any

from snowetl.ddl.schema import Schema, Type

_EMPTY = Schema()


def for_storage(schema: Schema) -> Schema:
    """The rewritten schema."""
    return _without_alternatives(_without_additional(_without_tuples(schema)))


def _each(schemas: tuple[Schema, ...] | None, rewrite: Callable[[Schema], Schema]) -> tuple[Schema, ...] | None:
    return None if schemas is None else tuple(rewrite(schema) for schema in schemas)


def _each_named(schemas: dict[str, Schema] | None, rewrite: Callable[[Schema], Schema]) -> dict[str, Schema] | None:
    return None if schemas is None else {name: rewrite(schema) for name, schema in schemas.items()}


def _if_schema(value: Schema | bool | None, rewrite: Callable[[Schema], Schema]) -> Schema | bool | None:
    return rewrite(value) if isinstance(value, Schema) else value


def _without_tuples(schema: Schema) -> Schema:
    return replace(
        schema,
        items=_one_item(schema),
        additional_items=None,
        properties=_each_named(schema.properties, _without_tuples),
        additional_properties=_if_schema(schema.additional_properties, _without_tuples),
        pattern_properties=_each_named(schema.pattern_properties, _without_tuples),
        one_of=_each(schema.one_of, _without_tuples),
        any_of=_each(schema.any_of, _without_tuples),
    )


def _one_item(schema: Schema) -> Schema | None:
    if schema.items is None or isinstance(schema.items, Schema):
        return None if schema.items is None else _without_tuples(schema.items)
    items = [_without_tuples(item) for item in schema.items]
    if isinstance(schema.additional_items, Schema):
        return reduce(widened, items, schema.additional_items)
    return reduce(widened, items) if items else None


def _without_additional(schema: Schema) -> Schema:
    return replace(
        schema,
        items=_if_schema(schema.items, _without_additional),  # type: ignore[arg-type]  # tuples are gone by now
        properties=_each_named(schema.properties, _without_additional),
        additional_properties=False if schema.allows("object") else None,
        pattern_properties=None,
        one_of=_each(schema.one_of, _without_additional),
        any_of=_each(schema.any_of, _without_additional),
    )


def _without_alternatives(schema: Schema) -> Schema:
    plain = replace(
        schema,
        items=_if_schema(schema.items, _without_alternatives),  # type: ignore[arg-type]
        properties=_each_named(schema.properties, _without_alternatives),
        one_of=None,
        any_of=None,
    )
    alternatives = (*(schema.one_of or ()), *(schema.any_of or ()))
    if not alternatives:
        return plain
    return reduce(widened, [narrowed(plain, _without_alternatives(alternative)) for alternative in alternatives])


# --- narrowed: what fits both ---------------------------------------------------------------------------------------


def _both(one: Any, other: Any, combine: Callable[[Any, Any], Any]) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return combine(one, other)


def narrowed(one: Schema, other: Schema) -> Schema:
    """A schema for what is valid under both."""
    return Schema(
        multiple_of=_both(one.multiple_of, other.multiple_of, _smaller_multiple),
        minimum=_both(one.minimum, other.minimum, max),
        maximum=_both(one.maximum, other.maximum, min),
        max_length=_both(one.max_length, other.max_length, min),
        min_length=_both(one.min_length, other.min_length, max),
        pattern=_both(one.pattern, other.pattern, _first),
        format=_both(one.format, other.format, _first),
        schema_uri=_both(one.schema_uri, other.schema_uri, _first),
        items=_both(one.items, other.items, _narrowed_items),
        additional_items=_both(one.additional_items, other.additional_items, _narrowed_additional),
        min_items=_both(one.min_items, other.min_items, max),
        max_items=_both(one.max_items, other.max_items, min),
        properties=_both(one.properties, other.properties, _narrowed_properties),
        additional_properties=_both(one.additional_properties, other.additional_properties, _narrowed_additional),
        required=_both(one.required, other.required, lambda a, b: tuple(dict.fromkeys((*a, *b)))),
        pattern_properties=_both(one.pattern_properties, other.pattern_properties, _narrowed_properties),
        type=_both(one.type, other.type, lambda a, b: _type(_types(a) & _types(b))),
        enum=_both(one.enum, other.enum, lambda a, b: tuple(member for member in a if _contains(b, member))),
        description=_both(one.description, other.description, _first),
    )


def _first(one: str, other: str) -> str:
    return one


def _smaller_multiple(one: int | Decimal, other: int | Decimal) -> int | Decimal:
    smaller = min(one, other)
    fractional = isinstance(one, Decimal) or isinstance(other, Decimal)
    return Decimal(smaller) if fractional else smaller


def _types(type_: Type) -> frozenset[str]:
    return type_ if isinstance(type_, frozenset) else frozenset((type_,))


def _type(types: frozenset[str]) -> Type:
    return next(iter(types)) if len(types) == 1 else types


def _contains(members: tuple[Any, ...], member: Any) -> bool:
    return any(_same(member, other) for other in members)


def _same(one: Any, other: Any) -> bool:
    """JSON equality: unlike in Python, true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _narrowed_items(one: Schema | tuple[Schema, ...], other: Schema | tuple[Schema, ...]) -> Schema:
    return narrowed(one, other) if isinstance(one, Schema) and isinstance(other, Schema) else _EMPTY


def _narrowed_additional(one: Schema | bool, other: Schema | bool) -> Schema | bool:
    if one is False or other is False:
        return False
    if one is True or other is True:
        return other if one is True else one
    assert isinstance(one, Schema) and isinstance(other, Schema)
    return narrowed(one, other)


def _narrowed_properties(one: dict[str, Schema], other: dict[str, Schema]) -> dict[str, Schema]:
    merged = dict(one)
    for name, schema in other.items():
        merged[name] = narrowed(merged[name], schema) if name in merged else schema
    return merged


# --- widened: what fits either --------------------------------------------------------------------------------------

_NUMBERS = frozenset(("number", "integer"))
_STRING = frozenset(("string",))
_ARRAY = frozenset(("array",))
_OBJECT = frozenset(("object",))


def widened(one: Schema, other: Schema) -> Schema:
    """A schema for what is valid under either."""

    def of(types: frozenset[str], field: str, combine: Callable[[Any, Any], Any]) -> Any:
        return _typed(one, other, types, field, combine)

    def if_both(a: Any, b: Any, combine: Callable[[Any, Any], Any]) -> Any:
        return None if a is None or b is None else combine(a, b)

    return Schema(
        multiple_of=of(_NUMBERS, "multiple_of", _if_equal),
        minimum=of(_NUMBERS, "minimum", min),
        maximum=of(_NUMBERS, "maximum", max),
        max_length=of(_STRING, "max_length", max),
        min_length=of(_STRING, "min_length", min),
        pattern=of(_STRING, "pattern", _if_equal),
        format=of(_STRING, "format", _if_equal),
        schema_uri=of(_STRING, "schema_uri", _if_equal),
        items=of(_ARRAY, "items", _widened_items),
        additional_items=None,
        min_items=of(_ARRAY, "min_items", min),
        max_items=of(_ARRAY, "max_items", max),
        properties=_widened_properties(one, other),
        additional_properties=of(_OBJECT, "additional_properties", _widened_additional),
        required=of(_OBJECT, "required", lambda a, b: tuple(name for name in a if name in b)),
        type=if_both(one.type, other.type, lambda a, b: _type(_types(a) | _types(b))),
        enum=if_both(one.enum, other.enum, _distinct),
        description=if_both(one.description, other.description, _if_equal),
    )


def _permits(schema: Schema, types: frozenset[str]) -> bool:
    return schema.type is None or bool(_types(schema.type) & types)


def _typed(one: Schema, other: Schema, types: frozenset[str], field: str, combine: Callable[[Any, Any], Any]) -> Any:
    """A keyword that acts on some types only: what a side without these types says does not matter."""
    in_one, in_other = _permits(one, types), _permits(other, types)
    if not (in_one and in_other):
        return getattr(one, field) if in_one else getattr(other, field) if in_other else None
    a, b = getattr(one, field), getattr(other, field)
    return None if a is None or b is None else combine(a, b)


def _if_equal(one: Any, other: Any) -> Any:
    return one if one == other else None


def _distinct(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    members: tuple[Any, ...] = ()
    for member in (*one, *other):
        if not _contains(members, member):
            members = (*members, member)
    return members


def _widened_items(one: Schema | tuple[Schema, ...], other: Schema | tuple[Schema, ...]) -> Schema:
    return widened(one, other) if isinstance(one, Schema) and isinstance(other, Schema) else _EMPTY


def _widened_additional(one: Schema | bool, other: Schema | bool) -> Schema | bool:
    if one is True or other is True:
        return True
    if one is False or other is False:
        return other if one is False else one
    assert isinstance(one, Schema) and isinstance(other, Schema)
    return widened(one, other)


def _widened_properties(one: Schema, other: Schema) -> dict[str, Schema] | None:
    in_one, in_other = _permits(one, _OBJECT), _permits(other, _OBJECT)
    if not (in_one and in_other):
        return one.properties if in_one else other.properties if in_other else None
    ours, theirs = one.properties or {}, other.properties or {}
    merged = {}
    for name in dict.fromkeys((*ours, *theirs)):
        if name in ours and name in theirs:
            merged[name] = widened(ours[name], theirs[name])
        elif name in ours:
            merged[name] = _beside(other.additional_properties, ours[name])
        else:
            merged[name] = _beside(one.additional_properties, theirs[name])
    return merged or None


def _beside(additional: Schema | bool | None, schema: Schema) -> Schema:
    """A property only one side names: the other side's ``additionalProperties`` says what else may stand there."""
    if isinstance(additional, Schema):
        return widened(additional, schema)
    return schema if additional is False else _EMPTY
