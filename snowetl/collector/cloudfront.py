"""CloudFront access logs of every era (enrich 3.9.0 ``CloudfrontLoader``)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from snowetl.collector import ip
from snowetl.collector.loader import (
    CACHED_LENGTH,
    UTF_8,
    Loaded,
    Loader,
    as_line,
    parse_querystring,
    split_tokens,
    to_option,
)
from snowetl.collector.path import parse_path
from snowetl.collector.timestamp import parse_timestamp
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.payload import CollectorPayload
from snowetl.model.text import percent_decode, single_encode_percents

_HEADERS = ("#Version:", "#Fields:")
# How many columns the logs had over the years; with the last format others may follow. Where the cookie, the 13th
# column, is empty there is one token less.
_OLD_FORMATS = (12, 15, 18, 19)
_OLD_FORMATS_WITHOUT_COOKIE = (14, 17)
_COLUMNS = 23
_FORWARDED_FOR = 19
_UNKNOWN_ROW = badrow.simple_error("does not match header or data row formats")


class CloudfrontLoader(Loader):
    """One request a line; columns are separated by blanks or tabs, as many as there are."""

    name = "cloudfront"

    def load(self, record: bytes | str) -> Loaded:
        line = as_line(record)
        if line.startswith(_HEADERS):
            return None
        loaded = _load(line)
        return self.violations(line, *loaded) if isinstance(loaded, list) else loaded

    def decode_useragent(self, text: str) -> str:
        return _percent_decode(text) if len(text) <= CACHED_LENGTH else percent_decode(text)


_percent_decode = lru_cache(maxsize=8192)(percent_decode)


def _load(line: str) -> CollectorPayload | list[Message]:
    tokens, trailing = split_tokens(line, _COLUMNS)
    if len(tokens) < _OLD_FORMATS[0]:
        return [_UNKNOWN_ROW]
    method = tokens[5].upper()
    if method != "GET" and not _is_broken_behind(line, 12):
        return [badrow.payload_field("verb", method, "operation must be GET")]
    forwarded_for = _forwarded_for(line, tokens, trailing)
    if forwarded_for is None:
        return [_UNKNOWN_ROW]
    timestamp: Any = parse_timestamp(tokens[0], tokens[1])
    pairs: Any = parse_querystring(to_option(single_encode_percents(tokens[11])), UTF_8)
    api: Any = parse_path(tokens[7])
    if type(timestamp) is dict or type(pairs) is dict or type(api) is dict:
        return [found for found in (timestamp, pairs, api) if type(found) is dict]
    referer = to_option(single_encode_percents(tokens[9]))
    return CollectorPayload(
        vendor=api[0],
        version=api[1],
        querystring=pairs,
        content_type=None,
        body=None,
        collector="cloudfront",
        encoding=UTF_8,
        hostname=None,
        timestamp=timestamp,
        ip_address=to_option(ip.from_column(forwarded_for, tokens[4])),
        useragent=to_option(single_encode_percents(tokens[10])),
        referer_uri=None if referer is None else clean_uri(referer),
    )


def _forwarded_for(line: str, tokens: list[str], trailing: int) -> str | None:
    """The x-forwarded-for column, ``-`` for a format without it; ``None`` where the line is not a data row."""
    count = len(tokens)
    if count >= _COLUMNS:
        return None if _is_broken_behind(line, _COLUMNS) else tokens[_FORWARDED_FOR]
    if count in _OLD_FORMATS and not trailing:
        return "-"
    if _EMPTY_COOKIE.match(line) is None:
        return None
    if count in _OLD_FORMATS_WITHOUT_COOKIE and not trailing:
        return "-"
    if count == _COLUMNS - 1 and not _is_broken_behind(line, count):
        return tokens[_FORWARDED_FOR - 1]
    return None


_EMPTY_COOKIE = re.compile(r"(?:\S+\s+){11}\S+\s\s", re.ASCII)
_LINE_END = re.compile("[\n\r\x85\u2028\u2029]")


def _is_broken_behind(line: str, columns: int) -> bool:
    """Whether a line terminator stands behind the first columns, where the reference wants the rest of one line."""
    if line.isascii() and "\n" not in line and "\r" not in line:
        return False
    start = re.match(rf"(?:\S+\s+){{{columns - 1}}}\S+", line, re.ASCII)
    return start is not None and _LINE_END.search(line, start.end()) is not None


def clean_uri(uri: str) -> str:
    """A referer without the ``%`` that CloudFront sometimes appends."""
    return uri.removesuffix("%")
