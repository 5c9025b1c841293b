"""How Java prints floats and doubles (``toString`` before JDK 19), whose digits are not always the shortest ones."""

from __future__ import annotations

import math
import struct

_SIGNIFICANT_BITS = 53
_FRACTION_BITS = 52
_BIAS, _FLOAT_BIAS = 1023, 127
_FLOAT_SIGNIFICANT_BITS, _FLOAT_FRACTION_BITS = 24, 23
_MAX_SMALL_EXPONENT = 62
_SURELY_SHORTEST = 16
"""Characters of a number with 15 digits or fewer, which Java prints as they are."""
_BITS_OF_POWERS_OF_5 = [0, *((5**power).bit_length() for power in range(1, 27))]


def java_float(number: float) -> str:
    """``Float.toString`` of ``number`` rounded to single precision: ``43.88``, ``0.0``, ``1.0E-4``, ``NaN``."""
    try:
        (bits,) = struct.unpack(">I", struct.pack(">f", number))
    except OverflowError:
        bits = 0x7F800000 | (0x80000000 if number < 0 else 0)
    sign = "-" if bits >> 31 else ""
    exponent, fraction = bits >> _FLOAT_FRACTION_BITS & 0xFF, bits & (1 << _FLOAT_FRACTION_BITS) - 1
    if exponent == 0xFF:
        return "NaN" if fraction else f"{sign}Infinity"
    shift = _FRACTION_BITS - _FLOAT_FRACTION_BITS
    return sign + _text(exponent, fraction << shift, _FLOAT_BIAS, _FLOAT_SIGNIFICANT_BITS)


def java_double(number: float) -> str:
    """``Double.toString``: ``37.0``, ``1.0E7``, ``4.9E-324``, ``9.999999999999999E22``, ``NaN``."""
    if 1e-3 <= abs(number) < 1e7:
        shortest = repr(number)
        if len(shortest) <= _SURELY_SHORTEST:
            return shortest
    (bits,) = struct.unpack(">Q", struct.pack(">d", number))
    sign = "-" if bits >> 63 else ""
    exponent, fraction = bits >> _FRACTION_BITS & 0x7FF, bits & (1 << _FRACTION_BITS) - 1
    if exponent == 0x7FF:
        return "NaN" if fraction else f"{sign}Infinity"
    return sign + _text(exponent, fraction, _BIAS, _SIGNIFICANT_BITS)


def _text(exponent: int, fraction: int, bias: int, significant: int) -> str:
    """A finite number without its sign, from its parts; ``fraction`` is of 52 bits, ``significant`` of them count."""
    if not exponent and not fraction:
        return "0.0"
    if exponent:
        fraction |= 1 << _FRACTION_BITS
    else:  # fewer bits than usual
        shift = _SIGNIFICANT_BITS - fraction.bit_length()
        fraction <<= shift
        significant -= shift
        exponent = 1 - shift
    return _layout(*_digits(exponent - bias, fraction, significant))


def _layout(digits: str, point: int) -> str:
    """Plain from 10^-3 up to 10^7, else scientific; ``point`` digits stand before the decimal point."""
    if 0 < point < 8:
        return f"{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    if -3 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    return f"{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def _digits(exponent: int, fraction: int, significant: int) -> tuple[str, int]:
    """Decimal digits and place of the point of ``fraction`` x 2^(``exponent`` - 52): JDK's ``FloatingDecimal.dtoa``."""
    zeros = (fraction & -fraction).bit_length() - 1
    width = _SIGNIFICANT_BITS - zeros
    tiny_bits = max(0, width - exponent - 1)
    if tiny_bits == 0 and exponent <= _MAX_SMALL_EXPONENT and width < 64:
        return _integer_digits(exponent, fraction, significant)
    mantissa = fraction / (1 << _FRACTION_BITS)
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


def _integer_digits(exponent: int, fraction: int, significant: int) -> tuple[str, int]:
    """A whole number, without the digits that its precision does not vouch for."""
    shift = exponent - _FRACTION_BITS
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
