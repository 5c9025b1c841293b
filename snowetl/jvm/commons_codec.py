"""commons-codec 1.15: base64 as leniently as it reads it."""

from __future__ import annotations

import binascii
import re

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_FROM_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")


def decode_base64(text: str) -> bytes:
    """Lenient base64 as commons-codec reads it: both alphabets, foreign characters skipped, ends at the first ``=``.

    A leftover of one character is dropped, two give one byte, three give two. Never fails.
    """
    end = text.find("=")
    if end >= 0:
        text = text[:end]
    raw = text.encode("utf-8", "replace").translate(_FROM_URL_ALPHABET)
    rest = len(raw) & 3
    if rest != 1:
        try:
            return binascii.a2b_base64(raw + b"=="[: -rest & 3], strict_mode=True)
        except binascii.Error:
            pass
    raw = _NOT_BASE64.sub(b"", raw)
    rest = len(raw) & 3
    if rest == 1:
        raw = raw[:-1]
    return binascii.a2b_base64(raw + b"=="[: -rest & 3 if rest != 1 else 0])
