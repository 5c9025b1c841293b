from __future__ import annotations

from tests.adapters.helpers import input_data, parameters, payload, refusal

PATH = "com.snowplowanalytics.snowplow/tp1"


def test_the_query_string_is_the_event_and_the_last_of_repeated_names_counts():
    query = [("e", "pv"), ("page", None), ("aid", "a"), ("e", "pp"), ("x", "")]
    assert parameters(payload(PATH, "ignored", "text/plain", query)) == [{"e": "pp", "page": None, "aid": "a", "x": ""}]


def test_an_empty_query_string_is_an_adapter_failure():
    row = refusal(payload(PATH, "body"))
    assert row.type == "adapter_failures"
    assert row.data["failure"] == {
        "timestamp": "2026-03-05T00:00:00Z",
        "vendor": "com.snowplowanalytics.snowplow",
        "version": "tp1",
        "messages": [input_data("querystring", None, "empty querystring: not a valid URI redirect")],
    }
