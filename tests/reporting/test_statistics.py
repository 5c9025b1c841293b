"""Statistics of a report: what is counted and kept, and that it stays small whatever comes."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent
from snowetl.reporting.json_form import to_json
from snowetl.reporting.split_statistics import EARLIER, OTHER_TYPES, Statistics
from snowetl.reporting.statistics import Merged
from snowetl.storage.splits import Slice, Split


@dataclass
class Report:
    index: int = 0
    records: int = 10
    seconds: float = 1.0
    statistics: Statistics = field(default_factory=Statistics)


def event(type_: str, tstamp: str, name: str = "") -> EnrichedEvent:
    made = EnrichedEvent()
    made["event"], made["collector_tstamp"], made["event_name"] = type_, tstamp, name
    return made


def counted(*events: EnrichedEvent) -> Report:
    report = Report()
    for one in events:
        report.statistics.count(one.texts)
    return report


def merged(*reports: Any) -> Merged:
    found = Merged()
    for report in reports:
        found.add(report)
    return found


def event_types(*reports: Any) -> dict[str, dict[str, int]]:
    return merged(*reports).event_types() or {}


def test_what_is_kept_does_not_depend_on_the_order_of_splits() -> None:
    reports = []
    for index in range(40):
        report = Report(index=index)
        for number in range(5):
            report.statistics.keep(BadRow(f"schema{(index * 7 + number) % 130}", {"split": index, "number": number}))
        reports.append(report)
    whole = merged(*reports)
    for other in (merged(*reversed(reports)), merged(*reports[20:], *reports[:20])):
        assert other.bad_reasons() == whole.bad_reasons()
        assert other.slowest() == whole.slowest()


def test_events_are_counted_by_name_or_else_type_and_by_hour() -> None:
    first = counted(
        event("unstruct", "2026-03-02 10:59:59.999", "add_to_cart"),
        event("unstruct", "2026-03-02 11:00:00.000", "add_to_cart"),
        event("struct", "2026-03-02 11:30:00.000"),
    )
    second = counted(event("struct", "2026-03-02 11:45:00.000"))
    assert merged(first, second).event_types() == {
        "add_to_cart": {"2026-03-02 10": 1, "2026-03-02 11": 1},
        "struct": {"2026-03-02 11": 2},
    }


def test_rare_types_and_early_hours_are_summed_up() -> None:
    events = [event(f"type{number}", "2026-03-02 10:00:00.000") for number in range(300)]
    events += [event("pv", f"{1000 + year}-01-01 00:00:00.000") for year in range(1000)]
    table = event_types(counted(*events))
    assert len(table) == 201
    assert table[OTHER_TYPES] == {"2026-03-02 10": 101}
    assert table["pv"][EARLIER] == 1000 - 743
    assert sum(sum(row.values()) for row in table.values()) == 1300


def test_a_worker_counts_no_more_than_it_can_hold() -> None:
    report = counted(*(event(f"type{number}", "2026-03-02 10:00:00.000") for number in range(5_100)))
    report.statistics.fold()
    assert len(report.statistics.events) == 5_001
    assert report.statistics.events[OTHER_TYPES, EARLIER] == 100


def failed(app: str, error: str, schema: str = "a") -> BadRow:
    parameters = [{"name": "aid", "value": app}, {"name": "tv", "value": "js-3"}]
    failure = {"messages": [{"enrichment": None, "message": {"field": "se_va", "value": app, "expectation": error}}]}
    return BadRow(schema, {"failure": failure, "payload": {"raw": {"parameters": parameters}}})


def test_bad_rows_are_counted_by_reason_with_their_senders_and_examples() -> None:
    first, second = Report(0), Report(1)
    for app in ("web", "shop", "shop"):
        first.statistics.keep(failed(app, "too big"))
    second.statistics.keep(failed("shop", "too big"))
    second.statistics.keep(failed("x" * 5000, "too small"))
    second.statistics.keep(failed("half \ud800", "half \ud800", "b"))
    big, small, half = merged(second, first).bad_reasons()
    assert (big.schema, big.field, big.reason, big.count) == ("a", "se_va", "se_va: too big", 4)
    assert (big.apps, big.trackers) == ({"shop": 3, "web": 1}, {"js-3": 4})
    assert big.faults == ['se_va = "web": too big', 'se_va = "shop": too big', 'se_va = "shop": too big']
    assert big.examples[0] == failed("web", "too big").to_json()
    assert len(small.examples[0]) == 4096
    assert half.reason == "se_va: half ?"


def test_what_bad_rows_say_is_bounded() -> None:
    report = Report()
    for number in range(1_200):
        report.statistics.keep(failed(f"app{number}", f"error {number}"))
        report.statistics.keep(failed(f"app{number}", "the same"))
    shown = merged(report).bad_reasons()
    assert len(shown) <= 101
    assert sum(reason.count for reason in shown) == 2_400
    [same] = [reason for reason in shown if reason.reason == "se_va: the same"]
    assert len(same.apps) == 21
    assert same.apps["(others)"] == 1_180
    assert len(pickle.dumps(report)) < 20_000


def test_events_are_counted_by_source() -> None:
    events = []
    for number in range(5):
        made = event("pv", "2026-03-02 10:00:00.000")
        made["app_id"], made["platform"], made["v_tracker"] = ("shop", "web", "js-3") if number else ("x" * 900, "", "")
        events.append(made)
    first, second = merged(counted(*events)).sources()
    assert (first.app_id, first.platform, first.tracker, first.events) == ("shop", "web", "js-3", 4)
    assert (second.app_id, second.events) == ("x" * 200, 1)


def test_any_number_of_sources_and_minutes_is_counted_in_bounded_memory() -> None:
    report = Report()
    for number in range(12_000):
        made = event(f"type{number % 7}", f"2026-{1 + number % 12:02d}-02 {number % 24:02d}:{number % 59:02d}:00.000")
        made["app_id"] = f"app{number}"
        report.statistics.count(made.texts)
    assert len(report.statistics._cells) <= 5_000
    whole = merged(report, pickle.loads(pickle.dumps(report)))
    assert sum(source.events for source in whole.sources()) == 24_000
    assert len(whole.sources()) <= 401
    timeline = whole.timeline()
    assert timeline is not None
    assert sum(timeline.counts.values()) == 24_000


def test_the_slowest_splits_are_shown_with_their_files() -> None:
    split = Split(7, tuple(Slice(f"s3://bucket/raw/{number}.gz") for number in (1, 1, 2, 3, 4)))
    reports = [Report(index, seconds=index / 10) for index in range(150)]
    reports[7].statistics = Statistics.of(split)
    reports[7].seconds = 99.12345
    shown = to_json(merged(*reports).slowest())
    assert len(shown) == 100
    assert shown[0] == {
        "index": 7, "files": ["1.gz", "2.gz", "3.gz"], "fileCount": 4, "records": 10, "seconds": 99.123,
    }  # fmt: skip
    assert shown[1]["index"] == 149


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=20))
def test_whatever_events_say_can_be_written(events: list[tuple[str, str, str]]) -> None:
    report = counted(*(event(*columns) for columns in events))
    for columns in events:
        report.statistics.keep(BadRow(columns[0], {columns[1]: columns[2]}))
    text = to_utf8(jsontext.dumps([merged(report).event_types() or {}, to_json(merged(report).bad_reasons())]))
    assert sum(sum(row.values()) for row in json.loads(text)[0].values()) == len(events)


def test_they_travel_small_and_arrive_whole() -> None:
    report = counted(
        *(event(f"type{number % 40}", f"2026-03-02 {number % 24:02d}:00:00.000") for number in range(2_000))
    )
    for number in range(30):
        report.statistics.keep(BadRow(f"schema{number % 10}", {"payload": f"{number} " * 1000}))
    whole = event_types(report)
    travelled = pickle.dumps(report)
    assert len(travelled) < 10_000
    arrived = pickle.loads(travelled)
    assert len(pickle.dumps(arrived)) < 10_000
    assert event_types(arrived) == whole
    assert merged(arrived).bad_reasons() == merged(report).bad_reasons()
    assert event_types(arrived, report)["type0"]["2026-03-02 00"] == 2 * whole["type0"]["2026-03-02 00"]
