from __future__ import annotations

import json

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

PATH = "com.sendgrid/v3"
KINDS = [
    "processed",
    "dropped",
    "delivered",
    "deferred",
    "bounce",
    "open",
    "click",
    "spamreport",
    "unsubscribe",
    "group_unsubscribe",
    "group_resubscribe",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8"])
def test_every_type_has_its_schema(kind, content_type):
    body = json.dumps([{"event": kind, "timestamp": 1772438400, "attempt": "1"}])
    assert events(payload(PATH, body, content_type)) == [
        (f"com.sendgrid/{kind}/jsonschema/3-0-0", {"timestamp": "2026-03-02T08:00:00.000Z", "attempt": "1"})
    ]


def test_of_equal_ids_the_last_counts_at_the_place_of_the_first():
    items = [
        {"event": "open", "sg_event_id": "a", "n": 1},
        {"event": "click", "sg_event_id": "b", "n": 2},
        {"event": "bounce", "sg_event_id": "a", "n": 3},
    ]
    made = events(payload(PATH, json.dumps(items), JSON))
    assert [(schema.split("/")[1], data["n"]) for schema, data in made] == [("bounce", 3), ("click", 2)]


def test_events_without_an_id_count_as_the_same():
    items = [{"event": "open", "n": 1}, {"event": "click", "sg_event_id": "a"}, {"event": "bounce", "sg_event_id": 3}]
    made = events(payload(PATH, json.dumps(items), JSON))
    assert [schema.split("/")[1] for schema, _ in made] == ["bounce", "click"]


def test_five_and_more_ids_come_in_the_order_of_their_hashes():
    items = [{"event": "open", "sg_event_id": event_id} for event_id in "abcdefgh"]
    made = [data["sg_event_id"] for _, data in events(payload(PATH, json.dumps(items), JSON))]
    assert sorted(made) == list("abcdefgh")
    assert made != list("abcdefgh")
    assert made == [data["sg_event_id"] for _, data in events(payload(PATH, json.dumps(items[::-1]), JSON))]


def test_the_index_of_a_failure_is_the_place_in_the_body():
    items = [{"event": "open", "sg_event_id": "a"}, {"event": "?", "sg_event_id": "a"}, {"event": "open", "x": 1}]
    assert unknown_type(failures(payload(PATH, json.dumps(items), JSON))) == [
        ("?", "no schema associated with the provided type parameter at index 1")
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (None, JSON, NO_BODY),
        ("[]", None, no_type(JSON)),
        ("[]", "text/json", other_type("text/json", JSON)),
        ("{}", JSON, input_data("body", "{}", "body is not a json array")),
        ("", JSON, not_json("body", "", "exhausted input")),
        ("[]", JSON, input_data("", None, "empty list of events")),
    ],
)
def test_refusals(body, content_type, expected):
    assert failures(payload(PATH, body, content_type)) == [expected]
