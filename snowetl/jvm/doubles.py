"""``Double`` and ``Float`` before JDK 19: how they read text, and print it, not always with the fewest digits."""

from __future__ import annotations

import math
import re
import struct
from functools import lru_cache
from typing import NamedTuple

from snowetl.jvm.json_number import JsonNumber
from snowetl.jvm.strings import trim

_DECIMAL = re.compile(r"[+-]?(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?[fFdD]?")
_HEX = re.compile(r"([+-]?)0[xX](?:([0-9a-fA-F]+)\.?|([0-9a-fA-F]*)\.([0-9a-fA-F]+))[pP]([+-]?[0-9]+)[fFdD]?")
_NAMED = {sign + name: float(sign + name) for sign in ("", "+", "-") for name in ("NaN", "Infinity")}


def parse_double(text: str) -> float | None:
    """``Double.parseDouble``: blanks around, a type letter, ``NaN``, ``Infinity`` and hexadecimal are read.

    ``None`` where it throws.
    """
    text = trim(text)
    if _DECIMAL.fullmatch(text):
        return float(text.rstrip("fFdD"))
    match = _HEX.fullmatch(text)
    if match is None:
        return _NAMED.get(text)
    sign, whole, before, after, exponent = match.groups()
    try:
        return float.fromhex(f"{sign}0x{whole or before or '0'}.{after or '0'}p{exponent}")
    except OverflowError:
        return -math.inf if sign == "-" else math.inf


def json_double(number: float) -> JsonNumber | None:
    """A double as circe writes it: as Java prints it, null where it is not finite."""
    return JsonNumber(double_text(number)) if math.isfinite(number) else None


class _Format(NamedTuple):
    """A binary floating-point format and how :mod:`struct` packs it."""

    packing: str
    integer: str
    fraction_bits: int
    bias: int


_DOUBLE = _Format(">d", ">Q", 52, 1023)
_FLOAT = _Format(">f", ">I", 23, 127)
_SHORTEST_DIGITS = 15
_PLAIN = re.compile(r"-?[0-9]{1,7}\.[0-9]+")
CANONICAL_FORM = r"-?(?!0\.000)(?:0|[1-9][0-9]{0,6})\.(?:[0-9]{0,7}[1-9]|0)"
"""Matches texts that are printed as they are read. There are others, but few columns have them.

No text has two ways through it, so that it may stand in a possessive group."""


def double_text(number: float) -> str:
    """``Double.toString``: ``1.0``, ``12.23``, ``1.0E-4``, ``1.5E10``, ``NaN``."""
    text = repr(number)  # with up to 15 digits the shortest text is Java's, too
    if len(text) <= _SHORTEST_DIGITS and _PLAIN.fullmatch(text) and (abs(number) >= 1e-3 or number == 0):
        return text
    return _cached_text(text, number)


@lru_cache(maxsize=65536)
def _cached_text(_: str, number: float) -> str:
    return _text(number, _DOUBLE)


def float_text(number: float) -> str:
    """``Float.toString`` of ``number`` rounded to single precision: ``43.88``, ``0.0``, ``1.0E-4``, ``NaN``."""
    return _text(number, _FLOAT)


# --- FloatingDecimal.dtoa -----------------------------------------------------------------------------------------

_MAX_SMALL_EXPONENT = 62
_MIN_SMALL_EXPONENT = -21
_BITS_OF_POWERS_OF_5 = [0, *((5**power).bit_length() for power in range(1, 27))]


def _text(number: float, form: _Format) -> str:
    try:
        (bits,) = struct.unpack(form.integer, struct.pack(form.packing, number))
    except OverflowError:
        return "Infinity" if number > 0 else "-Infinity"
    width = form.fraction_bits
    sign = "-" if math.copysign(1, number) < 0 else ""
    exponent, fraction = bits >> width & 2 * form.bias + 1, bits & (1 << width) - 1
    if exponent == 2 * form.bias + 1:
        return "NaN" if fraction else f"{sign}Infinity"
    if not exponent and not fraction:
        return f"{sign}0.0"
    significant = width + 1
    if exponent:
        fraction |= 1 << width
    else:
        significant = fraction.bit_length()
        fraction <<= width + 1 - significant
        exponent = 1 - (width + 1 - significant)
    digits, point = _digits(exponent - form.bias, fraction, significant, width)
    return sign + _layout(digits, point)


