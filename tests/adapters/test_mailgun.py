from __future__ import annotations

import json
from typing import Any

import pytest

from tests.adapters.helpers import (
    JSON,
    NO_BODY,
    event,
    failures,
    input_data,
    no_type,
    other_type,
    parameters,
    payload,
    unknown_type,
)

PATH = "com.mailgun/v1"
SIGNATURE = {"timestamp": "1772438400", "token": "t0", "signature": "s0"}
NO_EVENT = "no `event` parameter provided: cannot determine event type"


def body(data: Any, signature: Any = SIGNATURE) -> str:
    return json.dumps({"signature": signature, "event-data": data})


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("bounced", "message_bounced"),
        ("clicked", "message_clicked"),
        ("complained", "message_complained"),
        ("delivered", "message_delivered"),
        ("dropped", "message_dropped"),
        ("opened", "message_opened"),
        ("unsubscribed", "recipient_unsubscribed"),
    ],
)
def test_every_type_has_its_schema(sent, name):
    given = payload(PATH, body({"event": sent, "timestamp": 1.5}), JSON, {"aid": "a"})
    assert event(given) == (
        f"com.mailgun/{name}/jsonschema/1-0-0",
        {"timestamp": "2026-03-02T08:00:00.000Z", "token": "t0", "signature": "s0"},
    )
    assert parameters(given)[0]["aid"] == "a"


def test_keys_are_camel_case_and_the_text_goes():
    data = {
        "event": "opened",
        "timestamp": 1,
        "body-plain": "secret",
        "X-Mailgun-Sid": "sid",
        "client_info": {"client-os": "Linux", "event": "opened", "timestamp": "60"},
        "my__tags": [{"a-b": 1, "event": "opened"}, {"event": "clicked"}],
        "token": "t1",
    }
    _, made = event(payload(PATH, body(data), JSON))
    assert made == {
        "timestamp": "2026-03-02T08:00:00.000Z",
        "xMailgunSid": "sid",
        "clientInfo": {"clientOs": "Linux", "timestamp": "1970-01-01T00:01:00.000Z"},
        "my_tags": [{"aB": 1}, {"event": "clicked"}],
        "token": "t1",
        "signature": "s0",
    }


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(2, 2), ("3", 3), (2.0, 2), ("x", None), (1.5, None), (2**31, None), (None, None), ([], None)],
)
def test_attachment_counts_are_integers_or_nothing(sent, expected):
    _, made = event(payload(PATH, body({"event": "opened", "timestamp": 1, "attachment-count": sent}), JSON))
    assert made.get("attachmentCount") == expected
    assert ("attachmentCount" in made) is (expected is not None)


@pytest.mark.parametrize(
    ("sent", "content_type", "expected"),
    [
        (None, JSON, NO_BODY),
        ("", JSON, NO_BODY),
        ("{}", None, no_type(JSON)),
        ("{}", "multipart/form-data; boundary=x", other_type("multipart/form-data; boundary=x", JSON)),
        (
            '{"a"\t}\x01',
            JSON,
            input_data("body", '{"a"\t}\x01', "could not parse body: expected : got '}' (line 1, column 6)"),
        ),
        ("{", JSON, input_data("body", "{", "could not parse body: exhausted input")),
        ("[]", JSON, input_data("body", "[]", NO_EVENT)),
        ('{"event-data":[]}', JSON, input_data("body", '{"event-data":[]}', NO_EVENT)),
        ('{"event-data":{"event":"opened"}}', JSON, input_data("timestamp", None, "missing 'timestamp'")),
        (body({"event": "opened"}, {"timestamp": 1}), JSON, input_data("token", None, "missing 'token'")),
        (
            body({"event": "opened"}, {"timestamp": 1, "token": 1}),
            JSON,
            input_data("signature", None, "missing 'signature'"),
        ),
        (body({"event": "opened"}), JSON, input_data("event-data", None, "missing 'event-data'")),
    ],
)
def test_refusals(sent, content_type, expected):
    assert failures(payload(PATH, sent, content_type)) == [expected]


def test_the_type_is_looked_at_before_the_signature():
    assert unknown_type(failures(payload(PATH, body({"event": "lost"}, None), JSON))) == [
        ("lost", "no schema associated with the provided type parameter")
    ]
    assert unknown_type(failures(payload(PATH, body({"event": 1}, None), JSON))) == [
        (None, "cannot determine event type: type parameter not provided")
    ]
