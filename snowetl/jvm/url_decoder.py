"""``java.net.URLDecoder``."""

from __future__ import annotations

import re

from snowetl.jvm.strings import decode_utf8, from_units, hex_digit, to_units


class UrlDecoderError(ValueError):
    """A malformed escape; the message is Java's (JDK 11 and later)."""


def decode(text: str) -> str:
    """``URLDecoder.decode`` of UTF-8: ``+`` is a blank, runs of ``%HH`` are bytes. Raises :class:`UrlDecoderError`."""
    if "%" not in text:
        return text.replace("+", " ")
    units = text if text.isascii() else to_units(text)
    pieces = []
    position = 0
    for match in _ESCAPE_RUN.finditer(units):
        pieces.append(units[position : match.start()].replace("+", " "))
        pieces.append(_decode_run(match.group()))
        position = match.end()
    pieces.append(units[position:].replace("+", " "))
    decoded = "".join(pieces)
    return decoded if text.isascii() else from_units(decoded)


_ESCAPE_RUN = re.compile(r"(?:%[\s\S]{2})+|%")
_SOUND_RUN = re.compile(r"(?:%[0-9a-fA-F]{2})+")


def _decode_run(run: str) -> str:
    if _SOUND_RUN.fullmatch(run):
        return decode_utf8(bytes.fromhex(run.replace("%", "")))
    if run == "%":
        raise UrlDecoderError("URLDecoder: Incomplete trailing escape (%) pattern")
    return decode_utf8(bytes(_escaped_byte(run[at + 1 : at + 3]) for at in range(0, len(run), 3)))


def _escaped_byte(pair: str) -> int:
    """``Integer.parseInt(pair, 16)``, which takes a sign and digits of any script."""
    digits = pair[1:] if pair[0] in "+-" else pair
    value = 0
    for index, char in enumerate(digits, start=2 - len(digits)):
        digit = hex_digit(char)
        if digit < 0:
            shown = from_units(pair)
            raise UrlDecoderError(
                f'URLDecoder: Illegal hex characters in escape (%) pattern - Error at index {index} in: "{shown}"'
            )
        value = value << 4 | digit
    if pair[0] == "-" and value:
        raise UrlDecoderError("URLDecoder: Illegal hex characters in escape (%) pattern - negative value")
    return value
