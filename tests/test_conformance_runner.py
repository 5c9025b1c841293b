"""The conformance runner tells a deviation by rule from a fault, wherever the value stands."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from tests.conformance.compare import Mismatch
from tests.conformance.suites import end_to_end, oracle

CREATED, SENT, COLLECTOR = "2023-01-31 10:00:00.000", "2023-03-01 10:00:00.000", "2023-05-31 12:00:00.000"
TIMES = {"dvce_created_tstamp": CREATED, "dvce_sent_tstamp": SENT, "collector_tstamp": COLLECTOR}
OURS = "2023-05-02 12:00:00.000"  # 29 days before the collector's time


@pytest.mark.parametrize("place", ["", "payload.enriched.", "bad[0].payload.enriched."])
def test_f8_the_calendar_rule_is_named_in_events_and_in_bad_rows(place: str) -> None:
    seen = Mismatch(f"{place}derived_tstamp", "2023-04-30 12:00:00.000", OURS)
    assert oracle._explained(seen, TIMES).field == f"{place}derived_tstamp(calendar)"


@pytest.mark.parametrize("got", ["2023-05-02 12:00:00.001", "2023-04-30 12:00:00.000", None])
def test_f8_another_value_stays_a_mismatch(got: str | None) -> None:
    seen = Mismatch("derived_tstamp", "2023-04-30 12:00:00.000", got)
    assert oracle._explained(seen, TIMES) == seen


def test_f8_years_before_1_and_after_9999_are_compared_too() -> None:
    day = 86_400_000
    first = oracle._millis("1-01-01 00:00:00.000")
    assert first is not None
    assert oracle._millis("0-12-31 00:00:00.000") == first - day
    assert oracle._millis("0-01-01 00:00:00.000") == first - 366 * day  # the year 0 leaps
    assert oracle._millis("-1-12-31 00:00:00.000") == first - 367 * day
    assert oracle._millis("10000-01-01 00:00:00.000") == first + 3_652_059 * day
    assert oracle._millis("yesterday") is None


def test_f8_a_case_that_needs_a_remote_adapter_is_run_with_one() -> None:
    needed = {"vendor": "com.acme", "version": "v1", "response": {"status": 503, "body": "no"}}
    with end_to_end._remote_adapters({"requires": [needed | {"kind": "remote_adapter"}]}) as adapters:
        assert [(one["vendor"], one["version"]) for one in adapters] == [("com.acme", "v1")]
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(adapters[0]["url"], data=b"{}", timeout=10)
    with end_to_end._remote_adapters({}) as none:
        assert none == []
