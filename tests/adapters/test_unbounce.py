from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.adapters.helpers import FORM, NO_BODY, event, failures, input_data, no_type, not_json, other_type, payload

PATH = "com.unbounce/v1"
FIELDS = {
    "page_id": "f7afd389",
    "page_name": "Landing",
    "variant": "a",
    "page_url": "https://shop.example.com",
    "data.json": '{"first_name":["Ada"],"time-submitted":[]}',
    "data.xml": "<xml/>",
}


def body(**changed: str | None) -> str:
    fields = FIELDS | {name.replace("__", "."): value for name, value in changed.items()}
    return urlencode({name: value for name, value in fields.items() if value is not None})


def test_the_form_and_its_page():
    assert event(payload(PATH, body(other_x="1", variant="") + "&none", FORM)) == (
        "com.unbounce/form_post/jsonschema/1-0-0",
        {
            "data.json": {"firstName": ["Ada"], "timeSubmitted": []},
            "pageId": "f7afd389",
            "pageName": "Landing",
            "variant": "",
            "pageUrl": "https://shop.example.com",
            "otherX": "1",
        },
    )


def test_the_data_may_be_any_json():
    assert event(payload(PATH, body(data__json="7"), FORM))[1]["data.json"] == 7


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "data.xml"])
def test_what_is_missing(name):
    sent = body(**{name.replace(".", "__"): None})
    assert failures(payload(PATH, sent, FORM)) == [input_data(name, None, f"missing '{name}' field in body")]


@pytest.mark.parametrize(
    ("sent", "content_type", "expected"),
    [
        (None, FORM, NO_BODY),
        ("", FORM, NO_BODY),
        ("x", None, no_type(FORM)),
        ("x", "text/html", other_type("text/html", FORM)),
        ("page_id", FORM, input_data("page_id", None, "missing 'page_id' field in body")),
        (body(data__json=""), FORM, input_data("data.json", None, "empty 'data.json' field in body")),
        (body(data__json="{{"), FORM, not_json("data.json", "{{", "expected \" got '{' (line 1, column 2)")),
        (
            "a b",
            FORM,
            input_data(
                "a b", "a b", "could not parse body: Illegal character in query at index 19: http://localhost/?a b"
            ),
        ),
    ],
)
def test_refusals(sent, content_type, expected):
    assert failures(payload(PATH, sent, content_type)) == [expected]
