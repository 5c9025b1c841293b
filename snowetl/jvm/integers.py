"""``Integer``, ``Long`` and ``BigInteger``: what they read from text."""

from __future__ import annotations

from snowetl.jvm.json_number import JsonNumber
from snowetl.jvm.strings import decimal_digits

MIN_INT, MAX_INT = -(2**31), 2**31 - 1
MIN_LONG, MAX_LONG = -(2**63), 2**63 - 1
_LONG_DIGITS = 19
_SHORT = 10
_PLAIN_DIGITS = 18


def parse_int(text: str) -> int | None:
    """``Integer.parseInt``: an optional sign and digits of any script, 32 bits; ``None`` where it throws."""
    if len(text) < _SHORT and text.isascii() and text.isdecimal():
        return int(text)
    number = parse_long(text)
    return number if number is not None and MIN_INT <= number <= MAX_INT else None


def parse_long(text: str) -> int | None:
    """``Long.parseLong``: the same with 64 bits."""
    digits = _unsigned(text)
    if digits is None:
        return None
    digits = digits.lstrip("0") or "0"
    if len(digits) > _LONG_DIGITS:  # reading a million digits takes quadratic time
        return None
    number = -int(digits) if text[0] == "-" else int(digits)
    return number if MIN_LONG <= number <= MAX_LONG else None


def big_integer(text: str) -> int | JsonNumber | None:
    """``new BigInteger(text)``: an integer of any size; beyond 18 digits as the number of that text."""
    digits = _unsigned(text)
    if digits is None:
        return None
    digits = digits.lstrip("0") or "0"
    negative = text[0] == "-" and digits != "0"
    if len(digits) <= _PLAIN_DIGITS:
        return -int(digits) if negative else int(digits)
    return JsonNumber(f"-{digits}" if negative else digits)


def wrap_long(number: int) -> int:
    """``number`` as 64-bit arithmetic leaves it, which overflows silently."""
    return (number - MIN_LONG) % 2**64 + MIN_LONG


def _unsigned(text: str) -> str | None:
    """The ASCII digits behind an optional sign."""
    return decimal_digits(text[1:] if text[:1] in ("+", "-") else text)
