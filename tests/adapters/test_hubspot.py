from __future__ import annotations

import json

import pytest

from tests.adapters.helpers import (
    JSON,
    events,
    failures,
    input_data,
    no_type,
    not_json,
    other_type,
    parameters,
    payload,
    unknown_type,
)

PATH = "com.hubspot/v1"


@pytest.mark.parametrize("kind", ["contact", "company", "deal"])
@pytest.mark.parametrize(
    ("change", "name"), [("creation", "creation"), ("deletion", "deletion"), ("propertyChange", "change")]
)
def test_every_type_has_its_schema(kind, change, name):
    body = json.dumps([{"subscriptionType": f"{kind}.{change}", "objectId": 7}])
    assert events(payload(PATH, body, JSON)) == [(f"com.hubspot/{kind}_{name}/jsonschema/1-0-0", {"objectId": 7})]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("1772438400123", "2026-03-02T08:00:00.123Z"),
        ('"1772438400000"', "2026-03-02T08:00:00.000Z"),
        ("1.7724384e12", "2026-03-02T08:00:00.000Z"),
        ('"soon"', "soon"),
        ('"01"', "01"),
        ("1.5", 1.5),
        ("9223372036854775808", 9223372036854775808),
        ("null", None),
        ("true", True),
    ],
)
def test_occurred_at_is_a_date_where_it_is_a_number(sent, expected):
    body = (
        f'[{{"occurredAt":{sent},"subscriptionType":"deal.creation","nested":{{"subscriptionType":1,"occurredAt":1}}}}]'
    )
    [(_, data)] = events(payload(PATH, body, JSON))
    assert data == {"occurredAt": expected, "nested": {"subscriptionType": 1, "occurredAt": 1}}


def test_the_query_string_gives_application_and_platform():
    body = json.dumps([{"subscriptionType": "deal.creation"}])
    [made] = parameters(payload(PATH, body, JSON, {"aid": "crm", "x": "y"}))
    assert (made["aid"], made["p"], made["tv"], "x" in made) == ("crm", "srv", "com.hubspot-v1", False)


def test_one_unknown_type_loses_the_payload():
    body = json.dumps(
        [{"subscriptionType": "deal.creation"}, {"subscriptionType": "deal"}, {"subscriptionType": ""}, 1]
    )
    messages = failures(payload(PATH, body, JSON))
    assert unknown_type(messages) == [
        ("deal", "no schema associated with the provided type parameter at index 1"),
        ("", "cannot determine event type: type parameter empty at index 2"),
        (None, "cannot determine event type: type parameter not provided at index 3"),
    ]
    assert len(messages[0]["expectedMapping"]) == 9
    assert messages[0]["expectedMapping"]["deal.propertyChange"] == "iglu:com.hubspot/deal_change/jsonschema/1-0-0"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (None, JSON, input_data("body", None, "empty body: not events to process")),
        ("[]", None, no_type(JSON)),
        ("[]", f"{JSON}; charset=utf-8", other_type(f"{JSON}; charset=utf-8", JSON)),
        ("{}", JSON, input_data("body", "{}", "not a json array")),
        ("[", JSON, not_json("body", "[", "exhausted input")),
        ("[]", JSON, input_data("", None, "empty list of events")),
    ],
)
def test_refusals(body, content_type, expected):
    assert failures(payload(PATH, body, content_type)) == [expected]
