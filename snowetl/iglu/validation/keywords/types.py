"""``type`` and ``enum``."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType
from typing import Any

from snowetl.iglu.validation.report import Report, Reports
from snowetl.iglu.validation.schema import Keyword, SchemaNode, State
from snowetl.iglu.validation.values import ALL_TYPES, NUMBERS, TYPE_NAMES, as_boolean, as_text, enum_key, exact

_BY_NAME: dict[str, frozenset[type]] = {
    "any": ALL_TYPES,
    "number": NUMBERS,
    **{name: frozenset((kind,)) for kind, name in TYPE_NAMES.items() if name != "number"},
}


def type_names(value: Any) -> list[str]:
    """The names in a ``type`` as the reference understands them."""
    return [name if isinstance(name, str) and name in _BY_NAME else "unknown" for name in value]


def accepted(names: Iterable[str]) -> frozenset[type]:
    return frozenset[type]().union(*(_BY_NAME.get(name, frozenset()) for name in names))


class Type(Keyword):
    """Notation decides: ``1.0`` is not an integer. ``nullable`` here, or in the parent, lets null pass."""

    name = "type"

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.union = isinstance(value, list)
        names = type_names(value if self.union else [value])
        self.expected = f"[{', '.join(names)}]" if self.union else names[0]
        types = accepted(names)
        parent = schema.parent
        self.allows_null_itself = NoneType in types or as_boolean(schema.get("nullable"))
        if as_boolean(schema.get("nullable")) or (parent is not None and as_boolean(parent.get("nullable"))):
            types |= {NoneType}
        if value == "object" and isinstance(schema.get("enum"), list) and parent is not None and parent.has("$ref"):
            types = ALL_TYPES
        self.types = types

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if value.__class__ in self.types:
            return {}
        found = TYPE_NAMES[value.__class__]
        if self.union:
            message = f"{at}: {found} found, but {self.expected} is required"
            return {Report(message, at, "unionType", (found, self.expected), self.path): None}
        return self.report(f"{at}: {found} found, {self.expected} expected", at, found, self.expected)


class Enum(Keyword):
    """Numbers are equal by value, all else by value and kind."""

    name = "enum"
    applies = ALL_TYPES

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        members = value if isinstance(value, list) else []
        texts = [as_text(member) for member in members]
        if isinstance(value, list) and as_boolean(schema.get("nullable")):
            members = [*members, None]
            texts.append("null")
            if not value:
                texts.insert(0, "")
        self.members = members
        self.keys = frozenset(enum_key(member) for member in members)
        self.shown = f"[{', '.join(texts)}]" if isinstance(value, list) else "[none]"

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if enum_key(value) in self.keys:
            return {}
        return self.report(f"{at}: does not have a value in the enumeration {self.shown}", at, self.shown)

    def emit(self, code: Any, kind: type) -> None:
        if kind in NUMBERS:
            values = frozenset[Any](exact(member) for member in self.members if member.__class__ in NUMBERS)
            number = "v" if kind is int else f"{code.constant(exact)}(v)"
            code.fail_if(f"{number} not in {code.constant(values)}" if values else "True")
        elif kind in (dict, list):
            keys = frozenset(enum_key(member) for member in self.members if member.__class__ is kind)
            code.fail_if(f"{code.constant(enum_key)}(v) not in {code.constant(keys)}" if keys else "True")
        else:
            values = frozenset[Any](member for member in self.members if member.__class__ is kind)
            code.fail_if(f"v not in {code.constant(values)}" if values else "True")


ALL: tuple[type[Keyword], ...] = (Type, Enum)
