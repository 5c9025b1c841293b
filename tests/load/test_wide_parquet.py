"""Wide rows in Parquet: typed columns of ``events``, in every warehouse that loads them. See ``test_warehouses.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import LoadError
from tests.load.places import loads_parquet, places, start
from tests.load.places.base import Place
from tests.load.runs import schema
from tests.load.transformed import click, event

INNER = {"type": "object", "properties": {"a": {"type": "integer"}}}
CLICK = {"1-0-0": schema(url={"type": "string"}, n={"type": "integer"}, inner=INNER, required=["url"])}
LATER = CLICK | {
    "1-0-1": schema(
        url={"type": "string"}, n={"type": "integer"}, t={"type": "string", "format": "date-time"},
        inner=INNER | {"properties": INNER["properties"] | {"b": {"type": "array", "items": {"type": "string"}}}},
        required=["url"],
    )
}  # fmt: skip
COLUMN, ENTITIES = "unstruct_event_com_acme_click_1", "contexts_com_acme_click_1"


@pytest.fixture(params=places(loads_parquet))
def place(request: pytest.FixtureRequest) -> Place:
    """Each of these warehouses in turn, empty."""
    return start(request.param, request)


def outcomes(report: Any) -> list[tuple[str, int, str | None]]:
    return [(table.table.rpartition(".")[2], table.rows, table.change) for table in report.tables]


def test_a_run_lands_in_typed_columns_of_events(place: Place) -> None:
    lines = [click(1, url="x", n=5, inner={"a": 1}), event(2, page_title="a\\tb", tr_total="1.50", br_cookies="1")]
    report = place.load_from(place.run("1", lines, click=CLICK))
    assert report.outcome == "loaded" and report.rows == 2
    found = place.query(
        f"SELECT {COLUMN}.url, {COLUMN}.n, {COLUMN}.inner.a, len({ENTITIES}), {ENTITIES}[2].url, page_title, "
        "tr_total::VARCHAR, br_cookies, collector_tstamp::TIMESTAMP::VARCHAR, load_tstamp::TIMESTAMP::VARCHAR "
        "FROM events ORDER BY event_id"
    )
    times = ("2026-01-02 03:04:05.678", "2026-01-02 03:04:05")
    assert found == [
        ("x", 5, 1, 2, "x", None, None, None, *times),
        (None, None, None, None if place.holds_null_composites else 0, None, "a\\tb", "1.50", True, *times),
    ]


def test_columns_and_fields_come_with_the_rows(place: Place) -> None:
    place.load_from(place.run("1", [event(1)]))
    place.load_from(place.run("2", [click(2, url="x", n=5)], run="run=2026-01-03-00-00-00", click=CLICK))
    later = [click(3, "1-0-1", url="y", t="2026-05-06T07:08:09Z", inner={"a": 2, "b": ["p", "q"]})]
    report = place.load_from(place.run("3", later, run="run=2026-01-04-00-00-00", click=LATER))
    assert outcomes(report) == [("events", 1, "4 columns added")]
    report = place.load_from(place.run("4", [click(4, url="z")], run="run=2026-01-05-00-00-00", click=LATER))
    assert outcomes(report) == [("events", 1, None)]
    assert place.query(
        f"SELECT {COLUMN}.url, {COLUMN}.n, {COLUMN}.t::TIMESTAMP::VARCHAR, nullif({ENTITIES}[1].inner.b, []) "
        "FROM events ORDER BY event_id"
    ) == [
        (None, None, None, None),
        ("x", 5, None, None),
        ("y", None, "2026-05-06 07:08:09", ["p", "q"]),
        ("z", None, None, None),
    ]


def test_a_column_whose_type_changed_in_the_registry_gets_one_of_its_own(place: Place) -> None:
    place.load_from(place.run("1", [click(1, url="x", n=5)], click=CLICK))
    patched = {"1-0-0": schema(url={"type": "string"}, n={"type": "string"}, required=["url"])}
    run = place.run("2", [click(2, url="y", n="six")], run="run=2026-01-03-00-00-00", click=patched)
    [(_, rows, change)] = outcomes(place.load_from(run))
    assert rows == 1 and change is not None and f"{COLUMN} has another type than the table's column" in change
    [own] = [name for name in place.columns() if name.startswith(f"{COLUMN}_recovered_")]
    assert place.query(f"SELECT {COLUMN}.n, {own}.n FROM events ORDER BY event_id") == [(5, None), (None, "six")]


def test_bad_rows_become_a_table(place: Place, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text(
        "no json\n"
        '{"schema":"iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0","data":{"processor":'
        '{"artifact":"a","version":"1"},"failure":{"timestamp":"2026-01-02T03:04:05.678Z","errors":["x"]},'
        '"payload":"p"}}\n'
    )
    run = place.run("1", [event(1)])
    assert place.load_from(run).outcome == "loaded"
    report = place.load_from(run, bad=str(bad))
    assert report.outcome == "already loaded" and outcomes(report) == [("bad_rows", 2, None)]
    assert place.load_from(run, bad=str(bad)).tables == []
    found = place.query(
        "SELECT type, failure_tstamp::TIMESTAMP::VARCHAR, failure->>'$.errors[0]' FROM bad_rows ORDER BY type"
    )
    assert found == [("generic_error", "2026-01-02 03:04:05.678", "x"), ("unreadable", None, None)]


def test_L4_half_a_file_leaves_nothing(place: Place) -> None:
    run = Path(place.make("1", [event(1), event(2)]))
    [part] = run.glob("output=good/*.parquet")
    part.write_bytes(part.read_bytes()[:2000])
    with pytest.raises(LoadError, match="is damaged"):
        place.load(str(run))
    assert place.count() == place.count("manifest") == 0
