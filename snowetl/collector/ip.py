"""The client's address behind proxies (enrich 3.9.0 ``IpAddressExtractor``)."""

from __future__ import annotations

import re
from typing import Final

# Text after the address is dropped, but must hold no line terminator: the reference matches the whole text with ``.``.
_ADDRESS: Final = r'"?\[?([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|[0-9a-f.:]++)[^\n\r\x85\u2028\u2029]*+\Z'
_COLUMN: Final = re.compile(_ADDRESS)
_X_FORWARDED_FOR: Final = re.compile("x-forwarded-for: " + _ADDRESS)
_FORWARDED: Final = re.compile("forwarded: for=" + _ADDRESS)


def from_headers(headers: list[str], fallback: str | None) -> str | None:
    """Address of the first usable ``X-Forwarded-For`` header; else of the last header, if that is ``Forwarded``.

    Headers are lower-cased as a whole, so addresses come out in lower case. ``fallback`` is returned as it is.
    """
    for header in headers:
        if header[1:2] == "-" and header[:1] in "xX":
            match = _X_FORWARDED_FOR.match(header.lower())
            if match is not None:
                return match.group(1)
    if headers and headers[-1][:1] in "fF":
        match = _FORWARDED.match(headers[-1].lower())
        if match is not None:
            return match.group(1)
    return fallback


def from_column(forwarded_for: str, fallback: str) -> str:
    """First address of a log's x-forwarded-for column; unlike in headers, upper-case hex digits end it."""
    match = _COLUMN.match(forwarded_for)
    return fallback if match is None else match.group(1)
