from __future__ import annotations

import pytest

from tests.adapters.helpers import event, failures, input_data, parameters, payload

PATH = "com.callrail/v1"
SCHEMA = "com.callrail/call_complete/jsonschema/1-0-2"


def test_a_call_with_typed_fields():
    query = {
        "answered": "true",
        "first_call": "no",
        "duration": "+0247",
        "datetime": "2026-03-02 16:23:45",
        "callsource": "",
        "keyword": None,
        "aid": "a",
        "p": "mob",
        "nuid": "-",
    }
    assert event(payload(PATH, query=query)) == (
        SCHEMA,
        {
            "answered": True,
            "first_call": "no",
            "duration": 247,
            "datetime": "2026-03-02T16:23:45.000Z",
            "callsource": None,
            "keyword": None,
        },
    )
    [made] = parameters(payload(PATH, query=query))
    assert (made["tv"], made["p"], made["aid"], made["nuid"]) == ("com.callrail-v1", "mob", "a", "-")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("duration", "4m", "4m"),
        ("duration", "-9" + "9" * 30, -int("9" * 31)),
        ("duration", "-000", 0),
        ("answered", "TRUE", "TRUE"),
        ("answered", "false", False),
        ("datetime", "2026-03-02", "2026-03-02"),
        ("other", "true", "true"),
    ],
)
def test_what_does_not_fit_stays_text(name, text, value):
    assert event(payload(PATH, query={name: text})) == (SCHEMA, {name: value})


def test_an_empty_query_string():
    assert failures(payload(PATH, "body")) == [input_data("querystring", None, "empty querystring")]
