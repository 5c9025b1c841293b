from __future__ import annotations

import pytest

from tests.adapters.helpers import event, failures, input_data, not_json, parameters, payload, unknown_type

PATH = "com.pingdom/v1"
REGEX = r"should not pass regex \(u'(.+)',\)"


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("assign", "incident_assign"),
        ("notify_user", "incident_notify_user"),
        ("notify_of_close", "incident_notify_of_close"),
    ],
)
def test_every_action_has_its_schema(action, name):
    message = f'{{"check":"1","action":"{action}","sub":{{"action":1}}}}'
    given = payload(PATH, query={"message": message, "aid": "a", "p": "mob"})
    assert event(given) == (f"com.pingdom/{name}/jsonschema/1-0-0", {"check": "1", "sub": {"action": 1}})
    assert [parameters(given)[0][name] for name in ("aid", "p")] == ["a", "mob"]


def test_python_tuples_are_refused_one_by_one():
    query = [("p", "(u'app's',)"), ("a", "(u'',)"), ("message", "{"), ("p", "(u'x',)"), ("q", "(u'x\ny',)")]
    assert failures(payload(PATH, query=query)) == [input_data("p", "app's", REGEX), input_data("p", "x", REGEX)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, input_data("querystring", None, "empty querystring: no events to process")),
        ({"message": None, "a": "b"}, input_data("querystring", "message=null&a=b", "no `message` parameter provided")),
        ({"message": ""}, not_json("message", "", "exhausted input")),
    ],
)
def test_refusals(query, expected):
    assert failures(payload(PATH, query=query)) == [expected]


def test_unknown_actions():
    assert unknown_type(failures(payload(PATH, query={"message": '{"action":"x"}'}))) == [
        ("x", "no schema associated with the provided type parameter")
    ]
    assert unknown_type(failures(payload(PATH, query={"message": "[]"}))) == [
        (None, "cannot determine event type: type parameter not provided")
    ]
