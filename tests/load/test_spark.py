"""Lakes and Spark: it reads what we have written, and writes between our loads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.load.places import start
from tests.load.places.base import Place
from tests.load.test_wide_parquet import CLICK, COLUMN, ENTITIES, LATER
from tests.load.transformed import click, event
from tests.spark_shell import SparkShell, iceberg, spark_shell

pytestmark = [pytest.mark.spark, pytest.mark.slow]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkShell]:
    with spark_shell(tmp_path_factory.mktemp("spark")) as found:
        yield found


class Lake:
    """A lake in a folder, and Spark's view of it."""

    def __init__(self, place: Place, shell: SparkShell) -> None:
        self.place = place
        self._shell = shell
        self._folder = str(place.target.database)

    def name(self, table: str) -> str:
        """The table's, in Spark's SQL."""
        return f"delta.`{self._folder}/atomic/{table}`" if self.place.kind == "delta" else f"snowetl.atomic.{table}"

    def spark(self, sql: str) -> list[tuple[Any, ...]]:
        """``{events}`` in the statement is the table of that name."""
        names = {table: self.name(table) for table in ("events", "manifest", "bad_rows")}
        settings = {} if self.place.kind == "delta" else iceberg(self._folder)
        return self._shell.sql(sql.format(**names), settings)

    def load(self, name: str, lines: list[str], day: int, **models: Any) -> Any:
        return self.place.load_from(self.place.run(name, lines, run=f"run=2026-01-{day:02}-00-00-00", **models))


@pytest.fixture(params=["delta", "iceberg"])
def lake(request: pytest.FixtureRequest, shell: SparkShell) -> Lake:
    return Lake(start(request.param, request), shell)


def test_spark_reads_entities_nulls_and_later_fields(lake: Lake) -> None:
    lake.load("1", [click(1, url="x", n=5, inner={"a": 1}), event(2, tr_total="1.50")], 1, click=CLICK)
    lake.load("2", [click(3, "1-0-1", url="y", inner={"a": 2, "b": ["p", "q"]})], 2, click=LATER)
    found = lake.spark(
        f"SELECT {COLUMN}.url, {COLUMN}.inner.b, size({ENTITIES}), {ENTITIES}[0].inner.a, "
        "cast(tr_total AS string), cast(collector_tstamp AS string), cast(load_tstamp AS string) "
        "FROM {events} ORDER BY event_id"
    )
    moment = "2026-01-02 03:04:05.678"
    assert found == [
        ("x", None, 2, 1, None, moment, "2026-01-01 00:00:00"),
        (None, None, None, None, "1.50", moment, "2026-01-01 00:00:00"),
        ("y", ["p", "q"], 2, 2, None, moment, "2026-01-02 00:00:00"),
    ]
    assert lake.spark(f"SELECT count(*) FROM {{events}} WHERE {ENTITIES} IS NULL") == [(1,)]
    assert lake.spark("SELECT sum(count_good) FROM {manifest}") == [(3,)]


def test_spark_writes_between_our_loads(lake: Lake) -> None:
    """Rows of Spark's, columns of Spark's: our next load goes on, and no run is loaded twice."""
    first = lake.place.run("1", [click(1, url="x")], run="run=2026-01-01-00-00-00", click=CLICK)
    lake.place.load_from(first)
    copied = [f"'theirs' AS {name}" if name == "app_id" else name for name in lake.place.columns()]
    lake.spark(f"INSERT INTO {{events}} SELECT {', '.join(copied)} FROM {{events}}")
    lake.spark("ALTER TABLE {events} ADD COLUMNS (theirs string)")
    report = lake.load("2", [click(2, "1-0-1", url="y", inner={"a": 2, "b": ["p"]})], 2, click=LATER)
    assert (report.outcome, report.tables[0].rows) == ("loaded", 1)
    assert lake.place.load_from(first).outcome == "already loaded"
    assert lake.spark("SELECT app_id, count(*) FROM {events} GROUP BY 1 ORDER BY 1") == [(None, 2), ("theirs", 1)]
    assert sorted(lake.place.events("app_id"), key=str) == [("theirs",), (None,), (None,)]


def test_runs_are_known_after_spark_has_put_files_together(lake: Lake) -> None:
    runs = [lake.place.run(f"{day}", [event(day)], run=f"run=2026-01-0{day}-00-00-00") for day in (1, 2, 3)]
    for run in runs:
        lake.place.load_from(run)
    if lake.place.kind == "delta":
        lake.spark("OPTIMIZE {events}")
        lake.spark("VACUUM {events} RETAIN 0 HOURS")
    else:
        options = "options => map('min-input-files', '2')"
        lake.spark(f"CALL snowetl.system.rewrite_data_files(table => 'atomic.events', {options})")
        until = "older_than => timestamp'2099-01-01 00:00:00', retain_last => 1"
        lake.spark(f"CALL snowetl.system.expire_snapshots(table => 'atomic.events', {until})")
    assert [lake.place.load_from(run).outcome for run in runs] == ["already loaded"] * 3
    assert lake.load("4", [event(4)], 4).outcome == "loaded"
    assert lake.spark("SELECT count(*) FROM {events}") == [(4,)]
    assert lake.place.count() == 4
