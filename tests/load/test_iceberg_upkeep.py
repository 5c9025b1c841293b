"""What a vacuum does to tables of Iceberg: rows stay as they are, and loads that come in between are not lost."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import LoadError
from snowetl.load.warehouses.iceberg import table as tables
from snowetl.load.warehouses.iceberg import upkeep
from snowetl.load.warehouses.iceberg.catalog import catalog_of
from tests.load.places import start
from tests.load.places.iceberg import Iceberg
from tests.load.runs import schema
from tests.load.transformed import click, event

pytestmark = pytest.mark.slow

URL, NUMBER = {"type": "string"}, {"type": "integer"}
CLICK = {"1-0-0": schema(url=URL, n=NUMBER)}
LATER = CLICK | {"1-0-1": schema(url=URL, n=NUMBER, inner={"type": "object", "properties": {"a": URL, "b": NUMBER}})}
RUN = "run=2026-01-02-0{}-00-00"


@pytest.fixture
def lake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iceberg:
    """Three runs of a day: files of clicks and of page views, the last with a field that the others lack."""
    monkeypatch.setattr(upkeep, "LEAST_FILES", 2)
    place = start("iceberg", request)
    assert isinstance(place, Iceberg)
    load(place, 1, [click(1, url="x", n=1), event(2, event_name="page_view"), event(3, event_name="")])
    load(place, 2, [click(4, url="y"), event(5), event(6, event_name="page_view")])
    load(place, 3, [click(7, "1-0-1", url="z", inner={"a": "b"}), event(8, event_name="")])
    return place


def load(place: Iceberg, number: int, lines: list[str]) -> None:
    place.load_from(place.run(str(number), lines, RUN.format(number), click=LATER))


def vacuum(place: Iceberg, *names: str) -> None:
    with place.target.open() as warehouse, warehouse.session() as session:
        for name in names or ("events", "bad_rows"):
            session.vacuum(name)


def rows(place: Iceberg, table: str = "events") -> list[dict[str, Any]]:
    """As other code than the loader's reads them: null arrays are none that are empty."""
    return sorted(place.read(table).to_pylist(), key=str)


def iceberg_table(place: Iceberg, table: str = "events") -> Any:
    return catalog_of(str(place.target.database)).load_table((place.target.schema, table))


def names_of(place: Iceberg, table: str = "events") -> set[str]:
    """The data files of today's snapshot."""
    return {task.file.file_path.rpartition("/")[2] for task in iceberg_table(place, table).scan().plan_files()}


def on_disk(place: Iceberg, table: str = "events") -> set[str]:
    return {path.name for path in Path(str(place.target.database)).rglob(f"{table}/data/*.parquet")}


def test_small_files_of_a_partition_become_one(lake: Iceberg) -> None:
    before, manifest = rows(lake), rows(lake, "manifest")
    assert len(names_of(lake)) == 7 and {row["contexts_com_acme_click_1"] is None for row in before} == {True, False}
    vacuum(lake)
    assert rows(lake) == before and rows(lake, "manifest") == manifest
    assert len(names_of(lake)) == 3 and len(names_of(lake, "manifest")) == 1
    assert iceberg_table(lake).scan().count() == 8
    vacuum(lake)
    assert rows(lake) == before and len(names_of(lake)) == 3
    load(lake, 4, [event(9)])
    assert len(rows(lake)) == 9 and lake.count("manifest") == 4


