from __future__ import annotations

import pytest

from tests.adapters.helpers import FORM, JSON, event, events, failures, input_data, not_json, parameters, payload

PATH = "com.snowplowanalytics.iglu/v1"
SCHEMA = "iglu:com.example.shop/stock/jsonschema/1-0-0"
STOCK = SCHEMA.removeprefix("iglu:")
TWO = "expected one of application/json, application/json; charset=utf-8"
THREE = f"{TWO}, application/x-www-form-urlencoded"


def test_a_get_is_an_event_of_texts_and_nulls():
    query = {"schema": SCHEMA, "sku": "7", "note": "", "last": None, "aid": "a", "p": "mob", "eid": "i", "cv": "c"}
    given = payload(PATH, query=query)
    assert event(given) == (STOCK, {"sku": "7", "note": None, "last": None, "eid": "i"})
    [made] = parameters(given)
    assert {name: made[name] for name in made if name != "ue_pr"} == {
        "tv": "com.snowplowanalytics.iglu-v1",
        "e": "ue",
        "p": "mob",
        "aid": "a",
        "cv": "c",
        "eid": "i",
    }


@pytest.mark.parametrize(
    ("body", "content_type", "platform", "data"),
    [
        ('{"a":1.0}', JSON, "app", [{"a": 1.0}]),
        ('[{"a":1},2,null]', "application/json; charset=utf-8", "app", [{"a": 1}, 2, None]),
        ("a=1&b&c=%C3%BC+x", FORM, "srv", [{"a": "1", "b": None, "c": "ü x"}]),
        ("", FORM, "srv", [{}]),
    ],
)
def test_bodies_under_a_schema_of_the_query_string(body, content_type, platform, data):
    given = payload(PATH, body, content_type, {"schema": SCHEMA, "other": "dropped"})
    assert events(given) == [(STOCK, item) for item in data]
    assert all(made["p"] == platform and "other" not in made for made in parameters(given))


def test_a_self_describing_body_needs_no_parameter():
    body = f'{{"schema":"{SCHEMA}","data":[1]}}'
    assert event(payload(PATH, body, JSON, {"schema": None, "aid": "a"})) == (STOCK, [1])


@pytest.mark.parametrize(
    ("body", "content_type", "schema", "expected"),
    [
        ("{}", None, SCHEMA, input_data("contentType", None, THREE)),
        ("{}", FORM, None, input_data("contentType", FORM, TWO)),
        ("{", JSON, None, not_json("body", "{", "exhausted input")),
        ("[]", JSON, None, {"json": [], "error": "INVALID_DATA_PAYLOAD"}),
        (None, None, "iglu:nothing", input_data("schema", "iglu:nothing", "INVALID_IGLUURI")),
        ("x", "text/plain", "iglu:a/b/c/1-0", input_data("schema", "iglu:a/b/c/1-0", "INVALID_IGLUURI")),
        ("x", "text/plain", "iglu:a/b/c/1-0-01", input_data("schema", "iglu:a/b/c/1-0-01", "INVALID_SCHEMAVER")),
        ("[]", JSON, SCHEMA, input_data("body", "[]", "empty array of events")),
        ("{}", JSON, SCHEMA, input_data("body", "{}", "has no key-value pairs")),
        ("7", JSON, SCHEMA, input_data("body", "7", "has no key-value pairs")),
        ("tru", JSON, SCHEMA, not_json("body", "tru", "exhausted input")),
        (
            "a=b c",
            FORM,
            SCHEMA,
            input_data("body", "a=b c", "Illegal character in query at index 21: http://localhost/?a=b c"),
        ),
        ("x", "text/plain", SCHEMA, input_data("contentType", "text/plain", THREE)),
    ],
)
def test_refusals(body, content_type, schema, expected):
    query = {} if schema is None else {"schema": schema}
    assert failures(payload(PATH, body, content_type, query)) == [expected]


@pytest.mark.parametrize("query", [{}, {"schema": None, "a": "b"}])
def test_neither_schema_nor_body(query):
    assert failures(payload(PATH, None, JSON, query)) == [
        input_data("schema", None, "empty `schema` field"),
        input_data("body", None, "empty body"),
    ]
