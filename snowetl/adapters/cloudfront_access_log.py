"""CloudFront access logs as events of their own: one per line (enrich 3.9.0 ``CloudfrontAccessLogAdapter``)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure
from snowetl.adapters.events import Wrapper
from snowetl.jvm.doubles import json_double, parse_double
from snowetl.jvm.integers import parse_int, parse_long
from snowetl.jvm.joda import DateError, parse_datetime
from snowetl.model import badrow
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.text import UrlDecodeError, percent_decode, single_encode_percents, url_decode

_VERSIONS = {12: "1-0-0", 15: "1-0-1", 18: "1-0-2", 19: "1-0-3", 23: "1-0-4", 24: "1-0-5", 26: "1-0-6", 33: "1-0-6"}
"""Number of columns -> version of the schema. Enrich 3.9.0 refuses the 33 columns that CloudFront writes since 2019."""
_PUBLISHED = 26
"""Columns the last published schema has properties for. Those behind them need a schema of the user's own."""
_TEXT_FORMAT = "tsv"
"""The name payloads of the text input format carry as their collector."""

_wrap = Wrapper("com.amazon.aws.cloudfront/wd_access_log")


class _Refused(ValueError):
    """A column that is not of its type; the message goes into the bad row."""


def _int(text: str) -> int:
    number = parse_int(text)
    if number is None:
        raise _Refused("cannot be converted to Int")
    return number


def _long(text: str) -> int:
    number = parse_long(text)
    if number is None:
        raise _Refused("cannot be converted to Long")
    return number


def _double(text: str) -> Any:
    number = parse_double(text)
    if number is None or not math.isfinite(number):
        raise _Refused("cannot be converted to Double")
    return json_double(number)


def _or_null(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """For columns that are ``-`` in many rows."""
    return lambda text: None if text == "-" else convert(text)


def _twice_decoded(text: str) -> str:
    try:
        return url_decode(single_encode_percents(text))
    except UrlDecodeError as error:
        raise _Refused(str(error)) from error


_COLUMNS: dict[str, Callable[[str], Any]] = {
    "dateTime": str,
    "xEdgeLocation": str,
    "scBytes": _int,
    "cIp": str,
    "csMethod": str,
    "csHost": str,
    "csUriStem": str,
    "scStatus": str,
    "csReferer": _twice_decoded,
    "csUserAgent": _twice_decoded,
    "csUriQuery": single_encode_percents,
    "csCookie": str,
    "xEdgeResultType": str,
    "xEdgeRequestId": str,
    "xHostHeader": str,
    "csProtocol": str,
    "csBytes": _int,
    "timeTaken": _double,
    "xForwardedFor": str,
    "sslProtocol": str,
    "sslCipher": str,
    "xEdgeResponseResultType": str,
    "csProtocolVersion": str,
    "fleStatus": str,
    "fleEncryptedFields": str,
    "cPort": _or_null(_long),
    "timeToFirstByte": _or_null(_double),
    "xEdgeDetailedResultType": str,
    "scContentType": str,
    "scContentLen": _or_null(_long),
    "scRangeStart": _or_null(_long),
    "scRangeEnd": _or_null(_long),
}
_IP, _REFERRER, _USER_AGENT = (list(_COLUMNS).index(name) for name in ("cIp", "csReferer", "csUserAgent"))


def build(setup: Setup) -> Adapt:
    schemas = {count: setup.schemas[f"with_{count}_fields"] for count in _VERSIONS}
    most = _PUBLISHED if schemas[33] == ADAPTER.schemas["with_33_fields"] else max(_VERSIONS)

    def adapt(payload: CollectorPayload) -> Outcome:
        line = payload.body
        if line is None:
            return input_failure("body", None, "empty body")
        date, *fields = line.split("\t")
        count = len(fields) + 1
        if count not in schemas:
            expected = "access log contained {} fields, expected 12, 15, 18, 19, 23, 24 or 26"
            return input_failure("body", line, expected.format(count))
        time, fields[0] = fields[0], f"{date}T{fields[0]}Z"
        failures = Failures()
        event = _event(fields[: most - 1], failures)
        timestamp = _timestamp(date, time, failures)
        if failures:
            failures.reverse()
            return failures
        url = fields[_REFERRER]
        context = _context(payload, fields, timestamp)
        return [RawEvent(context, _wrap({"url": url} if url else {}, schemas[count], event))]

    return adapt


def _event(fields: list[str], failures: Failures) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for (name, convert), text in zip(_COLUMNS.items(), fields, strict=False):
        try:
            event[name] = convert(text) if text else None
        except _Refused as refusal:
            failures.append(badrow.input_data(name, text, str(refusal)))
    return event


def _timestamp(date: str, time: str, failures: Failures) -> int | None:
    try:
        return parse_datetime(f"{date}T{time}+00:00")
    except DateError as error:
        reason = f"could not convert access log timestamp: {error}"
        failures.append(badrow.input_data("dateTime", f"{date} {time}", reason))
        return None


def _context(payload: CollectorPayload, fields: list[str], timestamp: int | None) -> CollectorPayload:
    """The context is the logged request's, not that of the delivery of the log.

    In lines of text input the user agent is decoded, as it is in the other CloudFront format.
    """
    useragent = single_encode_percents(fields[_USER_AGENT])
    if payload.collector == _TEXT_FORMAT:
        useragent = percent_decode(useragent)
    return payload.replaced(
        timestamp=timestamp,
        ip_address=fields[_IP] or None,
        useragent=useragent or None,
        referer_uri=None,
        headers=[],
        network_userid=None,
    )


ADAPTER = Adapter(
    name="CloudFront access log",
    vendor="com.amazon.aws.cloudfront",
    version="wd_access_log",
    build=build,
    method="line of a file (input format `tsv/com.amazon.aws.cloudfront/wd_access_log`)",
    content_type="any",
    group="cloudfrontAccessLog",
    schemas={
        f"with_{count}_fields": f"iglu:com.amazon.aws.cloudfront/wd_access_log/jsonschema/{version}"
        for count, version in _VERSIONS.items()
    },
    cleaned="The number of columns decides the schema; of 33 columns the last seven are left out, unless "
    "`with_33_fields` names a schema that has them. Empty columns become null, byte counts and `timeTaken` numbers; "
    "referrer and user agent are URL-decoded. "
    "Time, IP address and user agent of the event are those of the line.",
)