def test_files_of_expired_snapshots_are_removed(lake: Iceberg, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(lake)
    vacuum(lake)
    assert len(on_disk(lake)) == 10  # readers of yesterday's snapshots find theirs
    monkeypatch.setattr(tables, "_KEPT", timedelta(0))
    vacuum(lake)
    assert on_disk(lake) == names_of(lake) and rows(lake) == before
    assert on_disk(lake, "manifest") == names_of(lake, "manifest")


def test_only_old_files_of_ours_that_no_snapshot_names_are_removed(lake: Iceberg) -> None:
    folder = Path(str(lake.target.database)) / "atomic/events/data"
    ours, young = "0" * 8 + "-0000-4000-8000-" + "0" * 12, "1" * 8 + "-0000-4000-8000-" + "0" * 12
    for name in (ours, young, "00000-1-of-spark"):
        (folder / f"{name}.parquet").write_bytes(b"x")
    for path in folder.iterdir():
        if path.stem != young:
            os.utime(path, (1_000_000_000, 1_000_000_000))
    before = rows(lake)
    vacuum(lake)
    assert rows(lake) == before
    assert {path.stem for path in folder.iterdir() if path.stat().st_size == 1} == {young, "00000-1-of-spark"}
    assert len(on_disk(lake)) == 12


def test_a_load_in_between_is_not_lost(lake: Iceberg, monkeypatch: pytest.MonkeyPatch) -> None:
    before, replace = rows(lake), upkeep._replace
    loads: list[int] = []

    def after_a_load(table: Any, rewrites: Any) -> None:
        if len(loads) < 2:
            loads.append(len(loads))
            load(lake, 4 + len(loads), [event(20 + len(loads)), event(30 + len(loads), event_name="other")])
        replace(table, rewrites)

    monkeypatch.setattr(upkeep, "_replace", after_a_load)
    vacuum(lake, "events")
    after = rows(lake)
    assert [row for row in after if row in before] == before and len(after) == 12
    assert len(names_of(lake)) == 3 + 4 and lake.count("manifest") == 5
    vacuum(lake, "events")
    assert rows(lake) == after and len(names_of(lake)) == 4


def test_of_two_vacuums_at_once_one_puts_a_partition_together(lake: Iceberg, monkeypatch: pytest.MonkeyPatch) -> None:
    before, replace = rows(lake), upkeep._replace

    def after_another(table: Any, rewrites: Any) -> None:
        monkeypatch.setattr(upkeep, "_replace", replace)
        vacuum(lake)
        replace(table, rewrites)

    monkeypatch.setattr(upkeep, "_replace", after_another)
    vacuum(lake)
    assert rows(lake) == before and len(names_of(lake)) == 3
    assert len(on_disk(lake)) == 10  # what was given up is gone


def test_rows_deleted_in_between_stay_deleted(lake: Iceberg, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = upkeep._replace

    def after_a_deletion(table: Any, rewrites: Any) -> None:
        monkeypatch.setattr(upkeep, "_replace", replace)
        iceberg_table(lake).delete("event_name == 'page_view'")
        replace(table, rewrites)

    monkeypatch.setattr(upkeep, "_replace", after_a_deletion)
    vacuum(lake)
    assert {row["event_name"] for row in rows(lake)} == {"click", None} and len(rows(lake)) == 6


def test_files_with_columns_that_were_renamed_since_are_left_alone(lake: Iceberg) -> None:
    with iceberg_table(lake).update_schema() as change:
        change.rename_column("page_title", "title")
    files = names_of(lake)
    vacuum(lake)
    assert names_of(lake) == files and len(names_of(lake, "manifest")) == 1
    assert iceberg_table(lake).scan().count() == 8


def test_a_damaged_file_stops_the_vacuum_and_changes_nothing(lake: Iceberg) -> None:
    files = names_of(lake)
    for path in Path(str(lake.target.database)).rglob("events/data/*.parquet"):
        content = path.read_bytes()
        path.write_bytes(content[:4] + b"\x00" * (len(content) // 8) + content[4 + len(content) // 8 :])
    with pytest.raises(LoadError, match=r"parquet cannot be read"):
        vacuum(lake)
    assert names_of(lake) == files == on_disk(lake)


@pytest.mark.parametrize("is_made", [True, False])
def test_a_commit_whose_answer_is_lost(lake: Iceberg, is_made: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog goes away while it commits: nobody knows whether it did. The files stay, so that no snapshot names
    one that is gone; the next try finds out."""
    from pyiceberg.catalog.sql import SqlCatalog

    commit, asked = SqlCatalog.commit_table, []

    def lost(self: Any, *values: Any) -> Any:
        asked.append(values)
        if len(asked) == 1:
            if is_made:
                commit(self, *values)
            raise ConnectionError("the catalog went away")
        return commit(self, *values)

    monkeypatch.setattr(SqlCatalog, "commit_table", lost)
    report = lake.load_from(lake.run("4", [event(9)], RUN.format(4)), retries=1)
    assert report.outcome == "loaded" and len(asked) >= 2
    assert len(rows(lake)) == 9 and lake.count("manifest") == 4
    assert lake.load_from(lake.run("5", [event(9)], RUN.format(4))).outcome == "already loaded"
    before = rows(lake)
    asked.clear()
    with pytest.raises(LoadError, match="went away"):
        vacuum(lake)
    vacuum(lake)
    assert rows(lake) == before and len(names_of(lake)) == 3
