"""``java.math.BigDecimal``: how it reads text, what it says when it cannot, and how it prints (JDK 11-17)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

from snowetl.jvm.integers import MAX_INT
from snowetl.jvm.json_number import JsonNumber
from snowetl.jvm.strings import decimal_digits, utf16_length

_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,6})?", re.ASCII)
_COMPACT_DIGITS = 18
_MAX_EXPANSION = 10_000
"""Powers of ten beyond this are refused like those beyond Java's own limit (646 million digits): no column of any
warehouse holds such a number, and eight characters must not become 100 KB in an event."""


_CENT = Decimal("0.01")
_BEYOND_DOUBLE = 400
_ROUNDING = Context(prec=2 * _BEYOND_DOUBLE, rounding=ROUND_HALF_EVEN)


class DecimalError(ValueError):
    """Text that is not a decimal; the message is Java's (``null`` where Java gives none)."""


def canonical(text: str) -> str:
    """The text of ``new BigDecimal(text)`` with a negative scale set to 0. Raises :class:`DecimalError`."""
    if _PLAIN.fullmatch(text):
        return text
    negative, digits, scale = _parse(text)
    return _print(negative, digits, scale)


def to_string(text: str) -> str:
    """``BigDecimal.toString`` of a JSON number: ``1.00`` stays, ``1e3`` becomes ``1E+3``, zero has no sign.

    A number whose exponent no ``BigDecimal`` holds stays as it is.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return str(number if number else abs(number))


def stripped(text: str) -> str:
    """A JSON number after Jackson and circe: whole ones in digits, others as ``stripTrailingZeros().toString()``.

    ``1.50`` is ``1.5``, ``1e3`` is ``1000``, ``4.0E-8`` is ``4E-8``, ``-0.0`` is ``0``. A whole number that would take
    more than 10,000 digits keeps its exponent; one whose exponent no ``BigDecimal`` holds stays as it is.
    """
    number = _without_zeros(text)
    if number is None:
        return text
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return f"{number:f}" if 0 <= exponent <= _MAX_EXPANSION else str(number)


def _without_zeros(text: str) -> Decimal | None:
    """The number without trailing zeros; ``None`` where no ``BigDecimal`` holds its exponent."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number:
        return Decimal(0)
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits)).rstrip("0")
    return Decimal((sign, tuple(map(int, written)), exponent + len(digits) - len(written)))


def reprinted(value: Any, print_number: Callable[[str], str]) -> Any:
    """JSON with its decimals printed anew: what the reference's JSON libraries make of them on the way.

    In place, and without recursion: JSON may be nested deeply.
    """
    root = [value]
    pending: list[Any] = [root]
    while pending:
        node = pending.pop()
        for key, member in node.items() if type(node) is dict else enumerate(node):
            if type(member) is JsonNumber:
                node[key] = JsonNumber(print_number(member.text))
            elif type(member) is dict or type(member) is list:
                pending.append(member)
    return root[0]


def to_double(text: str, *, cents: bool = False) -> float | None:
    """The double next to ``new BigDecimal(text)``, rounded half-even to two places before where asked; may be infinite.

    ``None`` for text that is not a decimal.
    """
    try:
        negative, digits, scale = _parse(text)
    except DecimalError:
        return None
    number = Decimal(f"{digits}E{-scale}") if digits else Decimal(0)
    if number and number.adjusted() > _BEYOND_DOUBLE:
        return -math.inf if negative else math.inf
    if not number:
        return 0.0
    if cents:
        number = number.quantize(_CENT, context=_ROUNDING) if number.adjusted() >= -_BEYOND_DOUBLE else Decimal(0)
    return -float(number) if negative and number else float(number)


def _parse(text: str) -> tuple[bool, str, int]:
    negative = text.startswith("-")
    body = text[1:] if text[:1] in ("-", "+") and text else text
    if not text:
        raise DecimalError("null")
    compact = utf16_length(body) <= _COMPACT_DIGITS
    digits: list[str] = []
    fraction = exponent = 0
    dot = False
    for at, char in enumerate(body):
        if char.isdecimal() and char <= "\uffff":
            digits.append(char)
            fraction += dot
        elif char == ".":
            if dot:
                raise DecimalError("Character array contains more than one decimal point.")
            dot = True
        elif char in "eE":
            exponent = _exponent(body[at + 1 :])
            break
        elif compact:
            unit = char if char <= "\uffff" else chr(0xD800 + ((ord(char) - 0x10000) >> 10))
            raise DecimalError(
                f'Character {unit} is neither a decimal digit number, decimal point, nor "e" notation exponential mark.'
            )
        else:
            raise DecimalError('Character array is missing "e" notation exponential mark.')
    if not digits:
        raise DecimalError("No digits found.")
    scale = fraction - exponent
    if not -MAX_INT - 1 <= scale <= MAX_INT:
        raise DecimalError("Scale out of range.")
    return negative, "".join([str(int(digit)) for digit in digits]).lstrip("0"), scale


def _exponent(text: str) -> int:
    negative = text.startswith("-")
    if text[:1] in ("-", "+") and text:
        text = text[1:]
    if not text:
        raise DecimalError("null")
    while utf16_length(text) > 10 and decimal_digits(text[0]) == "0":
        text = text[1:]
    if utf16_length(text) > 10:
        raise DecimalError("Too many nonzero exponent digits.")
    if not all(char.isdecimal() and char <= "\uffff" for char in text):
        raise DecimalError("Not a digit.")
    exponent = -int(text) if negative else int(text)
    if not -MAX_INT - 1 <= exponent <= MAX_INT:
        raise DecimalError("Exponent overflow.")
    return exponent


def _print(negative: bool, digits: str, scale: int) -> str:
    if not digits:  # zero
        digits, negative = "0", False
        if scale < 0:
            scale = 0
    if scale < 0:
        if -scale > _MAX_EXPANSION:
            raise DecimalError("BigInteger would overflow supported range")
        digits += "0" * -scale
        scale = 0
    sign = "-" if negative else ""
    if scale == 0:
        return sign + digits
    adjusted = len(digits) - 1 - scale
    if adjusted >= -6:
        padded = digits.rjust(scale + 1, "0")
        return f"{sign}{padded[:-scale]}.{padded[-scale:]}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{sign}{mantissa}E{adjusted}"
