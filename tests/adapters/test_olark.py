from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.adapters.helpers import FORM, NO_BODY, event, failures, input_data, no_type, not_json, other_type, payload

PATH = "com.olark/v1"
TRANSCRIPT = "com.olark/transcript/jsonschema/1-0-0"
OFFLINE = "com.olark/offline_message/jsonschema/1-0-0"
NO_DATA = input_data("data", None, "missing 'data' field")


def body(data: Any) -> str:
    return "data=" + quote(json.dumps(data))


def test_operators_make_a_transcript():
    data = {"operators": None, "visitor": {"full_name": "x", "operating-system": 1}, "items": [{"body_text": "b"}]}
    assert event(payload(PATH, body(data), FORM)) == (
        TRANSCRIPT,
        {"operators": None, "visitor": {"fullName": "x", "operatingSystem": 1}, "items": [{"bodyText": "b"}]},
    )


@pytest.mark.parametrize("data", [{"id": "x"}, [], "text", None])
def test_anything_else_is_an_offline_message(data):
    assert event(payload(PATH, body(data), FORM)) == (OFFLINE, data)


@pytest.mark.parametrize(
    ("sent", "date"),
    [
        ("1772438400.1", "2026-03-02T08:00:00.100Z"),
        ("1772438400.123456", "2026-03-02T08:00:00.123Z"),
        ("1772438400.", "2026-03-02T08:00:00.000Z"),
        ("1772438400", "2026-03-02T08:00:00.000Z"),
        (".5", "1970-01-01T00:00:00.500Z"),
        ("", "1970-01-01T00:00:00.000Z"),
        ("-1", "1969-12-31T23:59:59.000Z"),
    ],
)
def test_timestamps_of_items(sent, date):
    _, data = event(payload(PATH, body({"items": [{"timestamp": sent}, {"timestamp": 5}, 7]}), FORM))
    assert data == {"items": [{"timestamp": date}, {"timestamp": 5}, 7]}


def test_items_may_be_an_object():
    _, data = event(payload(PATH, body({"items": {"a": {"timestamp": "0"}}, "timestamp": "0"}), FORM))
    assert data == {"items": {"a": {"timestamp": "1970-01-01T00:00:00.000Z"}}, "timestamp": "0"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("1.2.3", input_data("timestamp", "1.2.3", "unexpected timestamp format")),
        (".", input_data("timestamp", ".", "unexpected timestamp format")),
        ("1e3", input_data("timestamp", "1e3000", "cannot be converted to Double")),
        ("now.5", input_data("timestamp", "now500", "cannot be converted to Double")),
    ],
)
def test_timestamps_that_are_none(sent, expected):
    assert failures(payload(PATH, body({"items": [{"timestamp": sent}]}), FORM)) == [expected]


@pytest.mark.parametrize(
    ("sent", "content_type", "expected"),
    [
        (None, FORM, NO_BODY),
        ("", FORM, NO_BODY),
        ("x", None, no_type(FORM)),
        ("x", "text/html", other_type(None, FORM)),
        ("x=1", FORM, NO_DATA),
        ("data", FORM, NO_DATA),
        ("data=", FORM, NO_DATA),
        ("data=[", FORM, not_json("data", "[", "exhausted input")),
        (
            "a=\tb c",
            FORM,
            input_data(
                "a=\tb c",
                "a=\tb c",
                "could not parse body: Illegal character in query at index 20: http://localhost/?a=    b c",
            ),
        ),
    ],
)
def test_refusals(sent, content_type, expected):
    assert failures(payload(PATH, sent, content_type)) == [expected]
