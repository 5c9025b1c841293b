from __future__ import annotations

import json

import pytest

from snowetl.adapters.marketo import DATES
from tests.adapters.helpers import JSON, NO_BODY, event, failures, input_data, not_json, payload

PATH = "com.marketo/v1"
SCHEMA = "com.marketo/event/jsonschema/2-0-0"


@pytest.mark.parametrize("content_type", [None, JSON, "text/plain"])
def test_any_content_type(content_type):
    assert event(payload(PATH, '{"name":"x"}', content_type)) == (SCHEMA, {"name": "x"})


@pytest.mark.parametrize("name", sorted(DATES))
def test_dates_in_objects_at_any_depth_but_not_in_lists(name):
    sent = {
        "lead": {name: "2026-3-2 8:00:00", "other": "2026-03-02 08:00:00"},
        name: "",
        "list": [{name: "2026-03-02 08:00:00"}],
    }
    assert event(payload(PATH, json.dumps(sent)))[1] == {
        "lead": {name: "2026-03-02T08:00:00.000Z", "other": "2026-03-02 08:00:00"},
        name: "",
        "list": [{name: "2026-03-02 08:00:00"}],
    }


def test_objects_under_a_date_are_left():
    sent = {"datetime": {"datetime": "2026-03-02 08:00:00"}, "created_at": 7}
    assert event(payload(PATH, json.dumps(sent)))[1] == sent


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, NO_BODY),
        ("", not_json("body", "", "exhausted input")),
        ("[1]", input_data("body", "[1]", "not a json object")),
        ('{"a" 1}', not_json("body", '{"a" 1}', "expected : got '1}' (line 1, column 6)")),
    ],
)
def test_refusals(body, expected):
    assert failures(payload(PATH, body)) == [expected]
