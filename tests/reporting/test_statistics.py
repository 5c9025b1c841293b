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
from snowetl.reporting.statistics import EARLIER, OTHER_TYPES, Merged, Statistics
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
        assert other.examples() == whole.examples()
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
    assert len(report.statistics.events) == 5_001
    assert report.statistics.events[OTHER_TYPES, EARLIER] == 100


def test_three_examples_of_each_schema_are_kept_and_cut() -> None:
    first, second = Report(), Report()
    first.statistics.keep(BadRow("a", {"long": "x" * 5000}))
    first.statistics.keep(BadRow("a", {"half": "\ud800"}))
    for number in range(5):
        second.statistics.keep(BadRow("a", {"number": number}))
        second.statistics.keep(BadRow("b", {"number": number}))
    for number in range(200):
        second.statistics.keep(BadRow(f"schema{number}", {}))
    examples = merged(first, second).examples()
    assert [len(row) for row in examples["a"]] == [4096, len('{"schema":"a","data":{"half":"?"}}'), 34]
    assert examples["b"] == [BadRow("b", {"number": number}).to_json() for number in range(3)]
    assert len(examples) == 100


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
    text = to_utf8(jsontext.dumps([merged(report).event_types() or {}, merged(report).examples()]))
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
    assert merged(arrived).examples() == merged(report).examples()
    assert event_types(arrived, report)["type0"]["2026-03-02 00"] == 2 * whole["type0"]["2026-03-02 00"]
