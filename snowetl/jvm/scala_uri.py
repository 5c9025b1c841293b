"""The second attempt at a URI: split, percent-decode and re-encode every part (scala-uri 1.5.1)."""

from __future__ import annotations

import ipaddress
import re

from snowetl.jvm.text import decode_utf8

_URN = re.compile(
    r"urn:([A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9]))((?::[A-Za-z0-9\-._~%!$&'()*+,;=:@][A-Za-z0-9\-._~%!$&'()*+,;=:@/]*)?)"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_USERINFO = re.compile(r"([^:/?\[\]@]*)(?::([^@]*))?@")
_IPV4 = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?=[:/?#]|\Z)", re.ASCII)
_IPV6 = re.compile(r"\[([0-9A-Fa-f:]+)\]")
_HOST = re.compile(r"[^:/?#]*")
_PORT = re.compile(r":(\d{1,10})", re.ASCII)
_HEX_BYTE = re.compile(r"[0-9A-Fa-f]{2}|[+\-][0-9A-Fa-f]")
_MAX_PORT = 2**31 - 1

_RESERVED = ":/?#[]@!$&'()*,;=%<>{}^`|\\\" "
_ENCODED = [f"%{byte:02X}" if byte < 32 or byte > 126 or chr(byte) in _RESERVED else chr(byte) for byte in range(256)]


class LenientUriError(ValueError):
    """Even the lenient parser gave up; the message is what the reference reports."""


def rebuild(text: str) -> str:
    """The URI text with every part re-encoded. Raises :class:`LenientUriError`."""
    urn = _URN.fullmatch(text)
    if urn is not None and urn.group(2):
        return f"urn:{urn.group(1)}:{_recode(urn.group(2)[1:])}"
    match = _SCHEME.match(text)
    scheme, at = (match.group(), match.end()) if match else ("", 0)
    authority = ""
    if text.startswith("//", at):
        authority, at = _authority(text, at + 2)
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


def _authority(text: str, start: int) -> tuple[str, int]:
    """Re-encoded authority and where it ends; a reading without user info is tried where one with it fails."""
    match = _USERINFO.match(text, start)
    if match is not None:
        user, password = match.groups()
        info = _recode(user) + ("" if password is None else ":" + _recode(password)) + "@"
        found = _host_and_port(text, match.end())
        if found is not None:
            return info + found[0], found[1]
    found = _host_and_port(text, start)
    if found is None:
        raise LenientUriError(_parse_fault(text, start))
    return found


def _host_and_port(text: str, start: int) -> tuple[str, int] | None:
    host, at = _host(text, start)
    match = _PORT.match(text, at)
    if match is not None:
        if int(match.group(1)) > _MAX_PORT:
            raise LenientUriError(f'For input string: "{match.group(1)}"')
        host, at = f"{host}:{int(match.group(1))}", match.end()
    if at < len(text) and text[at] not in "/?#":
        return None
    return host, at


def _host(text: str, start: int) -> tuple[str, int]:
    match = _IPV4.match(text, start)
    if match is not None and all(int(octet) <= 255 for octet in match.groups()):
        return ".".join(str(int(octet)) for octet in match.groups()), match.end()
    match = _IPV6.match(text, start)
    if match is not None:
        try:
            return f"[{ipaddress.IPv6Address(match.group(1)).compressed}]", match.end()
        except ValueError:
            pass
    match = _HOST.match(text, start)
    return match.group(), match.end()  # type: ignore[union-attr]


def _recode(part: str) -> str:
    if not part:
        return part
    return "".join([_ENCODED[byte] for byte in decode_utf8(_percent_decode(part)).encode("utf-8", "replace")])


def _percent_decode(part: str) -> bytes:
    out = bytearray()
    at = 0
    while at < len(part):
        char = part[at]
        if char == "%" and _HEX_BYTE.fullmatch(part, at + 1, at + 3):
            out.append(int(part[at + 1 : at + 3], 16) & 0xFF)
            at += 3
            continue
        out += b"??" if char > "\uffff" else char.encode("utf-8", "replace")
        at += 1
    return bytes(out)


_BEFORE_PASSWORD = re.compile(r"[^:/?\[\]@]*:")
_AFTER_HOST = "_port, _path_for_authority, _maybe_query_string, _fragment or 'EOI'"


def _parse_fault(text: str, start: int) -> str:
    """The parser's report: of all readings of an authority that failed, the one that got furthest speaks."""
    faults: list[tuple[int, str]] = []
    if _BEFORE_PASSWORD.match(text, start):  # the text might have been a password, if only an @ had come
        faults.append((len(text), "[^@] or '@'"))
    bracket = _IPV6.match(text, start)
    if bracket is not None:
        faults.append((bracket.end(), _AFTER_HOST))
    elif text.startswith("[", start):
        at = start + 1
        while at < len(text) and text[at] in "0123456789abcdefABCDEF:":
            at += 1
        faults.append((at, "_ip_v6_hex_pieces or ']'" if text.endswith("::", start, at) else "HexDigit, ':' or ']'"))
    host_end = _HOST.match(text, start).end()  # type: ignore[union-attr]
    port = _PORT.match(text, host_end)
    faults.append((port.end(), _AFTER_HOST) if port else (host_end + 1, "_int"))
    position, expected = max(faults, key=lambda fault: fault[0])
    found = "Unexpected end of input" if position >= len(text) else f"Invalid input '{text[position]}'"
    return _report(f"{found}, expected {expected}", text, position)


def _report(what: str, text: str, position: int) -> str:
    line_start = text.rfind("\n", 0, position) + 1
    line_end = text.find("\n", position)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    number = text.count("\n", 0, position) + 1
    column = position - line_start + 1
    return f"Invalid URL could not be parsed. {what} (line {number}, column {column}):\n{line}\n{' ' * (column - 1)}^"
