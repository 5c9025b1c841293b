"""The formats the reference enforces: one row each, with how it words a fault. All other names are ignored."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from snowetl.iglu.validation import patterns
from snowetl.jvm import moments
from snowetl.jvm.email import is_email
from snowetl.jvm.strings import trim
from snowetl.jvm.uuid import is_uuid

Test = Callable[[str], bool]


class Format(NamedTuple):
    """``test`` tells whether a text fits; ``keyword`` and ``targets`` (made of the text) go into the report."""

    make_test: Callable[[], Test]
    """Patterns are compiled for the first schema that asks: all of them would take a tenth of a worker's start."""
    keyword: str
    targets: Callable[[str], tuple[str, str]]

    @property
    def test(self) -> Test:
        return self.make_test()


_OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
_IPV4_TAIL = f"({_OCTET}(\\.{_OCTET}){{3}})"
_HEX = "[0-9A-Fa-f]{1,4}"


def _ipv6_pattern() -> str:
    """The reference prints its pattern in reports: one alternative per number of leading groups, from seven to none."""
    alternatives = [
        f"(({_HEX}:){{7}}({_HEX}|:))",
        f"(({_HEX}:){{6}}(:{_HEX}|{_IPV4_TAIL}|:))",
        f"(({_HEX}:){{5}}(((:{_HEX}){{1,2}})|:{_IPV4_TAIL}|:))",
        f"(({_HEX}:){{4}}(((:{_HEX}){{1,3}})|((:{_HEX})?:{_IPV4_TAIL})|:))",
    ]
    alternatives += [
        f"(({_HEX}:){{{n}}}(((:{_HEX}){{1,{7 - n}}})|((:{_HEX}){{0,{5 - n}}}:{_IPV4_TAIL})|:))" for n in (3, 2, 1)
    ]
    alternatives.append(f"(:(((:{_HEX}){{1,7}})|((:{_HEX}){{0,5}}:{_IPV4_TAIL})|:))")
    return f"^\\s*({'|'.join(alternatives)})(%.+)?\\s*$"


_BYTE = "([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
_LOOSE_BYTE = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
_LABEL = "([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])"
_PERCENT = "(\\d?\\d%|100%)+"
_NAMES = "aqua black blue fuchsia gray green lime maroon navy olive orange purple red silver teal white yellow"
_PCHAR = "A-Za-z0-9._~\\-%!$&'()*+,;=:@\\/"
_URI = (
    "^[A-Za-z][A-Za-z0-9+.-]*:(\\/\\/([A-Za-z0-9._~\\-%!$&'()*+,;=:]*@)?[A-Za-z0-9._~\\-!$&'()*+,;=%:\\[\\]]*(:[0-9]*)?)?"
    f"[{_PCHAR}]*([?][{_PCHAR}?]*)?([#][{_PCHAR}?]*)?"
)
_PATTERNS = {
    "time": "^\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?$",
    "ip-address": f"^(?:{_LOOSE_BYTE}\\.){{3}}{_LOOSE_BYTE}$",
    "ipv4": f"^({_BYTE}\\.){{3}}{_BYTE}$",
    "ipv6": _ipv6_pattern(),
    "uri": _URI,
    "color": "(#?([0-9A-Fa-f]{3,6})\\b)|"
    + "|".join(f"({name})" for name in _NAMES.split())
    + "|(rgb\\(\\s*\\b"
    + "\\b\\s*,\\s*\\b".join([_BYTE] * 3)
    + "\\b\\s*\\))|(rgb\\(\\s*"
    + "\\s*,\\s*".join([_PERCENT] * 3)
    + "\\s*\\))",
    "hostname": f"^{_LABEL}(\\.{_LABEL})*$",
    "alpha": "^[a-zA-Z]+$",
    "alphanumeric": "^[a-zA-Z0-9]+$",
    "phone": "^\\+(?:[0-9] ?){6,14}[0-9]$",
    "utc-millisec": "^[0-9]+(\\.?[0-9]+)?$",
    "style": "\\s*(.+?):\\s*([^;]+);?",
}
"""Whole texts must match. The reports quote these, so they are the reference's to the letter."""

# The same languages without backtracking: every part takes all it can and never gives back.
_IS_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*+:(?://(?:[A-Za-z0-9._~\-%!$&'()*+,;=:]*+@)?+[A-Za-z0-9._~\-!$&'()*+,;=%:\[\]]*+)?+"
    r"[A-Za-z0-9._~\-%!$&'()*+,;=:@/]*+(?:\?[A-Za-z0-9._~\-%!$&'()*+,;=:@/?]*+)?+(?:#[A-Za-z0-9._~\-%!$&'()*+,;=:@/?]*+)?+"
).fullmatch
_IS_HOSTNAME = re.compile(
    r"[a-zA-Z0-9](?>[a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])?(?>\.[a-zA-Z0-9](?>[a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])?)*+"
).fullmatch


def is_ipv6(text: str) -> bool:
    """No blanks around, no zone."""
    return "%" not in text and trim(text) == text and patterns.full_match(_PATTERNS["ipv6"])(text)


_TESTS: dict[str, Test] = {
    "uri": _IS_URI,  # type: ignore[dict-item]
    "hostname": _IS_HOSTNAME,  # type: ignore[dict-item]
    "ipv6": is_ipv6,
}


def _pattern_format(name: str) -> Format:
    pattern = _PATTERNS[name]
    return Format(lambda: _TESTS.get(name) or patterns.full_match(pattern), "format", lambda _: (name, pattern))


FORMATS: dict[str, Format] = {name: _pattern_format(name) for name in _PATTERNS} | {
    "date-time": Format(lambda: moments.is_date_time, "dateTime", lambda text: (text, "date-time")),
    "date": Format(lambda: moments.is_date, "dateTime", lambda text: (text, "date")),
    "uuid": Format(lambda: is_uuid, "uuid", lambda text: (text, "uuid")),
    "email": Format(lambda: is_email, "format", lambda text: (text, "email")),
}