def _layout(digits: str, point: int) -> str:
    """Plain from 10^-3 up to 10^7, else scientific; ``point`` digits stand before the decimal point."""
    if 0 < point < 8:
        return f"{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    if -3 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    return f"{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def _digits(exponent: int, fraction: int, significant: int, fraction_bits: int) -> tuple[str, int]:
    """Decimal digits and place of the point of ``fraction`` x 2^(``exponent`` - ``fraction_bits``)."""
    zeros = (fraction & -fraction).bit_length() - 1
    width = fraction_bits + 1 - zeros
    tiny_bits = max(0, width - exponent - 1)
    if tiny_bits == 0 and _MIN_SMALL_EXPONENT <= exponent <= _MAX_SMALL_EXPONENT:
        return _integer_digits(exponent, fraction, significant, fraction_bits)
    mantissa = fraction / (1 << fraction_bits)
    decimal = math.floor((mantissa - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981)
    b5, s5 = max(0, -decimal), max(0, decimal)
    b2, s2 = b5 + tiny_bits + exponent, s5 + tiny_bits
    m2 = b2 - significant
    b2 -= width - 1
    common = min(b2, s2)
    b2, s2, m2 = b2 - common, s2 - common, m2 - common
    if width == 1:  # below a power of two the next number is only half as far away
        m2 -= 1
    if m2 < 0:
        b2, s2, m2 = b2 - m2, s2 - m2, 0
    value = (fraction >> zeros) * 5**b5 << b2
    scale = 5**s5 << s2
    half_step = 5**b5 << m2
    value_bits = width + b2 + _power_bits(b5)
    scale_bits = s2 + 1 + _power_bits(s5 + 1)
    if value_bits < 32 and scale_bits < 32:
        return _generate(decimal, value, scale, half_step, word=32)
    if value_bits < 64 and scale_bits < 64:
        return _generate(decimal, value, scale, half_step, word=64)
    return _generate(decimal, value, scale, half_step, word=None)


def _power_bits(power: int) -> int:
    return _BITS_OF_POWERS_OF_5[power] if power < len(_BITS_OF_POWERS_OF_5) else power * 3


def _integer_digits(exponent: int, fraction: int, significant: int, fraction_bits: int) -> tuple[str, int]:
    """A whole number, without the digits that its precision does not vouch for."""
    shift = exponent - fraction_bits
    number = fraction << shift if shift >= 0 else fraction >> -shift
    excess = exponent - significant - 1
    dropped = len(str(1 << excess)) - 1 if exponent > significant and excess > 1 else 0
    if dropped:
        unit = 10**dropped
        number = (number + unit // 2) // unit
    text = str(number)
    return text.rstrip("0"), len(text) + dropped


def _generate(decimal: int, value: int, scale: int, half_step: int, word: int | None) -> tuple[str, int]:
    """Digit by digit until what is left is less than half a step.

    ``word`` is the size of the integers Java computes with here: its sums wrap around, and so must ours.
    """
    tens = scale * 10
    digits: list[int] = []
    first = True
    low = high = False
    while not (low or high):
        digit, rest = divmod(value, scale)
        value = rest * 10
        half_step = _wrap(half_step * 10, word)
        if first or word is None or half_step > 0:
            low = value < half_step
            total = _wrap(value + half_step, word)
            high = total > tens or (word is None and total == tens)
        else:
            low = high = True
        if first:
            first = False
            if digit == 0 and not high:
                decimal -= 1
            else:
                digits.append(digit)
            if decimal < -3 or decimal >= 8:  # scientific notation needs a second digit
                low = high = False
        else:
            digits.append(digit)
    if high and (not low or _rounds_up(value * 2 - tens, digits[-1])):
        return _round_up(digits, decimal)
    return "".join(map(str, digits)), decimal + 1


def _rounds_up(difference: int, last: int) -> bool:
    return difference > 0 or (difference == 0 and last % 2 == 1)


def _round_up(digits: list[int], decimal: int) -> tuple[str, int]:
    text = str(int("".join(map(str, digits))) + 1).rjust(len(digits), "0")
    if len(text) > len(digits):
        return text[:-1], decimal + 2
    return text, decimal + 1


def _wrap(number: int, word: int | None) -> int:
    if word is None or number < 1 << word - 1:
        return number
    number &= (1 << word) - 1
    return number - (1 << word) if number >> word - 1 else number
