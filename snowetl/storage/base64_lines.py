"""Records as lines of base64 (Elephant-bird's ``LzoBinaryB64LineRecordReader``)."""

from __future__ import annotations

import binascii
import re

_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_FOREIGN = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def decode_base64_line(line: bytes) -> bytes | None:
    """One base64 line of the reference's reader: padding optional, foreign bytes only at the ends.

    Empty lines are left out (``None``); a line that does not decode is returned as it is, to end as a bad row.
    """
    text = line.strip(_FOREIGN)
    if not text:
        return line or None
    if not _BASE64.fullmatch(text):
        return line
    body = text.rstrip(b"=")
    size = (len(text) * 6 >> 3) - (len(text) - len(body))
    decoded = binascii.a2b_base64(body + b"A" * (-len(body) % 4))
    return decoded[:size]


def is_base64(line: bytes) -> bool:
    """Whether ``line`` decodes, and has nothing around it that only binary content has."""
    return _BASE64.fullmatch(line.strip(_FOREIGN)) is not None and not has_control_characters(line)


def has_control_characters(data: bytes) -> bool:
    """Whether there are bytes that text does not have; any struct of Thrift ends with one."""
    return _CONTROL.search(data) is not None
