"""Standard logging v2 of CloudFront in JSON."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.collector.cloudfront_json import CloudfrontJsonLoader
from snowetl.model.badrow import Origin
from snowetl.model.payload import CollectorPayload
from tests.collector.samples import cloudfront_object

LOADER = CloudfrontJsonLoader(Origin("test", "1.0.0", 0))


def messages(line: str | bytes) -> list[dict[str, Any]]:
    rows = LOADER.load(line)
    assert isinstance(rows, list), rows
    return [row.data["failure"]["message"] for row in rows]


def test_an_object_becomes_a_payload() -> None:
    assert LOADER.load(cloudfront_object()) == CollectorPayload(
        vendor="com.snowplowanalytics.snowplow",
        version="tp1",
        querystring=[("e", "pv"), ("page", "Hello there"), ("p", "web")],
        content_type=None,
        body=None,
        collector="cloudfront",
        encoding="UTF-8",
        hostname=None,
        timestamp=1772438400123,
        ip_address="203.0.113.9",
        useragent="Agent/1.0%20(X;%20Y)",
        referer_uri="https://shop.example/a%20b",
    )
    assert LOADER.decode_useragent("Agent/1.0%20(X;%20Y)") == "Agent/1.0 (X; Y)"


def test_only_time_and_path_are_needed() -> None:
    payload = LOADER.load('{"timestamp(ms)":"1772438400123","cs-uri-stem":"/i"}')
    assert isinstance(payload, CollectorPayload)
    assert (payload.timestamp, payload.querystring) == (1772438400123, [])


def test_numbers_and_nulls_are_read_as_texts() -> None:
    payload = LOADER.load(cloudfront_object(timestamp_ms=1772438400123, x_forwarded_for=None))
    assert isinstance(payload, CollectorPayload)
    assert (payload.timestamp, payload.ip_address) == (1772438400123, "198.51.100.7")


def test_names_as_parquet_has_them() -> None:
    line = '{"date":"2026-03-02","time":"08:00:00","cs_uri_stem":"/i","cs_user_agent":"x","CS_URI_QUERY":"e=pv"}'
    payload = LOADER.load(line)
    assert isinstance(payload, CollectorPayload)
    assert (payload.useragent, payload.querystring, payload.timestamp) == ("x", [("e", "pv")], 1772438400000)


@pytest.mark.parametrize("line", ["", " ", "\r"])
def test_an_empty_line_is_discarded(line: str) -> None:
    assert LOADER.load(line) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", {"error": "invalid json: exhausted input"}),
        ('{"a":1} x', {"error": "invalid json: expected whitespace or eof got 'x' (line 1, column 9)"}),
        ("[]", {"error": "expected a JSON object with the fields of a request"}),
        ("1", {"error": "expected a JSON object with the fields of a request"}),
        (
            '{"cs-uri-stem":["/i"]}',
            {"payloadField": "cs-uri-stem", "value": '["/i"]', "expectation": "expected a text or a number"},
        ),
        (
            '{"time":true}',
            {"payloadField": "time", "value": "true", "expectation": "expected a text or a number"},
        ),
    ],
)
def test_other_lines_are_bad_rows(line: str, message: dict[str, Any]) -> None:
    assert messages(line) == [message]


def test_the_bad_row_has_the_line() -> None:
    line = cloudfront_object(cs_method="POST")
    [row] = LOADER.load(line) or []  # type: ignore[misc]
    assert row.data["payload"] == line
    assert row.data["failure"]["loader"] == "cloudfront-json"
