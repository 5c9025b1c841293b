from __future__ import annotations

import base64
import json

import pytest

from snowetl.adapters.redirect import encode_base64
from tests.adapters.helpers import CONTEXTS, UNSTRUCT, failures, input_data, not_json, parameters, payload, refusal

PATH = "r/tp2"
TARGET = "https://example.com/?a=b"
REDIRECT = {
    "schema": "iglu:com.snowplowanalytics.snowplow/uri_redirect/jsonschema/1-0-0",
    "data": {"uri": TARGET},
}
USER = {"schema": "iglu:com.example/user/jsonschema/1-0-0", "data": {"id": "ü", "n": 1}}
OLDER = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"


def made(**query):
    [only] = parameters(payload(PATH, "ignored", "text/plain", query))
    return only


def test_without_an_event_the_redirect_is_the_event():
    result = made(u=TARGET, aid="a", tv="x", co="{")
    assert json.loads(result.pop("ue_pr")) == {"schema": UNSTRUCT, "data": REDIRECT}
    assert result == {"aid": "a", "tv": "r-tp2", "co": "{", "e": "ue", "p": "web"}


def test_the_platform_is_kept_even_without_a_value():
    assert made(u=TARGET, p=None)["p"] is None
    assert made(u=TARGET, p="mob")["p"] == "mob"


@pytest.mark.parametrize("query", [{}, {"co": ""}, {"co": None}, {"cx": None}])
def test_with_an_event_the_redirect_is_a_context(query):
    result = made(u=TARGET, e="se", **query)
    assert json.loads(result["co"]) == {"schema": CONTEXTS, "data": [REDIRECT]}
    assert "ue_pr" not in result and "u" not in result


def test_it_goes_before_the_contexts_that_are_there():
    result = made(u=TARGET, e="pv", co=json.dumps({"data": [USER], "schema": OLDER}))
    assert list(json.loads(result["co"]).items()) == [("data", [REDIRECT, USER]), ("schema", OLDER)]


def test_encoded_contexts_have_precedence_and_plain_ones_stay_as_they_are():
    encoded = base64.b64encode(json.dumps({"schema": OLDER, "data": [USER]}).encode()).decode()
    result = made(u=TARGET, e="pv", cx=encoded, co="{broken")
    raw = base64.urlsafe_b64decode(result["cx"].replace("\r\n", "") + "==")
    assert json.loads(raw) == {"schema": OLDER, "data": [REDIRECT, USER]}
    assert result["co"] == "{broken"


@pytest.mark.parametrize("contexts", ['{"schema":"x"}', '{"data":{"a":1}}', "[]", '"x"', "null"])
def test_contexts_without_a_list_pass_through(contexts):
    assert made(u=TARGET, e="pv", co=contexts)["co"] == contexts


def test_base64_comes_in_lines_without_padding():
    assert encode_base64("") == ""
    assert encode_base64("ÿ") == "w78"
    lines = encode_base64("x" * 100).split("\r\n")
    assert [len(line) for line in lines] == [76, 58]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, input_data("querystring", None, "empty querystring: not a valid URI redirect")),
        (
            {"u": None, "a": "b c", "e": ""},
            input_data("querystring", "u=null&a=b c&e=", "missing `u` parameter: not a valid URI redirect"),
        ),
        ({"u": "x", "e": "pv", "co": "{["}, not_json("co|cx", "{[", "expected \" got '[' (line 1, column 2)")),
        ({"u": "x", "e": "pv", "cx": "¢¢"}, not_json("co|cx", "", "exhausted input")),
    ],
)
def test_refusals_are_tracker_protocol_violations(query, expected):
    given = payload(PATH, query=query)
    assert failures(given) == [expected]
    assert refusal(given).type == "tracker_protocol_violations"


def test_an_empty_target_is_a_target():
    assert json.loads(made(u="")["ue_pr"])["data"]["data"] == {"uri": ""}
