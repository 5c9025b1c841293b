from __future__ import annotations

import pytest

from tests.adapters.helpers import FORM, NO_BODY, event, failures, input_data, no_type, other_type, parameters, payload

PATH = "com.statusgator/v1"


def test_all_fields_are_texts_with_keys_in_camel_case():
    body = (
        "service_name=Cloud+Host&status_page_url=https%3A%2F%2Fx.example&last_status&current-status=up&last_status=down"
    )
    given = payload(PATH, body, FORM, {"aid": "a"})
    assert event(given) == (
        "com.statusgator/status_change/jsonschema/1-0-0",
        {
            "serviceName": "Cloud Host",
            "statusPageUrl": "https://x.example",
            "lastStatus": "down",
            "currentStatus": "up",
        },
    )
    assert parameters(given)[0]["aid"] == "a"


def test_a_field_without_a_value_is_null():
    assert event(payload(PATH, "a_b;c=", FORM))[1] == {"aB": None, "c": ""}


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (None, FORM, NO_BODY),
        ("", FORM, NO_BODY),
        ("a=b", None, no_type(FORM)),
        ("a=b", "text/html", other_type("text/html", FORM)),
        (
            "{a=b\x01}",
            FORM,
            input_data(
                "body",
                "{a=b\x01}",
                "could not parse body: Illegal character in query at index 18: http://localhost/?{a=b}",
            ),
        ),
    ],
)
def test_refusals(body, content_type, expected):
    assert failures(payload(PATH, body, content_type)) == [expected]
