from __future__ import annotations

from urllib.parse import urlencode

import pytest

from snowetl.adapters.google_analytics import lines_of
from tests.adapters.helpers import entities, event, events, failures, input_data, parameters, payload, unknown_type

PATH = "com.google.analytics/v1"
VENDOR = "com.google.analytics.measurement-protocol"
REGEX = r"composite field name has to conform to regex (pr|promo|il|cd|cm|cg)(\d+)([a-zA-Z]*)(\d*)([a-zA-Z]*)(\d*)$"


def hit(**sent: str) -> str:
    return urlencode(sent)


def named(**data) -> list:
    return [(f"{VENDOR}/{name}/jsonschema/1-0-0", value) for name, value in data.items()]


def contexts(body: str) -> list:
    [made] = parameters(payload(PATH, body))
    return entities(made)


@pytest.mark.parametrize(
    ("sent", "name", "data"),
    [
        (hit(t="pageview", dl="https://x", dh="h", dp="/p", dt="T"), "page_view", None),
        (hit(t="screenview", cd="Home"), "screen_view", {"screenName": "Home"}),
        (
            hit(t="event", ec="c", ea="a", el="l", ev="+07"),
            "event",
            {"category": "c", "action": "a", "label": "l", "value": 7},
        ),
        (
            hit(t="transaction", ti="1", tr="12.345", ts="1e1", tt="0"),
            "transaction",
            {"id": "1", "revenue": 12.34, "shipping": 10.0, "tax": 0.0},
        ),
        (
            hit(t="item", ti="1", ip="12.228", iq="2", cu="EUR"),
            "item",
            {"transactionId": "1", "price": 12.23, "quantity": 2, "currencyCode": "EUR"},
        ),
        (hit(t="social", sn="n", sa="a", st="t"), "social", {"network": "n", "action": "a", "actionTarget": "t"}),
        (hit(t="exception", exd="d", exf="1"), "exception", {"description": "d", "isFatal": True}),
        (hit(t="timing", utt="5", srt="6"), "timing", {"userTimingTime": 5, "serverResponseTime": 6}),
    ],
)
def test_hit_types(sent, name, data):
    data = data or {
        "documentLocationUrl": "https://x",
        "documentHostName": "h",
        "documentPath": "/p",
        "documentTitle": "T",
    }
    assert event(payload(PATH, sent)) == (f"{VENDOR}/{name}/jsonschema/1-0-0", data)


def test_every_line_is_a_hit_and_the_query_string_does_not_count():
    given = payload(PATH, "t=screenview&cd=a\r\nt=social\n", "any/thing", {"aid": "a", "p": "mob"})
    assert [schema.split("/")[1] for schema, _ in events(given)] == ["screen_view", "social"]
    for made in parameters(given):
        assert (made["p"], made["tv"], "aid" in made) == ("srv", f"{VENDOR}-v1", False)


@pytest.mark.parametrize(
    ("body", "lines"),
    [("a", ["a"]), ("a\n", ["a"]), ("a\n\nb\fc\r\n", ["a", "", "b", "c"]), ("a\rb", ["a\rb"]), ("\n", [""])],
)
def test_lines(body, lines):
    assert lines_of(body) == lines


def test_parameters_of_the_tracker_protocol():
    sent = hit(t="transaction", ti="7", cu="EUR", uip="1.2.3.4", dr="r", de="UTF-8", sd="24", ul="en", je="0", ua="x")
    [made] = parameters(payload(PATH, sent + "&dt"))
    direct = {"tr_id": "7", "tr_cu": "EUR", "ip": "1.2.3.4", "refr": "r", "cs": "UTF-8", "cd": "24", "lang": "en"}
    assert direct.items() <= made.items()
    assert (made["f_java"], made["ua"], made["page"]) == ("0", "x", None)
    [made] = parameters(payload(PATH, hit(t="item", ti="7", cu="EUR", ip="0.5")))
    assert (made["ti_id"], made["ti_cu"], made["ti_pr"]) == ("7", "EUR", "0.5")


def test_plain_entities():
    found = contexts(hit(t="event", v="1", cid="c", aip="0", _s="3", a="9", an="App"))
    assert sorted(found) == sorted(
        [
            *named(
                general={"protocolVersion": "1", "anonymizeIp": False},
                user={"clientId": "c"},
                app={"name": "App"},
                hit={"type": "event"},
            ),
            ("com.google.analytics/private/jsonschema/1-0-0", {"s": 3}),
            ("com.google.analytics/undocumented/jsonschema/1-0-0", {"a": "9"}),
        ]
    )


