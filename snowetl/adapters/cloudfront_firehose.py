"""CloudFront's standard logs as page views of visitors that run no JavaScript (as enrich 6.12.0 is documented to do).

Amazon Data Firehose posts batches of log entries to the collector. The same entries in files are read with the input
format ``ndjson/com.amazon.aws.cloudfront/firehose``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, NamedTuple

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure
from snowetl.adapters.webhook import JSON, NO_BODY, adapt_each, parse_json
from snowetl.jvm import jsontext
from snowetl.jvm.joda import DateError, parse_datetime
from snowetl.jvm.strings import decode_utf8
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.payload import CollectorPayload, Parameters, RawEvent
from snowetl.model.text import percent_decode, single_encode_percents

_TRACKER = "com.amazon.aws.cloudfront/firehose"
_APPLICATION = "cloudfront"
_MILLIS = "timestamp(ms)"
_LONGEST_MILLIS = 14
"""Digits of a time in milliseconds up to the year 5138."""


class _Entry(NamedTuple):
    """What should be a log entry, parsed, and the name of its place for failures."""

    fields: Any
    place: str


def build(setup: Setup) -> Adapt:
    def adapt(payload: CollectorPayload) -> Outcome:
        fault = _fault(payload)
        if fault is not None:
            return fault
        body = parse_json("body", payload.body or "")
        if isinstance(body, Failures):
            return body
        entries: Iterator[_Entry | Message]
        if not isinstance(body, dict) or "records" not in body:
            entries = iter((_Entry(body, "body"),))
        elif isinstance(body["records"], list):
            entries = _entries(body["records"])
        else:
            return input_failure("records", jsontext.dumps(body["records"]), "expected a list of records")
        application = payload.parameters().get("aid") or _APPLICATION

        def one(entry: _Entry | Message) -> RawEvent | Message:
            return _page_view(payload, entry, application) if isinstance(entry, _Entry) else entry

        return adapt_each(entries, one)

    return adapt


def _fault(payload: CollectorPayload) -> Failures | None:
    """The failure of a request that is none of Firehose's. Lines of files have no content type."""
    if not payload.body:
        return input_failure("body", None, NO_BODY)
    if payload.content_type is not None and JSON not in payload.content_type:
        return input_failure("contentType", payload.content_type, f"expected {JSON}")
    return None


def _entries(records: list[Any]) -> Iterator[_Entry | Message]:
    """The log entries in the base64 of each record: usually one, else one a line."""
    for index, record in enumerate(records):
        place = f"records[{index}].data"
        data = record.get("data") if isinstance(record, dict) else None
        if not isinstance(data, str):
            yield badrow.input_data(place, None, "expected data in base64")
            continue
        try:
            text = decode_utf8(base64.b64decode(data, validate=True))
        except (binascii.Error, ValueError) as error:
            yield badrow.input_data(place, data, f"could not base64 decode: {error}")
            continue
        for line in text.split("\n"):
            if line and not line.isspace():
                parsed = parse_json(place, line)
                if isinstance(parsed, Failures):
                    yield from parsed
                else:
                    yield _Entry(parsed, place)


def _page_view(payload: CollectorPayload, entry: _Entry, application: str) -> RawEvent | Message:
    """The page view of a log entry. The context is the visitor's, not that of the delivery of the log."""
    fields = entry.fields
    if not isinstance(fields, dict):
        return badrow.input_data(entry.place, jsontext.dumps(fields), "expected a log entry: a JSON object")
    millis = _millis(fields)
    if isinstance(millis, dict):
        return millis
    if payload.timestamp is None and millis is None:
        return badrow.input_data(_MILLIS, None, "log entry has no time: neither timestamp(ms) nor date and time")
    referrer, useragent = _text(fields, "cs(Referer)"), _text(fields, "cs(User-Agent)")
    parameters: Parameters = {
        "e": "pv",
        "p": "srv",
        "tv": _TRACKER,
        "aid": application,
        "url": _url(fields),
        "refr": None if referrer is None else single_encode_percents(referrer),
        "stm": None if millis is None else str(millis),
        "ua": None if useragent is None else percent_decode(single_encode_percents(useragent)),
        "ip": _text(fields, "c-ip"),
    }
    context = payload.replaced(
        timestamp=millis if payload.timestamp is None else payload.timestamp,
        ip_address=None,
        useragent=None,
        referer_uri=None,
        headers=[],
        network_userid=None,
    )
    return RawEvent(context, {name: value for name, value in parameters.items() if value is not None})


def _text(fields: dict[str, Any], name: str) -> str | None:
    """A field that was logged and is not empty."""
    value = fields.get(name)
    if not isinstance(value, str):
        value = "" if value is None or isinstance(value, (bool, dict, list)) else jsontext.dumps(value)
    return None if value in ("", "-") else value


def _url(fields: dict[str, Any]) -> str | None:
    """The address of the page; there is none without its host."""
    host = _text(fields, "x-host-header")
    if host is None:
        return None
    scheme = "http" if _text(fields, "cs-protocol") == "http" else "https"
    path, query = _text(fields, "cs-uri-stem") or "", _text(fields, "cs-uri-query")
    return single_encode_percents(f"{scheme}://{host}{path}" + ("" if query is None else f"?{query}"))


def _millis(fields: dict[str, Any]) -> int | Message | None:
    """When the request was made, if that was logged."""
    text = _text(fields, _MILLIS)
    if text is not None:
        if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_MILLIS:
            return int(text)
        return badrow.input_data(_MILLIS, text, "expected milliseconds since 1970")
    date, time = _text(fields, "date"), _text(fields, "time")
    if date is None or time is None:
        return None
    try:
        return parse_datetime(f"{date}T{time}+00:00")
    except DateError as error:
        return badrow.input_data("dateTime", f"{date} {time}", f"could not convert access log timestamp: {error}")


ADAPTER = Adapter(
    name="CloudFront page views (Firehose)",
    vendor="com.amazon.aws.cloudfront",
    version="firehose",
    build=build,
    method="POST by Data Firehose, or line of a file (input format `ndjson/com.amazon.aws.cloudfront/firehose`)",
    content_type=f"{JSON} (contained)",
    cleaned="Each entry of a standard log in JSON becomes a page view of platform `srv`, application `cloudfront` "
    "(or `aid` of the query string): `page_url` from `x-host-header`, `cs-uri-stem` and `cs-uri-query`, "
    "`page_referrer` from `cs(Referer)`, `useragent` from `cs(User-Agent)`, `dvce_sent_tstamp` from `timestamp(ms)`, "
    "`user_ipaddress` from `c-ip`. The time of an entry in a file is the collector's.",
)
