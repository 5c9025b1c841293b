"""JSON Schema as column generators see it: the keywords they know, strictly typed (schema-ddl 0.18.2 ``Schema``).

A schema that cannot be read this way has no columns. Unknown keywords (``$ref``, ``allOf``, ``not``, ...) are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from snowetl.jvm.json_number import JsonNumber

Type = str | frozenset[str]
"""One type name, or a union of several."""

TYPES = ("null", "boolean", "string", "integer", "number", "array", "object")
SELF_DESCRIBING_URI = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
"""``$schema`` of every schema that loaders take."""
_MAX_DIGITS = 1 << 18
_LONG = 2**63


@dataclass(slots=True, frozen=True)
class Schema:
    """The keywords of one (sub)schema; ``None`` where absent.

    Bounds are ``int`` when integral, else ``Decimal``. ``items`` is one schema, or a tuple of them by position.
    ``additional_items`` and ``additional_properties`` are a schema or whether anything more is allowed.
    """

    multiple_of: int | Decimal | None = None
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None
    max_length: int | None = None
    min_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    schema_uri: str | None = None
    items: Schema | tuple[Schema, ...] | None = None
    additional_items: Schema | bool | None = None
    min_items: int | None = None
    max_items: int | None = None
    properties: dict[str, Schema] | None = None
    additional_properties: Schema | bool | None = None
    required: tuple[str, ...] | None = None
    pattern_properties: dict[str, Schema] | None = None
    type: Type | None = None
    enum: tuple[Any, ...] | None = None
    one_of: tuple[Schema, ...] | None = None
    any_of: tuple[Schema, ...] | None = None
    description: str | None = None

    def allows(self, type_: str) -> bool:
        """Whether ``type`` names this one; a schema without ``type`` names none."""
        return type_ in self.type if isinstance(self.type, frozenset) else self.type == type_

    def is_only(self, type_: str) -> bool:
        """Whether the type is exactly this one, or this one and null."""
        return self.type == type_ or self.type == frozenset(("null", type_))

    @property
    def can_be_null(self) -> bool:
        """Whether null is among the types or the members of ``enum``."""
        return self.allows("null") or (self.enum is not None and None in self.enum)


def is_union(type_: Type | None) -> bool:
    """Whether a type names two or more other than null; integer and number count as one."""
    if not isinstance(type_, frozenset):
        return False
    concrete = type_ - {"null"}
    return len(concrete) > 1 and concrete != {"integer", "number"}


def is_mixed(members: Sequence[Any]) -> bool:
    """Whether an enum has two of: a number, something that is not a number, a boolean (so booleans alone are mixed)."""
    concrete = [member for member in members if member is not None]
    numbers = [is_number(member) for member in concrete]
    return (any(numbers) + (not all(numbers)) + any(isinstance(member, bool) for member in concrete)) >= 2


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def with_null(type_: Type | None) -> Type:
    """The type with null added."""
    if type_ is None or type_ == "null":
        return "null"
    return frozenset((type_, "null")) if isinstance(type_, str) else type_ | {"null"}


class _Unreadable(Exception):
    pass


def parse(document: Any) -> Schema | None:
    """Read a JSON Schema (without its ``self``). ``None`` when a known keyword has a value of the wrong kind."""
    try:
        return _schema(document)
    except (_Unreadable, RecursionError):
        return None


def _schema(document: Any) -> Schema:
    if not isinstance(document, dict):
        raise _Unreadable
    values: dict[str, Any] = {}
    for keyword, (field, read) in _KEYWORDS.items():
        value = document.get(keyword)
        if value is not None:
            values[field] = read(value)
    return Schema(**values)


def big_decimal(value: Any) -> Decimal | None:
    """A JSON number as the reference holds it: without trailing zeros, unless it is a 64-bit integer."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int) and -_LONG <= value < _LONG:
        return Decimal(value)
    try:
        text = value.text if isinstance(value, JsonNumber) else repr(value)
        return _stripped(Decimal(text))
    except (InvalidOperation, ValueError):
        return None


def _stripped(number: Decimal) -> Decimal:
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise InvalidOperation
    if number == 0:
        return Decimal(0)
    kept = "".join(map(str, digits)).rstrip("0")
    return Decimal((sign, tuple(map(int, kept)), exponent + len(digits) - len(kept)))


def scale(number: Decimal) -> int:
    """Digits after the decimal point; negative when trailing zeros before it are not held."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


def precision(number: Decimal) -> int:
    """Digits held, at least one."""
    return len(number.as_tuple().digits)


def big_int(value: Any) -> int | None:
    """A JSON number that is integral, else ``None``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = big_decimal(value)
    if number is None or scale(number) > 0 or precision(number) - scale(number) > _MAX_DIGITS:
        return None
    return int(number)


def _number(value: Any) -> int | Decimal:
    integral = big_int(value)
    if integral is not None:
        return integral
    decimal = big_decimal(value)
    if decimal is None:
        raise _Unreadable
    return decimal


def _from_text(value: Any) -> Any:
    """Some numeric keywords may be given as text."""
    if not isinstance(value, str):
        return value
    try:
        return JsonNumber(value) if not value.lstrip("-").isdecimal() else int(value)
    except ValueError:
        raise _Unreadable from None


def _integer(value: Any) -> int:
    integral = big_int(value)
    if integral is None:
        raise _Unreadable
    return integral


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Unreadable
    return value


def _uri(value: Any) -> str:
    text = _text(value)
    try:
        urlsplit(text)
    except ValueError:
        raise _Unreadable from None
    if any(char in text for char in ' <>"{}|\\^`'):
        raise _Unreadable
    return text


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _Unreadable
    return value


def _schemas(value: Any) -> tuple[Schema, ...]:
    return tuple(_schema(member) for member in _list(value))


def _items(value: Any) -> Schema | tuple[Schema, ...]:
    return _schemas(value) if isinstance(value, list) else _schema(value)


def _schema_or_flag(value: Any) -> Schema | bool:
    return value if isinstance(value, bool) else _schema(value)


def _properties(value: Any) -> dict[str, Schema]:
    if not isinstance(value, dict):
        raise _Unreadable
    return {name: _schema(member) for name, member in value.items()}


def _names(value: Any) -> tuple[str, ...]:
    return tuple(_text(name) for name in _list(value))


def _type(value: Any) -> Type:
    names = [value] if isinstance(value, str) else _list(value)
    if any(not isinstance(name, str) or name not in TYPES for name in names):
        raise _Unreadable
    return names[0] if len(names) == 1 else frozenset(names)


_KEYWORDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "multipleOf": ("multiple_of", lambda value: _number(_from_text(value))),
    "minimum": ("minimum", _number),
    "maximum": ("maximum", _number),
    "maxLength": ("max_length", lambda value: _integer(_from_text(value))),
    "minLength": ("min_length", lambda value: _integer(_from_text(value))),
    "pattern": ("pattern", _text),
    "format": ("format", _text),
    "$schema": ("schema_uri", _uri),
    "items": ("items", _items),
    "additionalItems": ("additional_items", _schema_or_flag),
    "minItems": ("min_items", _integer),
    "maxItems": ("max_items", _integer),
    "properties": ("properties", _properties),
    "additionalProperties": ("additional_properties", _schema_or_flag),
    "required": ("required", _names),
    "patternProperties": ("pattern_properties", _properties),
    "type": ("type", _type),
    "enum": ("enum", lambda value: tuple(_list(value))),
    "oneOf": ("one_of", _schemas),
    "anyOf": ("any_of", _schemas),
    "description": ("description", _text),
}