def test_a_page_view_is_an_entity_of_other_hits_only():
    page_view = named(page_view={"documentHostName": "h"})[0]
    assert page_view in contexts(hit(t="event", dh="h"))
    assert page_view not in contexts(hit(t="pageview", dh="h"))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (hit(cd12="x"), named(custom_dimension={"index": 12, "value": "x"})),
        (hit(cm1="1.5"), named(custom_metric={"index": 1, "value": 1.5})),
        (hit(cg2="g"), named(content_group={"index": 2, "value": "g"})),
        (hit(promo1id="i", promo1nm="n"), named(promotion={"index": 1, "id": "i", "name": "n"})),
        (hit(pr1cd3="x"), named(product_custom_dimension={"productIndex": 1, "dimensionIndex": 3, "value": "x"})),
        (hit(pr1cm3="4"), named(product_custom_metric={"productIndex": 1, "metricIndex": 3, "value": 4})),
        (hit(il1nm="n"), named(product_impression_list={"index": 1, "name": "n"})),
        (
            hit(il1pi2cd3="x"),
            named(
                product_impression_custom_dimension={
                    "listIndex": 1,
                    "productIndex": 2,
                    "customDimensionIndex": 3,
                    "value": "x",
                }
            ),
        ),
        (
            hit(pr1id="a", pr2id="b", pr1pr="1.005", pr2pr="2", cu="EUR"),
            [
                *named(product={"currencyCode": "EUR", "index": 1, "sku": "a", "price": 1.0}),
                *named(product={"currencyCode": "EUR", "index": 2, "sku": "b", "price": 2.0}),
            ],
        ),
    ],
)
def test_composite_entities(sent, expected):
    found = contexts(f"t=social&{sent}")
    assert found[0] == named(hit={"type": "social"})[0]
    assert [(name, data) for name, data in found[1:] if data in [value for _, value in expected]] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, input_data("body", None, "empty body")),
        ("", input_data("body", None, "empty body")),
        ("v=1", input_data("body", "v=1", "no t parameter provided: cannot determine hit type")),
        ("t", input_data("body", "t", "no t parameter provided: cannot determine hit type")),
        (
            "t=event&x=\x01",
            input_data(
                "body", "t=event&x=\x01", "Illegal character in query at index 28: http://localhost/?t=event&x=\x01"
            ),
        ),
        ("t=event&ev=1.0", input_data("value", "1.0", "cannot be converted to java.lang.Integer")),
        ("t=event&ev=nil", input_data("value", "nil", "cannot be converted to java.lang.Integer")),
        ("t=item&ip=1,5", input_data("price", "1,5", "cannot be converted to Double")),
        (
            "t=event&aip=yes",
            input_data("anonymizeIp", "yes", "cannot be converted to boolean, only 1 or 0 are supported"),
        ),
        ("t=event&utm1=x", input_data("utm1", None, REGEX)),
        ("t=event&pr1qt=x", input_data("quantity", "x", "cannot be converted to java.lang.Integer")),
        ("t=event&cd99999999999=x", input_data("index", "99999999999", "cannot be converted to java.lang.Integer")),
    ],
)
def test_refusals(body, expected):
    messages = failures(payload(PATH, body))
    assert expected in messages


def test_all_failures_of_all_lines_are_told():
    messages = failures(payload(PATH, "t=view&ni=x&x1=1\nt=\n\nt=social"))
    assert messages[0] == input_data("t", "view", "no matching hit type")
    assert unknown_type(messages[1:2]) == [("view", "no schema associated with the provided type parameter")]
    assert [message["field"] for message in messages[2:4]] == ["nonInteractionHit", "x1"]
    assert unknown_type(messages[5:6]) == [("", "cannot determine event type: type parameter empty")]
    assert messages[6] == input_data("body", "", "no t parameter provided: cannot determine hit type")
    assert len(messages) == 7


def test_beyond_doubles_there_is_null():
    assert event(payload(PATH, hit(t="item", ip="1e999999999")))[1] == {"price": None}
    assert event(payload(PATH, hit(t="item", ip="1e-999999999")))[1] == {"price": 0.0}


@pytest.mark.parametrize("null", ["null", "NULL", "nUlL"])
def test_F1_the_text_null_is_the_integer_0(null: str) -> None:
    timing = event(payload(PATH, hit(t="timing", srt=null, clt=null)))
    assert timing == (f"{VENDOR}/timing/jsonschema/1-0-0", {"serverResponseTime": 0, "contentLoadTime": 0})
    made_contexts = dict(contexts(hit(t="pageview", _s=null, cos=null, il3pi4ps=null, pr2cm9=null)))
    assert made_contexts["com.google.analytics/private/jsonschema/1-0-0"] == {"s": 0}
    assert made_contexts[f"{VENDOR}/product_action/jsonschema/1-0-0"] == {"checkoutStep": 0}
    assert made_contexts[f"{VENDOR}/product_impression/jsonschema/1-0-0"]["position"] == 0
    assert made_contexts[f"{VENDOR}/product_custom_metric/jsonschema/1-0-0"]["value"] == 0


@pytest.mark.parametrize(("parameter", "name"), [("tr", "revenue"), ("cm5", "value"), ("pr1pr", "price")])
def test_F1_the_text_null_is_no_decimal(parameter: str, name: str) -> None:
    body = hit(t="transaction", ti="1", **{parameter: "null"})
    assert failures(payload(PATH, body)) == [input_data(name, "null", "cannot be converted to Double")]
