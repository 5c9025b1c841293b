"""Numbers and UUIDs of the enriched TSV as the JVM reads and prints them (analytics SDK 3.1.0 ``ValueDecoder``)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from snowetl.jvm.floats import java_double

_LONGEST_KNOWN = 40
_TRIMMED = "".join(chr(code) for code in range(33))
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?")
_HEX = re.compile(
    r"([+-]?)0[xX](?:([0-9a-fA-F]+)\.?|([0-9a-fA-F]*)\.([0-9a-fA-F]+))[pP]([+-]?[0-9]+)[fFdD]?",
)
_NAMED = {"NaN": "NaN", "+NaN": "NaN", "-NaN": "NaN"} | {
    sign + "Infinity": sign.replace("+", "") + "Infinity" for sign in ("", "+", "-")
}
_HEX_WORDS = str.maketrans(
    {chr(0xFF21 + i): "abcdef"[i] for i in range(6)} | {chr(0xFF41 + i): "abcdef"[i] for i in range(6)}
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_GROUPS = (8, 4, 4, 4, 12)


def integer(text: str) -> str | None:
    """``Integer.parseInt`` printed back: sign, leading zeros and any Unicode digits pass; ``None`` beyond 32 bits."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits or not digits.isdecimal():
        return None
    number = _decimal_value(digits)
    if text[0] == "-":
        number = -number
    return str(number) if -(2**31) <= number < 2**31 else None


def _decimal_value(digits: str) -> int:
    significant = digits if digits.isascii() else "".join(str(unicodedata.decimal(digit)) for digit in digits)
    significant = significant.lstrip("0")
    return int(significant or "0") if len(significant) < 20 else 10**20


def double(text: str) -> str | None:
    """``Double.parseDouble`` (``NaN`` and ``Infinity`` pass) printed by :func:`java_double`; ``None``: no number."""
    return _known_double(text) if len(text) <= _LONGEST_KNOWN else _double(text)


@lru_cache(maxsize=65536)
def _known_double(text: str) -> str | None:
    return _double(text)


def _double(text: str) -> str | None:
    trimmed = text.strip(_TRIMMED)
    if trimmed in _NAMED:
        return _NAMED[trimmed]
    if _DECIMAL.fullmatch(trimmed):
        return java_double(float(trimmed.rstrip("fFdD")))
    match = _HEX.fullmatch(trimmed)
    if match is None:
        return None
    sign, whole, before, after, exponent = match.groups()
    mantissa = f"{whole or before or '0'}.{after or '0'}"
    try:
        return java_double(float.fromhex(f"{sign}0x{mantissa}p{exponent}"))
    except OverflowError:
        return sign.replace("+", "") + "Infinity"


def uuid(text: str) -> str | None:
    """``UUID.fromString`` printed back in lower case: groups of any length pass (``1-1-1-1-1``); ``None`` otherwise."""
    if _UUID(text):
        return text
    groups = text.split("-")
    if len(groups) != 5 or len(text) > 36:
        return None
    printed = []
    for group, width in zip(groups, _GROUPS, strict=True):
        value = _hexadecimal(group)
        if value is None:
            return None
        printed.append(f"{value & (16**width - 1):0{width}x}")
    return "-".join(printed)


def _hexadecimal(text: str) -> int | None:
    """``Long.parseLong(text, 16)``."""
    digits = text[1:] if text[:1] == "+" else text
    if not digits:
        return None
    plain = "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() and not char.isascii() else char
        for char in digits.translate(_HEX_WORDS)
    )
    if not re.fullmatch(r"[0-9a-fA-F]+", plain):
        return None
    value = int(plain, 16)
    return value if value < 2**63 else None
