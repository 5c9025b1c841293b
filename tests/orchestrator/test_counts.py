"""The arithmetic of a run: what must be equal, and what is said where it is not."""

from __future__ import annotations

from typing import Any

from snowetl.orchestrator import counts

ATOMIC = "output=good/vendor=com.snowplowanalytics.snowplow/name=atomic/format=tsv/model=1"
CLICK = "output=good/vendor=com.acme-shop/name=linkClick/format=tsv/model=2"


def enrich(**changed: Any) -> dict[str, Any]:
    output = {"good": {"lines": 100}, "bad": {"lines": 5}}
    report = {"step": "enrich", "records": 110, "discarded": {"header line": 7}, "events": 100, "output": output}
    return report | {"badRows": {"schema_violations": 5}} | changed


def transform(**changed: Any) -> dict[str, Any]:
    tables = [
        {"table": ATOMIC, "rows": 90, "vendor": "com.snowplowanalytics.snowplow", "name": "atomic", "model": 1},
        {"table": CLICK, "rows": 40, "vendor": "com.acme-shop", "name": "linkClick", "model": 2},
        {"table": "output=bad/vendor=x/name=loader_parsing_error/format=json/model=2", "rows": 4},
    ]
    report = {"step": "transform", "records": 100, "events": 90, "duplicates": 7, "newIds": 2, "damages": 1}
    return report | {"duplicatesByKind": {"natural": 7}, "badRows": {"bad": 4}, "tables": tables} | changed


def load(**changed: Any) -> dict[str, Any]:
    tables = [
        {"table": "atomic.events", "rows": 89, "rejected": 1},
        {"table": "atomic.com_acme_shop_link_click_2", "rows": 40, "rejected": 0},
        {"table": "atomic.bad_rows", "rows": 9, "rejected": 0},
    ]
    return {"step": "load", "outcome": "loaded", "tables": tables} | changed


def test_rows_are_counted_by_the_table_they_are_for() -> None:
    assert counts.rows_by_table(transform()) == {"events": 90, "com_acme_shop_link_click_2": 40}
    assert counts.rows_by_table(transform(), max_identifier=10) == {"events": 90, "com_acme_s": 40}


def test_counts_that_meet() -> None:
    assert counts.before_load(enrich(), transform()) == []
    assert counts.after_load(transform(), load(), 63, 9) == []


def test_lines_that_went_missing_are_named() -> None:
    assert counts.before_load(enrich(), transform(records=99)) == [
        "100 lines of enriched output, but 99 lines transform read",
        "99 lines transform read, but 100 what transform made of them",
    ]
    assert counts.before_load(enrich(events=101), transform()) == [
        "101 enriched events, but 100 lines of enriched output"
    ]


def test_rows_that_went_missing_are_named() -> None:
    short = load(tables=[{"table": "atomic.events", "rows": 80, "rejected": 1}])
    assert counts.after_load(transform(), short, 63, 0) == [
        "40 rows for com_acme_shop_link_click_2, but 0 rows loaded",
        "90 rows for events, but 81 rows loaded",
    ]
    assert counts.after_load(transform(), load(), 63, 8) == ["8 rows for bad_rows, but 9 rows loaded"]


def test_an_empty_run_loads_nothing() -> None:
    assert counts.after_load(transform(), load(outcome="empty", tables=[]), 63, 9) == []


def test_the_table_follows_the_data() -> None:
    lines = list(counts.table_of([enrich(), transform(), load()]))
    assert [(line.name, line.number) for line in lines if line.level == 0] == [
        ("raw records", 110),
        ("enriched events", 100),
        ("bad rows of enrich", 5),
        ("events read by transform", 100),
        ("bad rows of transform", 4),
        ("events transformed", 90),
        ("rows for tables of events and entities", 130),
        ("rows loaded", 138),
    ]
    details = {line.name: line.number for line in lines if line.level == 1}
    assert details["discarded: header line"] == 7
    assert details["natural duplicates dropped"] == 7
    assert details["atomic.events, put aside in rejected_rows"] == 1
