from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.adapters import tp2
from snowetl.adapters.base import Checker, Setup
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from tests.adapters.helpers import JSON, AllValid, adapt, failures, input_data, not_json, parameters, payload, refusal
from tests.adapters.helpers import registry as build

PATH = "com.snowplowanalytics.snowplow/tp2"
SCHEMA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
EXPECTED = "expected one of application/json, application/json; charset=utf-8, application/json; charset=UTF-8"
PAGE_VIEW = {"e": "pv", "p": "web", "tv": "js-3"}


def body(data: Any, schema: str = SCHEMA) -> str:
    return json.dumps({"schema": schema, "data": data})


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", JSON])
def test_every_object_of_the_body_is_an_event(content_type):
    sent = [PAGE_VIEW, {"e": "pp", "p": "web", "tv": "js-3"}]
    assert parameters(payload(PATH, body(sent), content_type)) == sent


def test_the_query_string_wins_over_every_event_even_without_a_value():
    made = parameters(payload(PATH, body([PAGE_VIEW, PAGE_VIEW]), JSON, {"tv": "0", "p": None, "nuid": "n"}))
    assert made == [{"e": "pv", "p": None, "tv": "0", "nuid": "n"}] * 2


def test_events_share_the_payload_and_are_the_parsed_objects_themselves():
    given = payload(PATH, body([PAGE_VIEW, PAGE_VIEW]), JSON)
    first, second = adapt(given)
    assert first.payload is given and second.payload is given
    iglu = AllValid()
    [event] = adapt(payload(PATH, body([PAGE_VIEW]), JSON), build(iglu))
    assert event.parameters is iglu.checked[0][1][0]


def test_without_body_and_content_type_the_query_string_is_the_event():
    assert parameters(payload(PATH, query={"e": "pv"})) == [{"e": "pv"}]


@pytest.mark.parametrize(
    ("sent", "content_type", "query", "expected"),
    [
        (
            None,
            "text/html",
            {},
            [
                input_data("body", None, "empty body: not a valid tracker protocol event"),
                input_data("querystring", None, "empty querystring: not a valid tracker protocol event"),
            ],
        ),
        (None, "text/html", {"e": "pv"}, [input_data("contentType", "text/html", EXPECTED)]),
        (
            "{}",
            "application/json;charset=utf-8",
            {},
            [input_data("contentType", "application/json;charset=utf-8", EXPECTED)],
        ),
        ("{}", None, {"e": "pv"}, [input_data("contentType", None, EXPECTED)]),
        (None, JSON, {"e": "pv"}, [input_data("body", None, "empty body: not a valid track protocol event")]),
        ("", JSON, {}, [not_json("body", "", "exhausted input")]),
        ("x", JSON, {}, [not_json("body", "x", "expected json value got 'x' (line 1, column 1)")]),
        ('{"a":1.50}', JSON, {}, [{"json": {"a": 1.5}, "error": "INVALID_DATA_PAYLOAD"}]),
        (body([], "iglu:x"), JSON, {}, [{"json": {"schema": "iglu:x", "data": []}, "error": "INVALID_IGLUURI"}]),
        (
            body([], "iglu:a/b/c/0-0-0"),
            JSON,
            {},
            [{"json": {"schema": "iglu:a/b/c/0-0-0", "data": []}, "error": "INVALID_SCHEMAVER"}],
        ),
    ],
)
def test_what_is_no_tracker_payload(sent, content_type, query, expected):
    row = refusal(payload(PATH, sent, content_type, query))
    assert row.type == "tracker_protocol_violations"
    assert row.data["failure"]["messages"] == expected


def test_the_body_is_validated_before_its_schema_is_looked_at():
    other = "iglu:com.example/other/jsonschema/1-0-0"
    fault = {"error": "ValidationError", "dataReports": []}
    given = payload(PATH, body({"x": 1}, other), JSON)
    assert failures(given, build(AllValid(fault))) == [{"schemaKey": other, "error": fault}]
    criterion = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-*"
    assert failures(given) == [{"schemaKey": other, "schemaCriterion": criterion}]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"x": [1]}, [input_data("body", '{"x":[1]}', "json is not an array")]),
        ([PAGE_VIEW, 1], [input_data("body", '[{"e":"pv","p":"web","tv":"js-3"},1]', "json is not an array")]),
        ([], [input_data("body", "[]", "empty list of events")]),
        (
            [{"e": "pv", "a": None}, {"b": {"c": 1}}],
            [input_data("a", None, "value cannot be null"), input_data("b", '{"c":1}', "value is not a string")],
        ),
    ],
)
def test_a_laxer_schema_does_not_let_other_shapes_through(data, expected):
    assert failures(payload(PATH, body(data), JSON)) == expected


_RESOLVER = Path(__file__).parents[2] / "fixtures" / "resolver.json"
_VALUES = st.text(max_size=8) | st.sampled_from(["web", "pv", "js-3"]) | st.none() | st.integers() | st.floats()
_EVENTS = st.dictionaries(st.sampled_from(["e", "p", "tv", "aid", "cx", "zz", "#zz"]), _VALUES, max_size=7)
_SOUND = st.builds(lambda event: PAGE_VIEW | event, st.dictionaries(st.sampled_from(["aid", "cx"]), st.text()))
_URIS = st.sampled_from([SCHEMA, SCHEMA, SCHEMA.replace("1-0-4", "1-0-0"), SCHEMA.replace("1-0-4", "9-0-0"), "junk"])
_BODIES = st.builds(
    lambda uri, data, more, end: json.dumps({"schema": uri, "data": data} | more)[:end],
    _URIS,
    st.lists(_SOUND | _EVENTS, max_size=4) | _VALUES,
    st.dictionaries(st.sampled_from(["schema", "extra"]), _VALUES, max_size=1),
    st.none() | st.just(-2),
)


class _Closer:
    """Schemas of which none is known at once, so that every body gets a closer look."""

    def __init__(self, client: IgluClient) -> None:
        self._client = client

    def checker(self, uri: str) -> Checker:
        return self._client.checker(uri)

    def known(self, uri: str, /) -> None:
        return None


@pytest.fixture(scope="module")
def client() -> IgluClient:
    client = IgluClient(ResolverConfig.load(str(_RESOLVER)), now=0)
    client.prefetch([SCHEMA])
    return client


@given(_BODIES, st.dictionaries(st.sampled_from(["p", "nuid"]), st.none() | st.text(max_size=3)))
def test_a_closer_look_never_sees_anything_else(client, body, query):
    given = payload(PATH, body, JSON, query)
    at_once, closer = (tp2.ADAPTER.build(Setup(schemas, {}))(given) for schemas in (client, _Closer(client)))
    assert type(at_once) is type(closer)
    if isinstance(at_once, list) and not isinstance(at_once, tp2.Failures):
        assert [event.parameters for event in at_once] == [event.parameters for event in closer]
    else:
        assert at_once == closer
