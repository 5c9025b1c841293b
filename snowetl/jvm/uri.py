"""``java.net.URI`` as a strict parser: same acceptance, same parts, same error texts (JDK 11-17)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NoReturn

_ALNUM: Final = "A-Za-z0-9"
_UNRESERVED: Final = _ALNUM + r"\-_.!~*'()"
_OTHER: Final = r"[^\x00-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_ESCAPE: Final = "%[0-9A-Fa-f]{2}"


def _run(chars: str, escapes: bool = True) -> re.Pattern[str]:
    """Longest run of allowed characters; with ``escapes`` also ``%HH`` and visible non-ASCII characters."""
    if escapes:
        return re.compile(f"(?:[{chars}]+|{_OTHER}+|{_ESCAPE})*+")
    return re.compile(f"[{chars}]*+")


_SCHEME: Final = _run(_ALNUM + "+.\\-", escapes=False)
_ALPHA: Final = re.compile("[A-Za-z]")
_PATH: Final = _run(_UNRESERVED + ":@&=+$,;/")
_URIC: Final = _run(_UNRESERVED + r";/?:@&=+$,\[\]")
_REG_NAME: Final = _run(_UNRESERVED + "$,;:@&=+")
_USERINFO: Final = _run(_UNRESERVED + ";:&=+$,")
_SERVER: Final = _run(_UNRESERVED + r";:&=+$,@\[\]")
_SERVER_PERCENT: Final = _run(_UNRESERVED + r";:&=+$,@\[\]%")
_DIGITS: Final = _run("0-9", escapes=False)
_SCOPE: Final = _run(_ALNUM + "_.", escapes=False)
_LABEL: Final = re.compile(f"[{_ALNUM}]+([{_ALNUM}\\-]*)")
_HEX: Final = re.compile("[0-9A-Fa-f]*")
_DIGITS_AND_DOTS: Final = re.compile("[0-9.]*")
_MAX_INT: Final = 2**31 - 1


class JavaUriError(ValueError):
    """Not a URI; the message is Java's ``REASON at index N: TEXT`` (N in UTF-16 units)."""


class Parts(NamedTuple):
    scheme: str | None
    host: str | None
    port: int
    path: str | None
    query: str | None
    fragment: str | None


_INNER_LABEL: Final = f"[{_ALNUM}](?:[{_ALNUM}-]*[{_ALNUM}])?"
_LAST_LABEL: Final = f"[A-Za-z](?:[{_ALNUM}-]*[{_ALNUM}])?"
_WEB_ADDRESS: Final = re.compile(
    rf"(https?)://((?:{_INNER_LABEL}\.)*{_LAST_LABEL})((?:/{_PATH.pattern})?)"
    rf"(?:\?({_URIC.pattern}))?(?:#({_URIC.pattern}))?"
)


