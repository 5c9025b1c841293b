"""JSON values as the reference's validator sees them: circe 0.14.1 numbers turned into Jackson 2.12 nodes."""

from __future__ import annotations

import math
from collections.abc import Hashable
from decimal import Decimal, InvalidOperation
from types import NoneType
from typing import Any

from snowetl.jvm.json_number import JsonNumber
from snowetl.jvm.map_order import in_map_order

TYPE_NAMES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    JsonNumber: "number",
    bool: "boolean",
    NoneType: "null",
    dict: "object",
    list: "array",
}
"""The Python types of parsed JSON, and what the validator calls them."""

ALL_TYPES = frozenset(TYPE_NAMES)
NUMBERS: frozenset[type] = frozenset((int, float, JsonNumber))


def exact(value: Any) -> Decimal:
    """The number as written, with its scale. An exponent no computer can hold gives an infinity or zero."""
    if isinstance(value, int):
        return Decimal(value)
    text = value.text if isinstance(value, JsonNumber) else repr(value)
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(float(value))


def number_text(value: Any) -> str:
    """How Java prints the number's node: ``BigDecimal.toString`` for decimals (``5.50`` stays, ``1E2`` is ``1E+2``)."""
    if isinstance(value, int):
        return format(Decimal(value), "f")
    if value == 0 and math.copysign(1, value) < 0:
        return "-0.0"
    return str(exact(value))


def as_text(value: Any) -> str:
    """Jackson's ``asText``: containers have none."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    return ""


def as_boolean(value: Any) -> bool:
    """Jackson's ``asBoolean``: decimals, containers and null are false."""
    if isinstance(value, str):
        return value.strip() == "true"
    return isinstance(value, int) and bool(value)


def as_int(value: Any, default: int) -> int:
    """Jackson's ``intValue`` of an integral number (the low 32 bits), else ``default``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    if isinstance(value, float):
        number = exact(value)
        if not number.is_finite() or number.adjusted() > 40 or number != number.to_integral_value():
            return default
        value = int(number)
    low: int = value & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def as_long(value: Any) -> int:
    """Jackson's ``longValue``: decimals are truncated, then the low 64 bits count."""
    if isinstance(value, float):
        number = exact(value)
        value = int(number) if number.is_finite() and number.adjusted() < 100 else 0
    low: int = value & 0xFFFFFFFFFFFFFFFF
    return low - (1 << 64) if low >> 63 else low


def frozen(value: Any) -> Hashable:
    """Equal where Jackson nodes are: ``1`` is not ``1.0``, ``1.0`` is ``1.00``, key order is free."""
    kind = value.__class__
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is dict:
        return "object", frozenset([(name, frozen(item)) for name, item in value.items()])
    if kind is list:
        return "array", tuple([frozen(item) for item in value])
    if kind is float or kind is JsonNumber:
        if value == 0 and math.copysign(1, value) < 0:
            return ("negative zero",)
        return "decimal", exact(value)
    return TYPE_NAMES[kind], value


def enum_key(value: Any) -> Hashable:
    """As :func:`frozen`, but numbers are compared by value whatever their notation."""
    return ("number", exact(value)) if value.__class__ in NUMBERS else frozen(value)


def node_text(value: Any) -> str:
    """Compact JSON as Jackson prints a node that was made from the reference's map."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(name)}:{node_text(item)}" for name, item in in_map_order(value).items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(node_text, value)) + "]"
    return as_text(value)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_TRANSLATION = {code: f"\\u{code:04X}" for code in range(32)} | {ord(char): text for char, text in _ESCAPES.items()}


def _quoted(text: str) -> str:
    return '"' + text.translate(_TRANSLATION) + '"'
