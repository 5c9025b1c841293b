from __future__ import annotations

from urllib.parse import urlencode

import pytest

from snowetl.adapters.mailchimp import nested, path_of
from snowetl.jvm.jsontext import MAX_DEPTH
from tests.adapters.helpers import (
    FORM,
    NO_BODY,
    event,
    failures,
    input_data,
    no_type,
    other_type,
    parameters,
    payload,
    unknown_type,
)

PATH = "com.mailchimp/v1"
NO_TYPE = "no `type` parameter provided: cannot determine event type"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("subscribe", "subscribe"),
        ("unsubscribe", "unsubscribe"),
        ("campaign", "campaign_sending_status"),
        ("cleaned", "cleaned_email"),
        ("upemail", "email_address_change"),
        ("profile", "profile_update"),
    ],
)
def test_every_type_has_its_schema_and_stays_in_the_event(sent, name):
    given = payload(PATH, f"type={sent}", FORM)
    assert event(given) == (f"com.mailchimp/{name}/jsonschema/1-0-0", {"type": sent})


def test_bracketed_names_nest():
    body = urlencode(
        {
            "type": "subscribe",
            "fired_at": "2026-03-02 8:00:00",
            "data[id]": "8a25ff1d98",
            "data[merges][FNAME]": "Ada",
            "data[merges][LNAME]": "",
        }
    )
    _, data = event(payload(PATH, body + "&data[none]", FORM))
    assert data == {
        "type": "subscribe",
        "fired_at": "2026-03-02T08:00:00.000Z",
        "data": {"id": "8a25ff1d98", "merges": {"FNAME": "Ada", "LNAME": ""}},
    }


def test_query_and_body_are_one_and_the_body_wins():
    given = payload(PATH, "type=cleaned&p=mob&eid=b&none", FORM, {"aid": "a", "eid": "q", "list[x]": "1"})
    assert event(given)[1] == {"type": "cleaned", "eid": "b", "list": {"x": "1"}}
    [made] = parameters(given)
    assert (made["aid"], made["p"], made["eid"], made["tv"]) == ("a", "mob", "b", "com.mailchimp-v1")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", ["a"]),
        ("a[b][c]", ["a", "b", "c"]),
        ("a[b][]", ["a", "b"]),
        ("[a]", ["", "a"]),
        ("a]b", ["a", "b"]),
        ("a[b]c", ["a", "b", "c"]),
        ("[]", ["[]"]),
    ],
)
def test_paths(name, path):
    assert path_of(name) == path


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "1"), ("a[b]", "2")], {"a": {"b": "2"}}),
        ([("a[b]", "1"), ("a", "2")], {"a": "2"}),
        ([("a[b]", "1"), ("a", "2"), ("a[c]", "3")], {"a": {"c": "3"}}),
        ([("a[b][c]", "1"), ("a[b][d]", "2"), ("e", "3")], {"e": "3", "a": {"b": {"d": "2", "c": "1"}}}),
        ([("a[b]", "1"), ("c", "2"), ("a[b]", "3")], {"a": {"b": "3"}, "c": "2"}),
    ],
)
def test_where_names_clash_the_later_wins(pairs, expected):
    assert nested([(path_of(name), value) for name, value in pairs]) == expected


def test_what_came_last_stands_first():
    merged = nested([(path_of(name), "x") for name in ("a", "b[c]", "b[d]", "e")])
    assert list(merged) == ["e", "b", "a"]
    assert list(merged["b"]) == ["d", "c"]


def test_bottomless_names():
    body = "type=subscribe&a" + "[b]" * MAX_DEPTH + "=1"
    assert failures(payload(PATH, body, FORM)) == [
        input_data("body", body, f"parameter nested deeper than {MAX_DEPTH} levels")
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (None, FORM, NO_BODY),
        ("type=x", None, no_type(FORM)),
        ("type=x", "text/html", other_type("text/html", FORM)),
        ("", FORM, input_data("body", "", NO_TYPE)),
        ("type", FORM, input_data("body", "type", NO_TYPE)),
        ("a=b", FORM, input_data("body", "a=b", NO_TYPE)),
        ("a=\n", FORM, input_data("body", "a=\n", "Illegal character in query at index 20: http://localhost/?a=\n")),
    ],
)
def test_refusals(body, content_type, expected):
    assert failures(payload(PATH, body, content_type, {"type": "subscribe"})) == [expected]


def test_unknown_types():
    assert unknown_type(failures(payload(PATH, "type=left", FORM))) == [
        ("left", "no schema associated with the provided type parameter")
    ]
    assert unknown_type(failures(payload(PATH, "type=", FORM))) == [
        ("", "cannot determine event type: type parameter empty")
    ]
