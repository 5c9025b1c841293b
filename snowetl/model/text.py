"""Text rules of the reference's own, shared by loaders, adapters and enrichments (enrich 3.9.0 ``ConversionUtils``)."""

from __future__ import annotations

import re
from typing import Final

from snowetl.jvm import url_decoder
from snowetl.jvm.strings import decode_utf8

_ZEROS: Final = str.maketrans("123456789", "000000000")
_ZERO_BYTES: Final = bytes.maketrans(b"123456789", b"000000000")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_DOUBLE_ENCODED: Final = re.compile(r"%25(?=[0-9a-fA-F]{2})")


def tsv_safe(text: str) -> str:
    """Tabs become four spaces, other ASCII control characters vanish; ``""`` stands for null."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", text.replace("\t", "    "))


def with_zeros(text: str) -> str:
    """``text`` with a zero for each ASCII digit: user agents of two versions of a browser become the same."""
    if text.isascii():  # where this is ten times as fast
        return text.encode().translate(_ZERO_BYTES).decode()
    return text.translate(_ZEROS)


def single_encode_percents(text: str) -> str:
    """Undo one level of double encoding: ``%25HH`` -> ``%HH``, one pass."""
    return _DOUBLE_ENCODED.sub("%", text) if "%25" in text else text


def url_decode(text: str) -> str:
    """Form-decode, then drop CR and LF and widen tabs to four spaces.

    Raises :class:`UrlDecodeError` with the text that goes into bad rows.
    """
    try:
        decoded = url_decoder.decode(text)
    except url_decoder.UrlDecoderError as error:
        raise UrlDecodeError(f"exception URL-decoding (encoding UTF-8): {error}") from None
    return decoded.replace("\r", "").replace("\n", "").replace("\t", "    ")


class UrlDecodeError(ValueError):
    """A malformed escape; the message is the reference's."""


def percent_decode(text: str, plus: bool = False) -> str:
    """Decode ``%HH`` as UTF-8 once, with ``plus`` also ``+`` to a blank; malformed escapes stay as they are.

    What the batch job did to user agents of text logs, which the formats encode. Never fails.
    """
    if plus:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    return decode_utf8(_ESCAPE_BYTE.sub(_byte, text.encode("utf-8", "surrogatepass")))


_ESCAPE_BYTE: Final = re.compile(rb"%([0-9a-fA-F]{2})")


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes((int(match.group(1), 16),))
