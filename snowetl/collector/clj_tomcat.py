"""Access logs of the Clojure collector on Tomcat (enrich 3.9.0 ``CljTomcatLoader``)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from snowetl.collector.loader import (
    CACHED_LENGTH,
    UTF_8,
    WHITESPACE,
    Loaded,
    Loader,
    as_line,
    parse_querystring,
    split_tokens,
    to_option,
)
from snowetl.collector.path import parse_path
from snowetl.collector.timestamp import parse_timestamp
from snowetl.jvm.commons_codec import decode_base64
from snowetl.jvm.strings import decode_utf8
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.payload import CollectorPayload
from snowetl.model.text import UrlDecodeError, percent_decode, url_decode

_COLUMNS = 12
_HYPHENS = ["-", "-", "-"]
_MOST_COLUMNS = 17
_UNKNOWN_ROW = badrow.simple_error("does not match the raw event format")
_NOT_POST = "operation must be POST if content type and/or body are provided"
_NO_BODY = "could not base64 decode: null"

Content = tuple["str | None", "str | None"]
"""Content type and body as they stand in the line."""


class CljTomcatLoader(Loader):
    """One request a line; user agent and content type are form-encoded, the body is base64."""

    name = "clj-tomcat"

    def load(self, record: bytes | str) -> Loaded:
        line = as_line(record)
        loaded = _load(line)
        return self.violations(line, *loaded) if isinstance(loaded, list) else loaded

    def decode_useragent(self, text: str) -> str:
        return _percent_decode(text, True) if len(text) <= CACHED_LENGTH else percent_decode(text, plus=True)


_percent_decode = lru_cache(maxsize=8192)(percent_decode)


def _load(line: str) -> CollectorPayload | list[Message]:
    tokens, trailing = split_tokens(line, _MOST_COLUMNS)
    if len(tokens) < _COLUMNS or tokens[2] != "-":
        return [_UNKNOWN_ROW]
    content = _content(line, tokens, trailing)
    if content is None:
        return [_UNKNOWN_ROW]
    if content in ((None, None), ("-", "-")):
        return _payload(tokens, None, None)
    content_type, body = content
    if body == "-":
        return _payload(tokens, _decoded_type(content_type or ""), None)
    method = tokens[5].upper()
    if method != "POST":
        return [badrow.payload_field("verb", method, _NOT_POST)]
    return _payload(tokens, _decoded_type(content_type or ""), _decoded_body(body))


def _content(line: str, tokens: list[str], trailing: int) -> Content | None:
    """Content type and body behind the first columns and, in most logs, three hyphens; ``None`` for no such row.

    A blank more than it takes to separate two columns can stand for a missing one.
    """
    rest = tokens[_COLUMNS:]
    if rest[:3] == _HYPHENS:
        rest = rest[3:]
    if not rest:
        return None if trailing == 1 else (None, None)
    if len(rest) == 1:
        if trailing:
            return rest[0], None
        before = line[: -len(rest[0]) - 1]
        return (None, rest[0]) if before[-1] in WHITESPACE else None
    if len(rest) == 2 and not trailing:
        return rest[0], rest[1]
    return None


def _decoded_type(token: str) -> str | Message:
    try:
        return url_decode(token)
    except UrlDecodeError as error:
        return badrow.payload_field("contentType", token, str(error))


def _decoded_body(token: str | None) -> str | Message:
    if token is None:
        return badrow.payload_field("body", None, _NO_BODY)
    return decode_utf8(decode_base64(token))


def _payload(
    tokens: list[str], content_type: str | Message | None, body: str | Message | None
) -> CollectorPayload | list[Message]:
    timestamp: Any = parse_timestamp(tokens[0], tokens[1])
    pairs: Any = parse_querystring(to_option(tokens[11]), UTF_8)
    api: Any = parse_path(tokens[7])
    faults = [found for found in (timestamp, pairs, api, content_type, body) if type(found) is dict]
    if faults:
        return faults
    return CollectorPayload(
        vendor=api[0],
        version=api[1],
        querystring=pairs,
        content_type=content_type,  # type: ignore[arg-type]
        body=body,  # type: ignore[arg-type]
        collector="clj-tomcat",
        encoding=UTF_8,
        hostname=None,
        timestamp=timestamp,
        ip_address=to_option(tokens[4]),
        useragent=to_option(tokens[10]),
        referer_uri=to_option(tokens[9]),
    )
