"""A request that CloudFront logged, by the names of its fields, as a payload.

Standard logging v2 and real-time logs let users choose fields, so a place says nothing there. Names come in several
spellings, ``cs(User-Agent)`` in standard logs, ``cs-user-agent`` in real-time logs, ``cs_user_agent`` in Parquet; all
are the same field. Values are those of the older logs, and are read by the same rules (:mod:`.cloudfront`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from snowetl.caching import Memo
from snowetl.collector import ip
from snowetl.collector.loader import CACHED_LENGTH, UTF_8, parse_querystring, to_option
from snowetl.collector.path import parse_path
from snowetl.collector.timestamp import parse_timestamp
from snowetl.errors import ConfigError
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.payload import CollectorPayload
from snowetl.model.text import percent_decode, single_encode_percents

COLLECTOR = "cloudfront"


class Request(NamedTuple):
    """The fields a payload is made of; ``None`` for one that was not logged. ``-`` is an empty value."""

    date: str | None = None
    time: str | None = None
    timestamp_ms: str | None = None
    timestamp: str | None = None
    c_ip: str | None = None
    cs_method: str | None = None
    cs_uri_stem: str | None = None
    cs_uri_query: str | None = None
    cs_referer: str | None = None
    cs_user_agent: str | None = None
    x_forwarded_for: str | None = None


_SPECIAL = re.compile("[^0-9a-z]+")


def _place(name: str) -> int | None:
    """The place in a :class:`Request` of the field that a log calls ``name``; ``None`` for one that nothing reads."""
    canonical = _SPECIAL.sub("_", name.lower()).strip("_")
    return Request._fields.index(canonical) if canonical in Request._fields else None


PLACES = Memo(_place, 1024, 64)


class Columns:
    """Where the fields of a request stand in a row whose columns have these names. Of equal names the first counts."""

    def __init__(self, names: Sequence[str]) -> None:
        self.count = len(names)
        self._of_fields = [-1] * len(Request._fields)
        for column, name in reversed(list(enumerate(names))):
            place = PLACES[name]
            if place is not None:
                self._of_fields[place] = column

    def request(self, row: list[str]) -> Request:
        """The request of a row of at least as many columns as there are names."""
        values: list[str | None] = [*row, None]
        return Request(*[values[column] for column in self._of_fields])


def columns_of(names: Iterable[str], given: str) -> Columns:
    """The columns a user named, as in ``given``. Raises :class:`ConfigError` where no request can be made of them."""
    wanted = [name.strip() for name in names]
    found = {Request._fields[place] for place in map(_place, wanted) if place is not None}
    missing = [] if "cs_uri_stem" in found else ["cs-uri-stem"]
    if not found & {"timestamp", "timestamp_ms"} and not found >= {"date", "time"}:
        missing.append("timestamp (or date and time)")
    if missing or not all(wanted):
        problem = f"no field {' and none '.join(missing)}" if missing else "an empty name"
        raise ConfigError(f"[{given}] names {problem}. Name all fields of the log, in its order, separated by commas")
    return Columns(wanted)


def payload_of(request: Request) -> CollectorPayload | list[Message]:
    """The payload of a request for the pixel, or all that is wrong with it."""
    method = to_option(request.cs_method or "")
    if method is not None and method.upper() != "GET":
        return [badrow.payload_field("verb", method.upper(), "operation must be GET")]
    path, asked, in_path = (request.cs_uri_stem or "").partition("?")  # real-time logs have the query here, too
    query = request.cs_uri_query if request.cs_uri_query is not None or not asked else in_path
    timestamp: Any = _timestamp(request)
    pairs: Any = parse_querystring(to_option(single_encode_percents(query or "")), UTF_8)
    api: Any = _NO_PATH if request.cs_uri_stem is None else parse_path(path)
    if type(timestamp) is dict or type(pairs) is dict or type(api) is dict:
        return [found for found in (timestamp, pairs, api) if type(found) is dict]
    referer = to_option(single_encode_percents(request.cs_referer or ""))
    return CollectorPayload(
        vendor=api[0],
        version=api[1],
        querystring=pairs,
        content_type=None,
        body=None,
        collector=COLLECTOR,
        encoding=UTF_8,
        hostname=None,
        timestamp=timestamp,
        ip_address=to_option(ip.from_column(request.x_forwarded_for or "-", request.c_ip or "-")),
        useragent=to_option(single_encode_percents(request.cs_user_agent or "")),
        referer_uri=None if referer is None else referer.removesuffix("%"),
    )


def decode_useragent(text: str) -> str:
    """The user agent of a log as its sender spelt it."""
    return _percent_decode(text) if len(text) <= CACHED_LENGTH else percent_decode(text)


_percent_decode = lru_cache(maxsize=8192)(percent_decode)

_NO_PATH = badrow.payload_field("path", None, "request does not contain a path")
_NO_TIME = badrow.payload_field(
    "dateTime", None, "could not convert timestamp: the log has neither date and time nor a timestamp"
)
_MILLIS = re.compile(r"[0-9]{1,15}")
_SECONDS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?")
_END_OF_TIME = 253_402_300_800_000  # the year 10000


def _timestamp(request: Request) -> int | Message:
    """Epoch milliseconds from the most precise field there is."""
    for text, parse in ((request.timestamp_ms, _millis), (request.timestamp, _seconds)):
        if text is not None and text not in ("", "-"):
            millis = parse(text)
            if millis is None or millis >= _END_OF_TIME:
                reason = "could not convert timestamp: not a time since 1970"
                return badrow.payload_field("dateTime", text, reason)
            return millis
    if request.date is None or request.time is None:
        return _NO_TIME
    return parse_timestamp(request.date, request.time)


def _millis(text: str) -> int | None:
    return int(text) if _MILLIS.fullmatch(text) else None


def _seconds(text: str) -> int | None:
    """Milliseconds of seconds such as ``1772438400.123``."""
    match = _SECONDS.fullmatch(text)
    if match is None:
        return None
    seconds, fraction = match.groups()
    return int(seconds) * 1000 + int(((fraction or "") + "000")[:3])
