"""Numbers as the JVM reads them from text, and as it prints doubles."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

from snowetl.jvm.floats import java_double
from snowetl.jvm.jsontext import JsonNumber

_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,10})?")
_DOUBLE = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?", re.ASCII)
_HEX_DOUBLE = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?\d+[fFdD]?", re.ASCII)
_MAX_INT = 2**31 - 1
_INT_DIGITS = 10
_PLAIN_DIGITS = 18
_CENT = Decimal("0.01")
_BEYOND_DOUBLE = 400
_ROUNDING = Context(prec=2 * _BEYOND_DOUBLE, rounding=ROUND_HALF_EVEN)


def int32(text: str) -> int | None:
    """``Integer.parseInt``: an optional sign and digits of any script, 32 bits; else ``None``."""
    if text.isdigit() and text.isascii() and len(text) < _INT_DIGITS:
        return int(text)
    if not _INTEGER.fullmatch(text):
        return None
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > _PLAIN_DIGITS:
        return None
    number = int(digits or "0")
    number = -number if text.startswith("-") else number
    return number if -_MAX_INT - 1 <= number <= _MAX_INT else None


def big_integer(text: str) -> int | JsonNumber | None:
    """``new BigInteger(text)``: an integer of any size; beyond 18 digits as the number of that text."""
    if not _INTEGER.fullmatch(text):
        return None
    if len(text) <= _PLAIN_DIGITS:
        return int(text)
    digits = text.lstrip("+-")
    if not digits.isascii():
        digits = "".join([str(int(digit)) for digit in digits])
    digits = digits.lstrip("0") or "0"
    return JsonNumber(f"-{digits}" if text.startswith("-") and digits != "0" else digits)


def double(text: str) -> float | None:
    """``Double.parseDouble`` of a finite number, blanks around it and a type letter allowed; else ``None``."""
    text = text.strip("".join(map(chr, range(33))))
    if _DOUBLE.fullmatch(text):
        number = float(text.rstrip("fFdD"))
    elif _HEX_DOUBLE.fullmatch(text):
        number = _hexadecimal(text)
    else:
        return None
    return number if math.isfinite(number) else None


def _hexadecimal(text: str) -> float:
    mantissa, _, exponent = text.lower().partition("p")
    try:
        return float.fromhex(f"{mantissa}p{exponent.rstrip('fd')}")
    except OverflowError:
        return math.inf


def decimal_double(text: str, *, cents: bool = False) -> float | None:
    """The double next to ``new BigDecimal(text)``, rounded to two places before where asked; may be infinite.

    ``None`` for text that is no decimal.
    """
    if not _DECIMAL.fullmatch(text):
        return None
    number = Decimal(text)
    if number and number.adjusted() > _BEYOND_DOUBLE:
        return math.copysign(math.inf, number)
    if cents:
        if not number or number.adjusted() < -_BEYOND_DOUBLE:
            return 0.0
        number = number.quantize(_CENT, context=_ROUNDING)
    return float(number)


def json_double(number: float) -> JsonNumber | None:
    """A double as circe writes it: as Java prints it, null where it is not finite."""
    return JsonNumber(java_double(number)) if math.isfinite(number) else None
