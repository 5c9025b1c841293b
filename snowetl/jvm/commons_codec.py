"""commons-codec 1.15: base64 as leniently as it reads it."""

from __future__ import annotations

import binascii
import re
from typing import Final

import msgspec

_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")
_FROM_URL_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")
_decode_string: Final = msgspec.json.Decoder(bytes).decode
"""Bytes of a JSON string that holds nothing but padded base64 of the common alphabet, in a third of binascii's time."""


def decode_base64(text: str) -> bytes:
    """Lenient base64 as commons-codec reads it: both alphabets, foreign characters skipped, ends at the first ``=``.

    A leftover of one character is dropped, two give one byte, three give two. Never fails.
    """
    end = text.find("=")
    if end >= 0:
        text = text[:end]
    rest = len(text) & 3
    if rest != 1 and "\\" not in text:
        plain = text.replace("-", "+").replace("_", "/")
        try:
            return _decode_string(f'"{plain}{"=="[: -rest & 3]}"')
        except (msgspec.DecodeError, UnicodeEncodeError):
            pass
    raw = _NOT_BASE64.sub(b"", text.encode("utf-8", "replace").translate(_FROM_URL_ALPHABET))
    rest = len(raw) & 3
    if rest == 1:
        raw = raw[:-1]
    return binascii.a2b_base64(raw + b"=="[: -rest & 3 if rest != 1 else 0])
