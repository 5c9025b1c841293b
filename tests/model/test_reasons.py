"""Bad rows in words: what is said of each kind of failure, and that nothing in a bad row can make it fail."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.model import reasons
from snowetl.testing import enrich, event, tp2
from snowetl.testing.requests import record

UNKNOWN = "is not defined in the schema and the schema does not allow additional properties"
CASES = (
    (tp2({"e": "se", "se_va": "twelve"}), 'se_va = "twelve" is not a number', "se_va is not a number"),
    (
        tp2({"e": "pv", "vp": "10*20"}),
        'vp = "10*20" is not a size such as 1280x720',
        "vp is not a size such as 1280x720",
    ),
    (tp2({"e": "pv", "cookie": "yes"}), 'cookie = "yes" is neither 0 nor 1', "cookie is neither 0 nor 1"),
    (tp2({"e": "pv", "dtm": "now"}), 'dtm = "now" is not a time in milliseconds since 1970', None),
    (tp2({"e": "pv", "tid": "x"}), 'tid = "x" is not a whole number of 32 bits', None),
    (tp2({"e": "pv", "co": "{"}), 'co = "{" is not JSON', None),
    (
        tp2({"e": "pv", "aid": "a" * 256}),
        "app_id is longer than the 255 characters its column holds",
        "app_id is longer than the 255 characters its column holds",
    ),
    (
        tp2(event("iglu:com.acme/none/jsonschema/1-0-0", {})),
        "com.acme/none/1-0-0 is in none of the registries",
        "com.acme/none/1-0-0 is in none of the registries",
    ),
    (
        tp2({"e": "pv"}, {"e": "pv", "colour": "red"}),
        f"com.snowplowanalytics.snowplow/payload_data/1-0-4 $[1].colour: {UNKNOWN}",
        f"com.snowplowanalytics.snowplow/payload_data/1-0-4 $[*].colour: {UNKNOWN}",
    ),
    (
        record(path="/com.example/v9"),
        'vendor/version = "com.example/v9": vendor/version combination is not supported',
        None,
    ),
)


@pytest.mark.parametrize(("sent", "shown", "reason"), CASES)
def test_a_fault_in_words(sent: bytes, shown: str, reason: str | None) -> None:
    [row] = enrich(sent).bad_rows
    fault = reasons.first_fault(row.data)
    assert str(fault) == shown
    assert reason is None or fault.reason == reason


def test_who_sent_it() -> None:
    rows = enrich(
        tp2({"e": "se", "se_va": "x", "aid": "shop", "tv": "js-3"}),
        tp2({"e": "pv", "colour": "red", "aid": "shop", "tv": "js-3"}),
        record(path="/com.example/v9", querystring="aid=shop&tv=js-3"),
    ).bad_rows
    assert [reasons.sender(row.data) for row in rows] == [("shop", "js-3")] * 3
    [row] = enrich(b"nothing").bad_rows
    assert reasons.sender(row.data) == ("", "")


@pytest.mark.parametrize(
    ("failure", "shown"),
    [
        ({"type": "NotTSV"}, "the line has no tab: it is not an enriched event"),
        ({"type": "FieldNumberMismatch", "fieldCount": 3}, "the line has 3 columns, an enriched event has 131"),
        ([{"schemaKey": "iglu:a/b/jsonschema/1-0-0", "value": 7, "expected": "a string"}],
         'a/b/1-0-0 = "7": the value should be a string'),
        ("boom", "boom"),
        ({"errors": ["Oops: x\n  at y"]}, "Oops: x"),
        (None, "no reason is given"),
    ],
)  # fmt: skip
def test_failures_of_the_transform_and_of_nobody(failure: Any, shown: str) -> None:
    assert str(reasons.first_fault({"failure": failure})) == shown


KEYS = (
    *("failure", "payload", "messages", "message", "error", "enrichment", "schemaKey", "field", "value", "errors"),
    *("dataReports", "raw", "querystring", "parameters", "name", "body", "type", "lookupHistory", "actualSizeBytes"),
    *("json", "expected", "expectation", "app_id", "enriched"),
)
anything = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.just("x" * 5000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@given(anything)
def test_any_bad_row_has_a_reason_and_a_sender(data: Any) -> None:
    for fault in reasons.faults(data):
        assert len(str(fault)) < 5 * reasons.MAX_TEXT
    assert all(len(text) <= reasons.MAX_TEXT + 1 for text in reasons.sender(data))
