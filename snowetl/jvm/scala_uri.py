"""The second attempt at a URI: split, percent-decode and re-encode every part (scala-uri 1.5.1)."""

from __future__ import annotations

import re
from itertools import groupby

from snowetl.jvm.strings import decode_utf8, from_units, hex_digit, to_units

_URN = re.compile(
    r"urn:([A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9]))((?::[A-Za-z0-9\-._~%!$&'()*+,;=:@][A-Za-z0-9\-._~%!$&'()*+,;=:@/]*)?)"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_USER = re.compile(r"[^:/?\[\]@]*")
_IPV4 = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?=[:/?#]|\Z)", re.ASCII)
_HEX_PIECE = re.compile("[0-9A-Fa-f]{0,4}")
_HOST = re.compile(r"[^:/?#]*")
_PORT_DIGITS = re.compile("[0-9]{0,10}")
_MAX_PORT = 2**31 - 1
_END_MARK = "\uffff"
_NAMED = {"\t": "\\t", "\r": "\\r", "\n": "\\n", _END_MARK: "EOI"}

_RESERVED = ":/?#[]@!$&'()*,;=%<>{}^`|\\\" "
_ENCODED = [f"%{byte:02X}" if byte < 32 or byte > 126 or chr(byte) in _RESERVED else chr(byte) for byte in range(256)]


class LenientUriError(ValueError):
    """Even the lenient parser gave up; the message is what the reference reports."""


def rebuild(text: str) -> str:
    """The URI text with every part re-encoded. Raises :class:`LenientUriError`.

    U+FFFF ends the text: the reference's parser uses it as its mark for the end.
    """
    whole = text
    text = text.partition(_END_MARK)[0]
    urn = _URN.fullmatch(text)
    if urn is not None and urn.group(2):
        return f"urn:{urn.group(1)}:{_recode(urn.group(2)[1:])}"
    match = _SCHEME.match(text)
    scheme, at = (match.group(), match.end()) if match else ("", 0)
    authority = ""
    if text.startswith("//", at):
        authority, at = _authority(text, at + 2, whole)
        authority = "//" + authority
    rest, hash_, fragment = text[at:].partition("#")
    path, question, query = rest.partition("?")
    rebuilt = scheme + authority + "/".join(_recode(segment) for segment in path.split("/"))
    if question:
        rebuilt += "?" + "&".join(_parameter(part) for part in query.split("&"))
    if hash_:
        rebuilt += "#" + _recode(fragment)
    return rebuilt


def _parameter(part: str) -> str:
    name, equals, value = part.partition("=")
    return _recode(name) + equals + _recode(value)


def _authority(text: str, start: int, whole: str) -> tuple[str, int]:
    """Re-encoded authority and where it ends; ``whole`` is the text to show in a message."""
    reading = _Authority(text, start)
    end = reading.end
    if end < len(text) and text[end] not in "/?#":
        raise LenientUriError(reading.fault(whole))
    return reading.text, end


_PIECES = 8
_LONGEST_PORT = 10
_TOO_MANY_PIECES = (
    "IPv6 has too many pieces. Must be either exactly eight hex pieces or fewer than six hex pieces with a '::'"
)


class _Authority:
    """One walk over ``user:password@host:port`` as the reference's grammar takes it, without ever going back.

    It notes what was expected at each place where a rule gave up: the reference reports those furthest to the right.
    Raises :class:`LenientUriError` for an impossible port or IPv6 address.
    """

    def __init__(self, text: str, start: int) -> None:
        self._source = text
        self._expected: list[tuple[int, str]] = []
        info, at = self._user_info(start)
        host, at = self._host(at)
        port, self.end = self._port(at)
        self.text = info + host + port

    def _expect(self, at: int, *what: str) -> None:
        self._expected += [(at, one) for one in what]

    def _user_info(self, start: int) -> tuple[str, int]:
        text = self._source
        at = _USER.match(text, start).end()  # type: ignore[union-attr]
        if text.startswith("@", at):
            return _recode(text[start:at]) + "@", at + 1
        if not text.startswith(":", at):
            self._expect(at, "[^:/?[]@]", "':'", "'@'")
            return "", start
        end = text.find("@", at)
        if end < 0:
            self._expect(len(text), "[^@]", "'@'")
            return "", start
        return f"{_recode(text[start:at])}:{_recode(text[at + 1 : end])}@", end + 1

    def _host(self, start: int) -> tuple[str, int]:
        text = self._source
        match = _IPV4.match(text, start)
        if match is not None and all(int(octet) <= 255 for octet in match.groups()):
            return ".".join(str(int(octet)) for octet in match.groups()), match.end()
        if text.startswith("[", start):
            found = self._full_ipv6(start + 1) or self._elided_ipv6(start + 1)
            if found is not None:
                pieces, end = found
                return f"[{_ipv6_text([int(piece, 16) for piece in pieces])}]", end
        match = _HOST.match(text, start)
        return match.group(), match.end()  # type: ignore[union-attr]

    def _full_ipv6(self, at: int) -> tuple[list[str], int] | None:
        pieces: list[str] = []
        while True:
            piece = self._piece(at, "_ip_v6_hex_piece")
            if not piece:
                return None
            pieces.append(piece)
            at += len(piece)
            expected = "]" if len(pieces) == _PIECES else ":"
            if not self._source.startswith(expected, at):
                self._expect(at, f"'{expected}'")
                return None
            at += 1
            if expected == "]":
                return pieces, at

    def _elided_ipv6(self, at: int) -> tuple[list[str], int] | None:
        before, at = self._pieces(at)
        if not self._source.startswith("::", at):
            self._expect(at + self._source.startswith(":", at), "':'")
            return None
        after, at = self._pieces(at + 2)
        if not self._source.startswith("]", at):
            self._expect(at, "']'")
            return None
        missing = _PIECES - len(before) - len(after)
        if missing < 2:
            raise LenientUriError(_TOO_MANY_PIECES)
        return before + ["0"] * missing + after, at + 1

    def _pieces(self, at: int) -> tuple[list[str], int]:
        """Any number of pieces between colons."""
        pieces: list[str] = []
        piece = self._piece(at, "_ip_v6_hex_pieces")
        while piece:
            pieces.append(piece)
            at += len(piece)
            if not self._source.startswith(":", at):
                self._expect(at, "':'")
                break
            piece = self._piece(at + 1, "_ip_v6_hex_piece")
            at += bool(piece)
        return pieces, at

    def _piece(self, at: int, rule: str) -> str:
        """Up to four hex digits; ``rule`` names what was expected, for the message."""
        piece = _HEX_PIECE.match(self._source, at).group()  # type: ignore[union-attr]
        if len(piece) < 4:
            self._expect(at + len(piece), "HexDigit" if piece else rule)
        return piece

    def _port(self, at: int) -> tuple[str, int]:
        digits = ""
        if self._source.startswith(":", at):
            digits = _PORT_DIGITS.match(self._source, at + 1).group()  # type: ignore[union-attr]
            if len(digits) < _LONGEST_PORT:
                self._expect(at + 1 + len(digits), "Digit" if digits else "_int")
            if digits and int(digits) > _MAX_PORT:
                raise LenientUriError(f'For input string: "{digits}"')
            if digits:
                at += 1 + len(digits)
        else:
            self._expect(at, "_port")
        self._expect(at, "_path_for_authority", "_maybe_query_string", "_fragment", "'EOI'")
        return f":{int(digits)}" if digits else "", at

    def fault(self, whole: str) -> str:
        """The parser's report: what was expected at the place furthest to the right."""
        at = max(place for place, _ in self._expected)
        expected = list(dict.fromkeys(what for place, what in self._expected if place == at))
        return _report(whole, at, expected)


def _ipv6_text(pieces: list[int]) -> str:
    """Lower-case hex; the first longest run of two or more zero pieces becomes ``::``."""
    runs = []
    at = 0
    for zero, run in groupby(pieces, key=lambda piece: piece == 0):
        length = len(list(run))
        if zero and length > 1:
            runs.append((length, -at))
        at += length
    texts = [f"{piece:x}" for piece in pieces]
    if not runs:
        return ":".join(texts)
    length, place = max(runs)
    return ":".join(texts[:-place]) + "::" + ":".join(texts[-place + length :])


def _recode(part: str) -> str:
    if not part:
        return part
    return "".join([_ENCODED[byte] for byte in decode_utf8(_percent_decode(part)).encode("utf-8", "replace")])


def _percent_decode(part: str) -> bytes:
    out = bytearray()
    at = 0
    while at < len(part):
        char = part[at]
        if char == "%" and (byte := _hex_byte(part[at + 1 : at + 3])) is not None:
            out.append(byte)
            at += 3
            continue
        out += b"??" if char > "\uffff" else char.encode("utf-8", "replace")
        at += 1
    return bytes(out)


def _hex_byte(pair: str) -> int | None:
    """``Integer.parseInt(pair, 16)`` as a byte: a sign and digits of any script are read."""
    if len(pair) < 2:
        return None
    digits = [hex_digit(char) for char in (pair[1:] if pair[0] in "+-" else pair)]
    if -1 in digits:
        return None
    value = digits[0] << 4 | digits[1] if len(digits) == 2 else digits[0]
    return -value & 0xFF if pair[0] == "-" else value


def _report(text: str, at: int, expected: list[str]) -> str:
    """Columns count UTF-16 units."""
    units = to_units(text)
    at = len(to_units(text[:at]))
    found = f"Invalid input '{_visible(units[at])}'" if at < len(units) else "Unexpected end of input"
    *first, last = expected
    wanted = f"{', '.join(first)} or {last}" if first else last
    line_start = units.rfind("\n", 0, at) + 1
    line_end = units.find("\n", at)
    line = from_units(units[line_start : line_end if line_end >= 0 else len(units)])
    number = units.count("\n", 0, at) + 1
    column = at - line_start + 1
    where = f"(line {number}, column {column}):\n{line}\n{' ' * (column - 1)}^"
    return f"Invalid URL could not be parsed. {found}, expected {wanted} {where}"


def _visible(unit: str) -> str:
    if unit in _NAMED:
        return _NAMED[unit]
    return f"\\u{ord(unit):04x}" if unit < " " or "\x7f" <= unit <= "\x9f" else unit
