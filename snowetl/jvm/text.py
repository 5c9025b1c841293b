"""Text rules shared by loaders, adapters and enrichments (enrich 3.9.0 ``ConversionUtils``)."""

from __future__ import annotations

import binascii
import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DOUBLE_ENCODED = re.compile(r"%25(?=[0-9a-fA-F]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_FROM_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")


def tsv_safe(text: str) -> str:
    """Tabs become four spaces, other ASCII control characters vanish; ``""`` stands for null."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", text.replace("\t", "    "))


def single_encode_percents(text: str) -> str:
    """Undo one level of double encoding: ``%25HH`` -> ``%HH``, one pass."""
    return _DOUBLE_ENCODED.sub("%", text) if "%25" in text else text


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


def decode_utf8(raw: bytes) -> str:
    """UTF-8 with U+FFFD for malformed input, counting replacement characters as the JVM does."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return _SURROGATE_BYTES.sub(b"\xff", raw).decode("utf-8", "replace")


# The JVM replaces an encoded surrogate (ED A0-BF, with or without its last byte) by one U+FFFD, Python by two or three.
_SURROGATE_BYTES = re.compile(rb"\xed[\xa0-\xbf](?:[\x80-\xbf])?")


class UrlDecodeError(ValueError):
    """A malformed escape; the message is the reference's."""


def url_decode(text: str) -> str:
    """Form-decode UTF-8 (``java.net.URLDecoder``), then drop CR and LF and widen tabs to four spaces.

    Raises :class:`UrlDecodeError` with the text that goes into bad rows (JDK 11 and later).
    """
    if "%" not in text:
        decoded = text.replace("+", " ")
    else:
        units = text if text.isascii() else to_units(text)
        pieces = []
        position = 0
        for match in _ESCAPE_RUN.finditer(units):
            pieces.append(units[position : match.start()].replace("+", " "))
            pieces.append(_decode_run(match.group()))
            position = match.end()
        pieces.append(units[position:].replace("+", " "))
        decoded = "".join(pieces)
        if not text.isascii():
            decoded = from_units(decoded)
    return decoded.replace("\r", "").replace("\n", "").replace("\t", "    ")


_ESCAPE_RUN = re.compile(r"(?:%[\s\S]{2})+|%")
_SOUND_RUN = re.compile(r"(?:%[0-9a-fA-F]{2})+")


def _decode_run(run: str) -> str:
    if _SOUND_RUN.fullmatch(run):
        return decode_utf8(bytes.fromhex(run.replace("%", "")))
    if run == "%":
        raise _url_decode_error("Incomplete trailing escape (%) pattern")
    return decode_utf8(bytes(_escaped_byte(run[at + 1 : at + 3]) for at in range(0, len(run), 3)))


def _escaped_byte(pair: str) -> int:
    """``Integer.parseInt(pair, 16)``, which takes a sign and digits of any script."""
    digits = pair[1:] if pair[0] in "+-" else pair
    value = 0
    for index, char in enumerate(digits, start=2 - len(digits)):
        digit = hex_digit(char)
        if digit < 0:
            shown = to_utf8(from_units(pair)).decode()
            raise _url_decode_error(
                f'Illegal hex characters in escape (%) pattern - Error at index {index} in: "{shown}"'
            )
        value = value << 4 | digit
    if pair[0] == "-" and value:
        raise _url_decode_error("Illegal hex characters in escape (%) pattern - negative value")
    return value


def _url_decode_error(reason: str) -> UrlDecodeError:
    return UrlDecodeError(f"exception URL-decoding (encoding UTF-8): URLDecoder: {reason}")


def percent_decode(text: str, plus: bool = False) -> str:
    """Decode ``%HH`` as UTF-8 once, with ``plus`` also ``+`` to a blank; malformed escapes stay as they are.

    What the batch job did to user agents of text logs, which the formats encode. Never fails.
    """
    if plus:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    return decode_utf8(_ESCAPE_BYTE.sub(_byte, text.encode("utf-8", "surrogatepass")))


_ESCAPE_BYTE = re.compile(rb"%([0-9a-fA-F]{2})")


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes((int(match.group(1), 16),))


def hex_digit(char: str) -> int:
    """``Character.digit(char, 16)``: digits of any script and full-width letters count too; -1 for anything else."""
    if char.isascii():
        return "0123456789abcdef".find(char.lower())
    if char.isdecimal() and char <= "\uffff":
        return int(char)
    letter = "ＡＢＣＤＥＦ".find(char.upper())
    return letter + 10 if letter >= 0 else -1


def to_units(text: str) -> str:
    """The text as UTF-16 units: characters beyond U+FFFF become their two surrogates, as Java's ``char`` sees them."""
    return _ASTRAL.sub(_surrogates, text)


def from_units(units: str) -> str:
    """The inverse of :func:`to_units`; lone surrogates stay."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


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
