"""Header values as HttpCore 4.4 reads them (``BasicHeaderValueParser.parseParameters``, ``TokenParser``)."""

from __future__ import annotations

_BLANKS = " \t\r\n"
_NAME_ENDS = frozenset("=;,")
_VALUE_ENDS = frozenset(";,")
_LIST_END = ","


def parse_parameters(text: str) -> list[tuple[str, str | None]]:
    """Name and value pairs of ``a=1; b="x;y"``. The value is ``None`` where the name has no ``=``.

    An unquoted comma ends the list, whatever follows. Blanks around names and values go, runs inside become one blank.
    """
    pairs: list[tuple[str, str | None]] = []
    position, end = 0, len(text)
    while position < end and text[position] in _BLANKS:
        position += 1
    while position < end:
        name, position = _token(text, position, _NAME_ENDS, quotes=False)
        if position == end:
            pairs.append((name, None))
            break
        delimiter = text[position]
        position += 1
        value = None
        if delimiter == "=":
            value, position = _token(text, position, _VALUE_ENDS, quotes=True)
            delimiter = text[position] if position < end else ""
            position += 1
        pairs.append((name, value))
        if delimiter == _LIST_END:
            break
    return pairs


def _token(text: str, position: int, ends: frozenset[str], *, quotes: bool) -> tuple[str, int]:
    """The token from ``position`` on, and where its delimiter stands (or the text ends)."""
    pieces: list[str] = []
    end = len(text)
    blank = False
    while position < end and text[position] not in ends:
        if text[position] in _BLANKS:
            position += 1
            blank = True
            continue
        if blank and pieces:
            pieces.append(" ")
        blank = False
        if quotes and text[position] == '"':
            piece, position = _quoted(text, position + 1)
        else:
            piece, position = _plain(text, position, ends, quotes)
        if piece:
            pieces.append(piece)
    return "".join(pieces), position


def _plain(text: str, position: int, ends: frozenset[str], quotes: bool) -> tuple[str, int]:
    start, end = position, len(text)
    while position < end:
        char = text[position]
        if char in ends or char in _BLANKS or (quotes and char == '"'):
            break
        position += 1
    return text[start:position], position


def _quoted(text: str, position: int) -> tuple[str, int]:
    """What stands between quotes; a backslash escapes a quote or itself, an open quote runs to the end."""
    chars: list[str] = []
    end = len(text)
    escaped = False
    while position < end:
        char = text[position]
        position += 1
        if escaped:
            chars.append(char if char in '"\\' else f"\\{char}")
            escaped = False
        elif char == '"':
            break
        elif char == "\\":
            escaped = True
        elif char not in "\r\n":
            chars.append(char)
    return "".join(chars), position
