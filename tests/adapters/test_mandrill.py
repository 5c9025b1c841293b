from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.adapters.helpers import (
    FORM,
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

PATH = "com.mandrill/v1"


def body(items: Any) -> str:
    return "mandrill_events=" + quote(json.dumps(items))


@pytest.mark.parametrize(
    ("sent", "name", "version"),
    [
        ("hard_bounce", "message_bounced", "1-0-1"),
        ("click", "message_clicked", "1-0-1"),
        ("deferral", "message_delayed", "1-0-1"),
        ("spam", "message_marked_as_spam", "1-0-1"),
        ("open", "message_opened", "1-0-1"),
        ("reject", "message_rejected", "1-0-0"),
        ("send", "message_sent", "1-0-0"),
        ("soft_bounce", "message_soft_bounced", "1-0-1"),
        ("unsub", "recipient_unsubscribed", "1-0-1"),
    ],
)
def test_every_type_has_its_schema(sent, name, version):
    assert events(payload(PATH, body([{"event": sent, "_id": "i"}]), FORM)) == [
        (f"com.mandrill/{name}/jsonschema/{version}", {"_id": "i"})
    ]


def test_dates_and_the_type_at_every_depth():
    item = {
        "event": "click",
        "ts": 1772438400,
        "msg": {"ts": "1772438400", "event": "click", "list": [{"ts": 1.0, "event": "open"}, [{"ts": "x"}]]},
        "ts2": 5,
    }
    [(_, data)] = events(payload(PATH, body([item]) + "&other", FORM))
    assert data == {
        "ts": "2026-03-02T08:00:00.000Z",
        "msg": {
            "ts": "2026-03-02T08:00:00.000Z",
            "list": [{"ts": "1970-01-01T00:00:01.000Z", "event": "open"}, [{"ts": "x"}]],
        },
        "ts2": 5,
    }


@pytest.mark.parametrize(
    ("sent", "content_type", "expected"),
    [
        (None, FORM, NO_BODY),
        ("x", None, no_type(FORM)),
        ("x", "text/html", other_type("text/html", FORM)),
        ("", FORM, input_data("body", "", "body should have size 1: actual size 0")),
        ("a=1&b=2&c", FORM, input_data("body", "a=1&b=2&c", "body should have size 1: actual size 2")),
        ("a=1", FORM, input_data("body", "a=1", "no `mandrill_events` parameter provided")),
        ("mandrill_events=", FORM, input_data("body", "mandrill_events=", "`mandrill_events` field is empty")),
        ("mandrill_events=%5B", FORM, not_json("mandril_events", "[", "exhausted input")),
        ("mandrill_events=1", FORM, input_data("mandrill_events", "1", "not a json array")),
        ("mandrill_events=[]", FORM, input_data("", None, "empty list of events")),
        ("a=%", FORM, input_data("body", "a=%", "Malformed escape pair at index 20: http://localhost/?a=%")),
    ],
)
def test_refusals(sent, content_type, expected):
    assert failures(payload(PATH, sent, content_type)) == [expected]


def test_unknown_types():
    assert unknown_type(failures(payload(PATH, body([{"event": "open"}, {}]), FORM))) == [
        (None, "cannot determine event type: type parameter not provided at index 1")
    ]
