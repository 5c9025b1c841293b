from __future__ import annotations

import json
from typing import Any

import pytest

from tests.adapters.helpers import (
    JSON,
    NO_BODY,
    events,
    failures,
    input_data,
    no_type,
    not_json,
    other_type,
    payload,
    unknown_type,
)

PATH = "com.pagerduty/v1"
SCHEMA = "com.pagerduty/incident/jsonschema/1-0-0"
KINDS = ["trigger", "acknowledge", "unacknowledge", "resolve", "assign", "escalate", "delegate"]


def body(*messages: Any) -> str:
    return json.dumps({"messages": messages})


def test_every_type_is_an_incident():
    sent = body(*({"type": f"incident.{kind}"} for kind in KINDS))
    assert events(payload(PATH, sent, JSON)) == [(SCHEMA, {"type": kind}) for kind in KINDS]


def test_cleaning():
    message = {
        "type": "incident.assign",
        "created_on": "2026-03-02T08:00:00 00:00",
        "id": "null",
        "data": {
            "incident": {"last_status_change_on": "2026-03-02T08:00:00 00:00", "type": "null", "url": "null"},
            "created_on": " 00:00 x",
            "list": ["null", {"type": "incident.x", "a": "null"}],
            "type": ["incident."],
            "other_on": "x 00:00",
        },
    }
    [(_, data)] = events(payload(PATH, body(message), JSON))
    assert data == {
        "type": "assign",
        "created_on": "2026-03-02T08:00:00+00:00",
        "id": None,
        "data": {
            "incident": {"last_status_change_on": "2026-03-02T08:00:00+00:00", "type": None, "url": None},
            "created_on": " 00:00 x",
            "list": ["null", {"type": "incident.x", "a": "null"}],
            "type": ["incident."],
            "other_on": "x 00:00",
        },
    }


@pytest.mark.parametrize("sent", ["{}", "[]", '{"messages":{}}'])
def test_messages_must_be_a_list(sent):
    assert failures(payload(PATH, sent, JSON)) == [input_data("messages", sent, "field `messages` is not an array")]


@pytest.mark.parametrize(
    ("sent", "content_type", "expected"),
    [
        (None, JSON, NO_BODY),
        ("{}", None, no_type(JSON)),
        ("{}", "text/plain", other_type("text/plain", JSON)),
        ("}", JSON, not_json("body", "}", "expected json value got '}' (line 1, column 1)")),
        (body(), JSON, input_data("", None, "empty list of events")),
    ],
)
def test_refusals(sent, content_type, expected):
    assert failures(payload(PATH, sent, content_type)) == [expected]


def test_unknown_types():
    assert unknown_type(failures(payload(PATH, body({"type": "trigger"}, None), JSON))) == [
        ("trigger", "no schema associated with the provided type parameter at index 0"),
        (None, "cannot determine event type: type parameter not provided at index 1"),
    ]
