"""Access logs of AWS load balancers (application and classic) before a collector: GET requests as payloads.

The log has the request line, not the body: POST requests are bad rows. The address is that of the client of the load
balancer, so of a proxy where one is before it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from snowetl.collector.loader import CACHED_LENGTH, UTF_8, Loaded, Loader, as_line, parse_querystring, to_option
from snowetl.collector.path import parse_path
from snowetl.collector.timestamp import parse_timestamp
from snowetl.jvm.joda import DateError, parse_datetime
from snowetl.jvm.strings import decode_utf8
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.payload import CollectorPayload

_APPLICATION, _CLASSIC = 12, 11
"""Columns before the request line; a classic load balancer's log has no type of the connection."""

_RECEIVED = re.compile(r' \S+ \S+ \S+ "[^"]*" "[^"]*" "[^"]*" \S+ (\S+)')
"""Behind the user agent: cipher, protocol, target group, trace, domain, certificate, rule, time of the request."""

_REQUEST = re.compile(r"(\S+) (.*) (\S+)", re.DOTALL)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)([^?#]*)(?:\?([^#]*))?", re.DOTALL)
_PORT = re.compile(r":[0-9]*\Z")
_UNKNOWN_ROW = badrow.simple_error("does not match the row format of load balancers")
_NO_REQUEST = badrow.simple_error("the load balancer could not read the request")


class _Row(NamedTuple):
    """The columns that are read: two times, the client with its port, request line, user agent."""

    time: str
    received: str | None
    client: str
    request: str
    useragent: str


class AlbLoader(Loader):
    """Columns are separated by blanks; the request line and some others stand in quotes."""

    name = "alb"

    def load(self, record: bytes | str) -> Loaded:
        line = as_line(record)
        if not line:
            return None
        row = _parse(line)
        loaded = [_UNKNOWN_ROW] if row is None else _load(row)
        return self.violations(line, *loaded) if isinstance(loaded, list) else loaded

    def decode_useragent(self, text: str) -> str:
        return _unescape(text) if len(text) <= CACHED_LENGTH else _unescaped(text)


def _parse(line: str) -> _Row | None:
    head, quote, rest = line.partition(' "')
    columns = head.split(" ")
    if not quote or len(columns) not in (_APPLICATION, _CLASSIC):
        return None
    request, quote, rest = rest.partition('" "')
    useragent, end, rest = rest.partition('"')
    if not quote or not end:
        return None
    if len(columns) == _CLASSIC:
        return _Row(columns[0], None, columns[2], request, useragent)
    received = _RECEIVED.match(rest)
    return _Row(columns[1], received and to_option(received.group(1)), columns[3], request, useragent)


def _load(row: _Row) -> CollectorPayload | list[Message]:
    timestamp: Any = _timestamp(row.received or row.time)
    request = _REQUEST.fullmatch(row.request)
    url = request and _URL.fullmatch(request.group(2))
    if request is None or url is None:
        return [_NO_REQUEST]
    method = request.group(1).upper()
    if method != "GET":
        return [badrow.payload_field("verb", method, "operation must be GET")]
    host, path, query = url.groups()
    pairs: Any = parse_querystring(query, UTF_8)
    api: Any = parse_path(path)
    if type(timestamp) is dict or type(pairs) is dict or type(api) is dict:
        return [found for found in (timestamp, pairs, api) if type(found) is dict]
    return CollectorPayload(
        vendor=api[0],
        version=api[1],
        querystring=pairs,
        content_type=None,
        body=None,
        collector="alb",
        encoding=UTF_8,
        hostname=_PORT.sub("", host) or None,
        timestamp=timestamp,
        ip_address=_address(row.client),
        useragent=to_option(row.useragent),
        referer_uri=None,
    )


_USUAL_TIME = re.compile(r"(.{10})T([0-9:]{8})\.([0-9]{3})[0-9]{0,6}Z")


def _timestamp(text: str) -> int | Message:
    """Epoch milliseconds of a date-time such as ``2026-03-02T08:00:00.123456Z``."""
    usual = _USUAL_TIME.fullmatch(text)
    if usual is not None:
        seconds = parse_timestamp(usual.group(1), usual.group(2))
        if isinstance(seconds, int):
            return seconds + int(usual.group(3))
    try:
        return parse_datetime(text)
    except DateError as error:
        return badrow.payload_field("dateTime", text, f"could not convert timestamp: {error}")


def _address(client: str) -> str | None:
    """The address of ``198.18.0.7:1234``, ``[2001:db8::7]:1234`` or ``-``."""
    address = client[1:].partition("]")[0] if client.startswith("[") else client.rpartition(":")[0] or client
    return to_option(address)


_ESCAPES = re.compile(r"(?:\\x[0-9a-fA-F]{2})+")


def _unescaped(text: str) -> str:
    r"""``\x22`` as the byte it stands for: quotes and bytes beyond ASCII are written so."""
    return _ESCAPES.sub(lambda match: decode_utf8(bytes.fromhex(match.group().replace("\\x", ""))), text)


_unescape = lru_cache(maxsize=8192)(_unescaped)
