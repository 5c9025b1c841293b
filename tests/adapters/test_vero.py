from __future__ import annotations

import json

import pytest

from tests.adapters.helpers import NO_BODY, event, failures, input_data, not_json, payload, unknown_type

PATH = "com.getvero/v1"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("bounced", "bounced"),
        ("clicked", "clicked"),
        ("delivered", "delivered"),
        ("opened", "opened"),
        ("sent", "sent"),
        ("unsubscribed", "unsubscribed"),
        ("user_created", "created"),
        ("user_updated", "updated"),
    ],
)
def test_every_type_has_its_schema_and_its_date(kind, name):
    sent = {"type": kind, f"{kind}_at": 1772438400, "triggered_at": "1772438400", "other_at": 5}
    date = "2026-03-02T08:00:00.000Z"
    assert event(payload(PATH, json.dumps(sent))) == (
        f"com.getvero/{name}/jsonschema/1-0-0",
        {f"{kind}_at": date, "triggered_at": date, "other_at": 5},
    )


def test_tags_are_renamed_in_objects_and_only_equal_types_go():
    sent = {
        "type": "sent",
        "campaign": {"type": "transactional", "again": {"type": "sent", "_tags": {"_tags": 1}}},
        "list": [{"_tags": 1, "type": "sent", "sent_at": 0}],
    }
    assert event(payload(PATH, json.dumps(sent), "text/plain"))[1] == {
        "campaign": {"type": "transactional", "again": {"tags": {"_tags": 1}}},
        "list": [{"_tags": 1, "sent_at": "1970-01-01T00:00:00.000Z"}],
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, NO_BODY),
        ("", not_json("body", "", "exhausted input")),
        (
            "[]",
            input_data(
                "type", None, "could not extract 'type': Attempt to decode value on failed cursor: DownField(type)"
            ),
        ),
        ('{"type":1}', input_data("type", None, "could not extract 'type': String: DownField(type)")),
    ],
)
def test_refusals(body, expected):
    assert failures(payload(PATH, body)) == [expected]


def test_unknown_types():
    assert unknown_type(failures(payload(PATH, '{"type":"read"}'))) == [
        ("read", "no schema associated with the provided type parameter")
    ]
