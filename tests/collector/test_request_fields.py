"""What formats with named fields share: spellings of names, times, values; and what of them becomes which payload."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.collector.cloudfront import CloudfrontLoader
from snowetl.collector.request_fields import PLACES, Columns, Request, payload_of
from snowetl.model.badrow import Origin
from snowetl.model.payload import CollectorPayload
from tests.collector.samples import cloudfront_line
from tests.examples import examples

REQUEST = Request(timestamp_ms="1772438400123", cs_uri_stem="/i", cs_uri_query="e=pv")


def loaded(**changes: str | None) -> CollectorPayload:
    payload = payload_of(REQUEST._replace(**changes))
    assert isinstance(payload, CollectorPayload), payload
    return payload


def faults(**changes: str | None) -> list[dict[str, Any]]:
    messages = payload_of(REQUEST._replace(**changes))
    assert isinstance(messages, list)
    return messages


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("cs(User-Agent)", "cs_user_agent"),
        ("cs-user-agent", "cs_user_agent"),
        ("cs_user_agent", "cs_user_agent"),
        ("CS(Referer)", "cs_referer"),
        ("timestamp(ms)", "timestamp_ms"),
        ("timestamp", "timestamp"),
        ("c-ip", "c_ip"),
    ],
)
def test_a_field_is_known_in_every_spelling(name: str, field: str) -> None:
    place = PLACES[name]
    assert place is not None
    assert Request._fields[place] == field


@pytest.mark.parametrize("name", ["", "-", "c-ip-version", "x-edge-location", "cs(Cookie)", "ü"])
def test_other_fields_are_not_read(name: str) -> None:
    assert PLACES[name] is None


def test_of_fields_named_twice_the_first_counts() -> None:
    columns = Columns(["date", "time", "cs-uri-stem", "cs_uri_stem"])
    assert columns.request(["d", "t", "/i", "/j"]) == Request(date="d", time="t", cs_uri_stem="/i")


def test_the_same_request_makes_the_same_payload_as_in_the_older_logs() -> None:
    old = CloudfrontLoader(Origin("test", "1", 0)).load(cloudfront_line())
    values = dict(zip(_OLD_NAMES.split(), cloudfront_line().split("\t"), strict=False))
    new = payload_of(Columns(list(values)).request(list(values.values())))
    assert new == old


_OLD_NAMES = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version"
)


@pytest.mark.parametrize(
    ("fields", "millis"),
    [
        ({"timestamp_ms": "1772438400123"}, 1772438400123),
        ({"timestamp_ms": "-", "timestamp": "1772438400.1239"}, 1772438400123),
        ({"timestamp_ms": None, "timestamp": "1772438400.5"}, 1772438400500),
        ({"timestamp_ms": "", "timestamp": "1772438400"}, 1772438400000),
        ({"timestamp_ms": None, "date": "2026-03-02", "time": "08:00:00"}, 1772438400000),
        ({"date": "1999-01-01", "time": "00:00:00"}, 1772438400123),  # the more precise one counts
    ],
)
def test_times(fields: dict[str, str | None], millis: int) -> None:
    assert loaded(**fields).timestamp == millis


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "9" * 15, "9" * 400, "١", "1 ", "1e3"])
def test_what_is_no_time_is_a_fault(text: str) -> None:
    reason = "could not convert timestamp: not a time since 1970"
    assert faults(timestamp_ms=text) == [{"payloadField": "dateTime", "value": text, "expectation": reason}]


def test_all_faults_are_told() -> None:
    assert [fault["payloadField"] for fault in faults(timestamp_ms=None, cs_uri_query="a=%2", cs_uri_stem="/x")] == [
        "dateTime",
        "querystring",
        "path",
    ]
    assert faults(cs_uri_stem=None) == [
        {"payloadField": "path", "value": None, "expectation": "request does not contain a path"}
    ]
    assert faults(cs_method="post") == [
        {"payloadField": "verb", "value": "POST", "expectation": "operation must be GET"}
    ]


def test_the_query_may_stand_behind_the_path() -> None:
    assert loaded(cs_uri_stem="/i?e=pp&p=web", cs_uri_query=None).querystring == [("e", "pp"), ("p", "web")]
    assert loaded(cs_uri_stem="/i?e=pp", cs_uri_query="e=pv").querystring == [("e", "pv")]


def test_fields_that_are_not_logged_are_null() -> None:
    payload = loaded(cs_method=None)
    assert (payload.ip_address, payload.useragent, payload.referer_uri) == (None, None, None)
    assert loaded(c_ip="198.51.100.7", x_forwarded_for="-").ip_address == "198.51.100.7"


_TEXTS = st.none() | st.sampled_from(["-", "", "/i", "GET", "e=pv", "%2520", "%", "2026-03-02"]) | st.text(max_size=12)


@examples(2.0)
@given(st.lists(_TEXTS, min_size=len(Request._fields), max_size=len(Request._fields)))
def test_any_values_end_as_a_payload_or_as_faults(values: list[str | None]) -> None:
    made = payload_of(Request(*values))
    assert isinstance(made, CollectorPayload) or (made and all(isinstance(fault, dict) for fault in made))
