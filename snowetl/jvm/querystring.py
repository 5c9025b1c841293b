"""Query strings as the reference reads them: ``java.net.URI`` for what is legal, HttpClient 4.5 for the pairs.

Source: enrich 3.9.0 ``Loader.parseQuerystring`` and ``ConversionUtils.parseUrlEncodedForm``. An ordinary query string
(ASCII, a byte-wise charset) is checked and decoded as a whole by a handful of C calls; everything else goes through
the careful path, part by part.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from typing import Final

from snowetl.jvm import charsets, jsontext
from snowetl.jvm.strings import hex_digit, to_units, utf16_length

Pairs = list[tuple[str, "str | None"]]

_PREFIX: Final = "http://localhost/?"
_LEGAL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789;/?:@&=+$,[]-_.!~*'()%"
_OTHER: Final = r"[^\x00-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_LEGAL_RUN: Final = re.compile(rf"(?:[A-Za-z0-9;/?:@&=+$,\[\]\-_.!~*'()]+|%[0-9A-Fa-f]{{2}}|{_OTHER}+)*+")


_PART: Final = b"\0"
_EQUALS: Final = b"\1"
_ILLEGAL: Final = b"\2"
"""Bytes that no legal text holds stand for separators while a text is decoded as a whole, and for what is illegal."""
_MARKED: Final = bytearray(_ILLEGAL * 256)
for _byte in _LEGAL:
    _MARKED[_byte] = _byte
for _legal, _mark in zip(b"%+=&;", b"= " + _EQUALS + _PART + _PART, strict=True):
    _MARKED[_legal] = _mark
"""Puts the marks in, and makes quoted-printable of escapes: the standard library decodes that in C."""
_NEXT_PART: Final = b'","'
_read_object: Final = jsontext.reader_of(dict[str, str])

_SEPARATOR: Final = re.compile("[&;]")
_CODED: Final = re.compile(r"\+|%([\s\S]{2})")


class QuerystringError(ValueError):
    """Text that is not a legal query. The message is Java's: ``REASON at index N: http://localhost/?TEXT``."""


def parse(text: str, charset: str = "UTF-8") -> Pairs:
    """Name-value pairs of a query string, in order, repeats kept; the value is ``None`` where there is no ``=``.

    ``charset`` is a name the JVM knows; parts are decoded with it. Raises :class:`QuerystringError`, and
    :class:`~snowetl.jvm.charsets.UnknownCharset` for another name.
    """
    pairs = _parse_whole(text, charset)
    if pairs is not None:
        return pairs
    query, hash_, fragment = text.partition("#")
    _check(text, query, 0, "query")
    if hash_:
        _check(text, fragment, len(query) + 1, "fragment")
    return _parse_legal(query, charset)


def parse_form(text: str) -> Pairs:
    """Pairs of a form-encoded body: the same rules, in UTF-8. Raises :class:`QuerystringError`."""
    return parse(text, "UTF-8")


def split(raw_query: str, charset: str = "UTF-8") -> Pairs:
    """Pairs of the query of a URI that is parsed already: nothing is checked, broken escapes stay as they are."""
    pairs = _parse_whole(raw_query, charset)
    if pairs is None:
        parse_rest = _parse_legal if _LEGAL_RUN.fullmatch(raw_query) else _parse_parts
        pairs = parse_rest(raw_query, charset)
    return pairs


def _parse_whole(text: str, charset: str) -> Pairs | None:
    """The fast way, or ``None`` for a text it cannot vouch for."""
    codec = charsets.lookup(charset)
    if not (codec.bytewise and text.isascii()):
        return None
    marked = text.encode().translate(_MARKED)
    if _ILLEGAL in marked:
        return None
    plain = a2b_qp(marked) if "%" in text else marked
    if (b"=" in plain or marked.endswith(b"=")) and len(plain) != len(marked) - 2 * marked.count(b"="):
        return None  # an escape that is none was left as it is
    if "%0" in text and (plain.count(_PART) != marked.count(_PART) or plain.count(_EQUALS) != marked.count(_EQUALS)):
        return None  # an escape stands for a byte that looks like a mark
    return _pairs(plain if codec.name == "UTF-8" else codec.decode(plain).encode()) or _cut(codec.decode(plain))


def _pairs(plain: bytes) -> Pairs | None:
    """Marked text in UTF-8 as a JSON object, for msgspec to cut; ``None`` unless all parts are pairs of plain text,
    whose names are not empty and differ.
    """
    if b'"' in plain or b"\\" in plain:
        plain = plain.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    parts = plain.replace(_PART, _NEXT_PART)
    found: dict[str, str] | None = _read_object(b'{"%b"}' % parts.replace(_EQUALS, b'":"'))
    count = 1 + (len(parts) - len(plain)) // (len(_NEXT_PART) - len(_PART))
    return None if found is None or len(found) != count or "" in found else list(found.items())


def _cut(decoded: str) -> Pairs:
    pairs: Pairs = []
    for part in decoded.split("\0"):
        name, equals, value = part.partition("\1")
        if name:
            pairs.append((name, value.replace("\1", "=") if equals else None))
    return pairs


def _check(text: str, component: str, offset: int, what: str) -> None:
    stop = _LEGAL_RUN.match(component).end()  # type: ignore[union-attr]
    if stop == len(component):
        return
    reason = "Malformed escape pair" if component[stop] == "%" else f"Illegal character in {what}"
    index = len(_PREFIX) + utf16_length(text[: offset + stop])
    raise QuerystringError(f"{reason} at index {index}: {_PREFIX}{text}")


def _parse_legal(query: str, charset: str) -> Pairs:
    """A text that may hold anything legal; what is not ASCII is written as an escape of its low byte first."""
    escaped = query if query.isascii() else _NOT_ASCII.sub(_escape_low_bytes, query)
    pairs = _parse_whole(escaped, charset)
    return _parse_parts(query, charset) if pairs is None else pairs


_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")


def _escape_low_bytes(match: re.Match[str]) -> str:
    return "%" + _low_bytes(match.group()).hex("%")


def _parse_parts(query: str, charset: str) -> Pairs:
    decode = charsets.lookup(charset).decode
    pairs: Pairs = []
    for part in _SEPARATOR.split(query):
        name, equals, value = part.partition("=")
        if name:
            pairs.append((decode(_form_bytes(name)), decode(_form_bytes(value)) if equals else None))
    return pairs


def _form_bytes(part: str) -> bytes:
    """``+`` is a blank, ``%HH`` a byte, any other UTF-16 unit its low byte; a broken escape keeps its three units."""
    if "%" not in part and "+" not in part:
        return _low_bytes(part)
    units = to_units(part)
    pieces = []
    position = 0
    for match in _CODED.finditer(units):
        pieces.append(_low_bytes(units[position : match.start()]))
        position = match.end()
        if match.group(1) is None:
            pieces.append(b" ")
        else:
            high, low = hex_digit(match.group(1)[0]), hex_digit(match.group(1)[1])
            pieces.append(_low_bytes(match.group()) if high < 0 or low < 0 else bytes((high << 4 | low,)))
    pieces.append(_low_bytes(units[position:]))
    return b"".join(pieces)


def _low_bytes(units: str) -> bytes:
    return units.encode("utf-16-le", "surrogatepass")[::2]
