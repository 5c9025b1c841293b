"""``java.lang.String`` and ``Character``: blanks, UTF-16 units, digits of any script, UTF-8 in and out."""

from __future__ import annotations

import re
from typing import Final

_UP_TO_SPACE: Final = "".join(map(chr, range(0x21)))


def trim(text: str) -> str:
    """``String.trim``: without the control characters and blanks (up to U+0020) at both ends."""
    return text.strip(_UP_TO_SPACE)


def hex_digit(char: str) -> int:
    """``Character.digit(char, 16)``: digits of any script and full-width letters count too; -1 for anything else."""
    if char.isascii():
        return "0123456789abcdef".find(char.lower())
    if char.isdecimal() and char <= "\uffff":
        return int(char)
    letter = "ＡＢＣＤＥＦ".find(char.upper())
    return letter + 10 if letter >= 0 else -1


def decimal_digits(text: str) -> str | None:
    """``text`` in ASCII digits if all its units are decimal digits of any script; else, and for no text, ``None``."""
    if text.isascii():
        return text if text.isdecimal() else None
    if not text.isdecimal() or max(text) > "\uffff":
        return None
    return "".join([str(int(digit)) for digit in text])


def to_units(text: str) -> str:
    """The text as UTF-16 units: characters beyond U+FFFF become their two surrogates, as Java's ``char`` sees them."""
    return _ASTRAL.sub(_surrogates, text)


def from_units(units: str) -> str:
    """The inverse of :func:`to_units`; lone surrogates stay."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")


def _surrogates(match: re.Match[str]) -> str:
    offset = ord(match.group()) - 0x10000
    return chr(0xD800 | offset >> 10) + chr(0xDC00 | offset & 0x3FF)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, the unit of Java string lengths and of the atomic limits."""
    if text.isascii():
        return len(text)
    return len(text) + sum(char > "\uffff" for char in text)


def to_utf8(text: str) -> bytes:
    """Encode for output; lone surrogates become ``?`` as on the JVM."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def decode_utf8(raw: bytes) -> str:
    """UTF-8 with U+FFFD for malformed input, counting replacement characters as the JVM does."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return _SURROGATE_BYTES.sub(b"\xff", raw).decode("utf-8", "replace")


# The JVM replaces an encoded surrogate (ED A0-BF, with or without its last byte) by one U+FFFD, Python by two or three.
_SURROGATE_BYTES: Final = re.compile(rb"\xed[\xa0-\xbf](?:[\x80-\xbf])?")