def parse(text: str) -> Parts:
    """Split ``text`` into its raw parts. Opaque URIs have no path; registry-based authorities have no host.

    Raises :class:`JavaUriError`.
    """
    usual = _WEB_ADDRESS.fullmatch(text)
    if usual is not None:
        scheme, host, path, query, fragment = usual.groups()
        return Parts(scheme, host, -1, path, query, fragment)
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.end = len(text)
        self.host: str | None = None
        self.port = -1
        self.ipv6_bytes = 0

    def fail(self, reason: str, position: int) -> NoReturn:
        astral = sum(char > "\uffff" for char in self.text[:position])
        raise JavaUriError(f"{reason} at index {position + astral}: {self.text}")

    def check(self, pattern: re.Pattern[str], start: int, end: int, what: str) -> None:
        stop = self.scan(pattern, start, end)
        if stop < end:
            self.fail(f"Illegal character in {what}", stop)

    def scan(self, pattern: re.Pattern[str], start: int, end: int) -> int:
        """End of the allowed run; a broken escape fails at once when the class of characters knows escapes."""
        stop = pattern.match(self.text, start, end).end()  # type: ignore[union-attr]
        if stop < end and self.text[stop] == "%" and "%[" in pattern.pattern:
            self.fail("Malformed escape pair", stop)
        return stop

    def find(self, chars: str, start: int, end: int) -> int:
        """First position of any of ``chars``, else ``end``."""
        positions = [p for char in chars if (p := self.text.find(char, start, end)) >= 0]
        return min(positions, default=end)

    def parse(self) -> Parts:
        text, end = self.text, self.end
        scheme = path = query = fragment = None
        colon = text.find(":")
        at = 0
        if colon >= 0 and self.find("/?#", 0, end) > colon:
            if colon == 0:
                self.fail("Expected scheme name", 0)
            if not _ALPHA.match(text):
                self.fail("Illegal character in scheme name", 0)
            self.check(_SCHEME, 1, colon, "scheme name")
            scheme = text[:colon]
            at = colon + 1
        if scheme is not None and not text.startswith("/", at):
            stop = self.find("#", at, end)
            if stop <= at:
                self.fail("Expected scheme-specific part", at)
            self.check(_URIC, at, stop, "opaque part")
            at = stop
        else:
            at, path, query = self.hierarchical(at)
        if at < end:
            self.check(_URIC, at + 1, end, "fragment")
            fragment = text[at + 1 :]
        return Parts(scheme, self.host, self.port, path, query, fragment)

    def hierarchical(self, at: int) -> tuple[int, str, str | None]:
        text, end = self.text, self.end
        if text.startswith("//", at):
            at += 2
            stop = self.find("/?#", at, end)
            if stop > at:
                self.authority(at, stop)
            elif stop >= end:
                self.fail("Expected authority", at)
            at = stop
        stop = self.find("?#", at, end)
        self.check(_PATH, at, stop, "path")
        path, query = text[at:stop], None
        if text.startswith("?", stop):
            at = stop + 1
            stop = self.find("#", at, end)
            self.check(_URIC, at, stop, "query")
            query = text[at:stop]
        return stop, path, query

    def authority(self, start: int, end: int) -> None:
        literal = self.find("]", start, end) > start  # also where there is none: Java finds the end then
        server_chars = self.scan(_SERVER_PERCENT if literal else _SERVER, start, end) == end
        registry_chars = self.scan(_REG_NAME, start, end) == end
        if registry_chars and not server_chars:
            return
        fault: JavaUriError | None = None
        if server_chars:
            try:
                self.server(start, end)
                return
            except JavaUriError as error:
                self.host, self.port = None, -1
                fault = error
        if registry_chars:
            return
        if fault is not None:
            raise fault
        self.fail("Illegal character in authority", start)

    def server(self, start: int, end: int) -> None:
        text = self.text
        at = text.find("@", start, end)
        if at >= 0:
            self.check(_USERINFO, start, at, "user info")
            start = at + 1
        if text.startswith("[", start) and start < end:
            start = self.ipv6(start, end)
        else:
            stop = self.ipv4(start, end)
            start = stop if stop > start else self.hostname(start, end)
        if start < end and text[start] == ":":
            start += 1
            stop = self.find("/", start, end)
            if stop > start:
                self.check(_DIGITS, start, stop, "port number")
                port = _number(text[start:stop])
                if port > _MAX_INT:
                    self.fail("Malformed port number", start)
                self.port = port
                start = stop
        if start < end:
            self.fail("Expected port number", start)

    def ipv4(self, start: int, end: int) -> int:
        stop = _DIGITS_AND_DOTS.match(self.text, start, end).end()  # type: ignore[union-attr]
        try:
            if self.octets_fault(start, stop) is not None or (stop < end and self.text[stop] != ":"):
                return -1
        except JavaUriError:
            return -1
        self.host = self.text[start:stop]
        return stop

    def octets_fault(self, start: int, end: int) -> int | None:
        """Where four octets break off or go on too long. Any number of zeros may lead; past 32 bits it is an error."""
        at = start
        for more in (True, True, True, False):
            stop = _DIGITS.match(self.text, at, end).end()  # type: ignore[union-attr]
            digits = self.text[at:stop]
            if _number(digits) > _MAX_INT:
                raise JavaUriError(f'Error at index {_overflow(digits)} in: "{digits}"')
            if not digits or _number(digits) > 255:
                return at
            at = stop
            if more:
                if not self.text.startswith(".", at, end):
                    return at
                at += 1
        return at if at < end else None

    def hostname(self, start: int, end: int) -> int:
        text, at, last_label = self.text, start, -1
        while at < end:
            match = _LABEL.match(text, at, end)
            if match is None:
                break
            last_label, at = at, match.end()
            if text[at - 1] == "-":
                self.fail("Illegal character in hostname", at - 1)
            if not text.startswith(".", at) or at >= end:
                break
            at += 1
        if at < end and text[at] != ":":
            self.fail("Illegal character in hostname", at)
        if last_label < 0:
            self.fail("Expected hostname", start)
        if last_label > start and not _ALPHA.match(text, last_label):
            self.fail("Illegal character in hostname", last_label)
        self.host = text[start:at]
        return at

    def ipv6(self, start: int, end: int) -> int:
        close = self.text.find("]", start + 1, end)
        if close < 0:
            self.fail("Expected closing bracket for IPv6 address", end)
        if close == start + 1:
            self.fail("Expected closing bracket for IPv6 address", start + 1)
        scope = self.text.find("%", start + 1, close)
        stop = scope if scope > start + 1 else close
        self.ipv6_address(start + 1, stop)
        if stop < close:
            if stop + 1 == close:
                raise JavaUriError(f"scope id expected: {self.text}")
            self.check(_SCOPE, stop + 1, close, "scope id")
        self.host = self.text[start : close + 1]
        return close + 1

    def ipv6_address(self, start: int, end: int) -> None:
        """Java's own walk over an IPv6 reference; it decides which of several faults is reported."""
        self.ipv6_bytes = 0
        compressed = False
        at = start
        stop = self.hex_sequence(at, end)
        if stop > at:
            at = stop
            if self.text.startswith("::", at) and at + 1 < end:
                compressed = True
                at = self.after_compression(at + 2, end)
            elif at < end and self.text[at] == ":":
                at = self.embedded_ipv4(at + 1, end, "IPv4 address")
        elif self.text.startswith("::", at) and at + 1 < end:
            compressed = True
            at = self.after_compression(at + 2, end)
        if at < end:
            self.fail("Malformed IPv6 address", start)
        if self.ipv6_bytes > 16:
            self.fail("IPv6 address too long", start)
        if not compressed and self.ipv6_bytes < 16:
            self.fail("IPv6 address too short", start)
        if compressed and self.ipv6_bytes == 16:
            self.fail("Malformed IPv6 address", start)

    def after_compression(self, start: int, end: int) -> int:
        if start == end:
            return start
        at = self.hex_sequence(start, end)
        if at <= start:
            return self.embedded_ipv4(start, end, "hex digits or IPv4 address")
        if at < end and self.text[at] == ":":
            return self.embedded_ipv4(at + 1, end, "hex digits or IPv4 address")
        return at

    def hex_sequence(self, start: int, end: int) -> int:
        """End of ``hex4 *(":" hex4)``, or -1; stops before ``::`` and before an IPv4 address."""
        text, at = self.text, start
        stop = _HEX.match(text, at, end).end()  # type: ignore[union-attr]
        if stop <= at or (stop < end and text[stop] == "."):
            return -1
        self.hex_group(at, stop)
        at = stop
        while at < end and text[at] == ":" and not (text.startswith("::", at) and at + 1 < end):
            stop = _HEX.match(text, at + 1, end).end()  # type: ignore[union-attr]
            if stop <= at + 1:
                self.fail("Expected digits for an IPv6 address", at + 1)
            if stop < end and text[stop] == ".":
                break
            self.hex_group(at + 1, stop)
            at = stop
        return at

    def hex_group(self, start: int, end: int) -> None:
        if end > start + 4:
            self.fail("IPv6 hexadecimal digit sequence too long", start)
        self.ipv6_bytes += 2

    def embedded_ipv4(self, start: int, end: int, expected: str) -> int:
        stop = _DIGITS_AND_DOTS.match(self.text, start, end).end()  # type: ignore[union-attr]
        if stop <= start or stop != end:
            self.fail(f"Expected {expected}", start)
        fault = self.octets_fault(start, end)
        if fault is not None:
            self.fail("Malformed IPv4 address", fault)
        self.ipv6_bytes += 4
        return end


def _number(digits: str) -> int:
    """The number of ASCII digits, read no further than tells that it is more than 32 bits hold."""
    return int(digits.lstrip("0")[:11] or "0")


def _overflow(digits: str) -> int:
    """The place of the digit with which a number passes 32 bits."""
    zeros = len(digits) - len(digits.lstrip("0"))
    return zeros + (9 if int(digits[zeros : zeros + 10]) > _MAX_INT else 10)
