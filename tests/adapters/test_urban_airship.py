from __future__ import annotations

import json

import pytest

from tests.adapters.helpers import (
    JSON,
    NO_BODY,
    adapt,
    event,
    failures,
    input_data,
    not_json,
    other_type,
    payload,
    unknown_type,
)

PATH = "com.urbanairship.connect/v1"
SENT = {
    "id": "7c2a",
    "occurred": "2026-03-02T08:00:00.250Z",
    "processed": "2026-03-02T10:00:01+02:00",
    "type": "OPEN",
    "body": {"n": 1.50},
}
TYPES = [
    "CLOSE",
    "CUSTOM",
    "FIRST_OPEN",
    "IN_APP_MESSAGE_DISPLAY",
    "IN_APP_MESSAGE_EXPIRATION",
    "IN_APP_MESSAGE_RESOLUTION",
    "LOCATION",
    "OPEN",
    "PUSH_BODY",
    "REGION",
    "RICH_DELETE",
    "RICH_DELIVERY",
    "RICH_HEAD",
    "SEND",
    "TAG_CHANGE",
    "UNINSTALL",
]
GONE = "Attempt to decode value on failed cursor: DownField"


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_its_schema_and_events_stay_as_they_are(kind):
    sent = SENT | {"type": kind}
    assert event(payload(PATH, json.dumps(sent))) == (f"com.urbanairship.connect/{kind}/jsonschema/1-0-0", sent)


def test_times_and_id_are_the_events_own():
    given = payload(PATH, json.dumps(SENT), None, {"eid": "q", "ttm": "1", "aid": "a"})
    [made] = adapt(given)
    assert [made.parameters[name] for name in ("ttm", "eid", "aid")] == ["1772438400250", "7c2a", "a"]
    assert made.payload.timestamp == 1_772_438_401_000
    assert made.payload.ip_address == given.ip_address
    assert given.timestamp == 1_772_600_000_000


def test_a_date_without_zone_is_utc():
    [made] = adapt(payload(PATH, json.dumps(SENT | {"occurred": "2026-03-02", "processed": "2026-03-02T08"})))
    assert made.parameters["ttm"] == "1772409600000"
    assert made.payload.timestamp == 1_772_438_400_000


def test_everything_that_is_missing_is_told():
    messages = failures(payload(PATH, '{"id":7,"processed":null,"type":"GONE"}'))
    assert messages[:3] == [
        input_data("occurred", None, f"could not extract 'occurred': {GONE}(occurred)"),
        input_data("id", None, "could not extract 'id': String: DownField(id)"),
        input_data("processed", None, "could not extract 'processed': String: DownField(processed)"),
    ]
    assert unknown_type(messages[3:]) == [("GONE", "no schema associated with the provided type parameter")]
    assert len(failures(payload(PATH, "[]"))) == 4


def test_dates_that_are_none():
    assert failures(payload(PATH, json.dumps(SENT | {"occurred": "yesterday", "processed": "2026-13-01"}))) == [
        input_data("occurred", "yesterday", "could not extract 'occurred': Invalid format: \"yesterday\""),
        input_data(
            "processed",
            "2026-13-01",
            "could not extract 'processed': "
            'Cannot parse "2026-13-01": Value 13 for monthOfYear must be in the range [1,12]',
        ),
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (None, None, NO_BODY),
        (None, JSON, NO_BODY),
        ("{}", JSON, other_type(JSON, "no content type") | {"expectation": "expected no content type"}),
        ("{", None, not_json("body", "{", "exhausted input")),
    ],
)
def test_refusals(body, content_type, expected):
    assert failures(payload(PATH, body, content_type)) == [expected]
