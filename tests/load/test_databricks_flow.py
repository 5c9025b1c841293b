"""Loads into Databricks: its API over Spark SQL and Delta Lake (tests/load/databricks_standin.py)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable

from snowetl.errors import LoadError, TargetError
from snowetl.load.engine import RunLoader
from snowetl.load.preflight import check_target
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from snowetl.load.target import Target
from snowetl.load.warehouses.databricks.client import Client
from snowetl.storage import filesystem
from tests.load.databricks_standin import CLIENT, SECRET, TOKEN
from tests.load.runs import Registry, schema
from tests.load.transformed import click, event, wide_run

pytestmark = pytest.mark.long
INNER = {"type": "object", "properties": {"a": {"type": "integer"}}}
CLICK = {"1-0-0": schema(url={"type": "string"}, n={"type": "integer"}, inner=INNER)}
LATER = CLICK | {
    "1-0-1": schema(
        url={"type": "string"}, n={"type": "integer"}, t={"type": "string", "format": "date-time"},
        inner={"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}},
    )
}  # fmt: skip
COLUMN, ENTITIES = "unstruct_event_com_acme_click_1", "contexts_com_acme_click_1"


class Bricks:
    """A schema of its own."""

    def __init__(self, folder: Path, port: str, name: str, here: Path) -> None:
        self.folder = folder
        self.here = here
        self.target = Target(
            warehouse="databricks",
            database=f"databricks://127.0.0.1:{port}/spark_catalog?warehouse=w&volume=/Volumes/a/b/c&protocol=http",
            schema=name,
        )

    def run(self, number: int, lines: list[str], models: Any = CLICK, **more: Any) -> str:
        name = f"run=2026-01-0{number}-00-00-00"
        return wide_run(self.here / f"{number}{len(more)}", lines, name, click=models, **more)

    def load(self, run: str, bad: str | None = None, retries: int = 0) -> Any:
        with self.target.open() as warehouse:
            loader = RunLoader(warehouse, Registry(), retries=Retries(retries, backoff=0.01))
            return loader.load(read_run(run), filesystem(bad).list(bad) if bad else ())

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Of delta-rs' reading of the tables."""
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        for table in (self.folder / f"tables/{self.target.schema}.db").iterdir():
            connection.register(table.name, DeltaTable(str(table)).to_pyarrow_table())
        return connection.execute(sql).fetchall()

    def count(self, table: str = "events") -> int:
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0])


@pytest.fixture
def bricks(databricks: tuple[Path, str], request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: Any) -> Bricks:
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    return Bricks(*databricks, f"s{abs(hash(request.node.name))}", tmp_path)


def test_runs_land_in_typed_columns_that_grow(bricks: Bricks) -> None:
    first = bricks.run(2, [click(1, url="x", n=5, inner={"a": 1}), event(2, tr_total="1.50", br_cookies="1")])
    [events] = bricks.load(first).tables
    assert (events.rows, events.change) == (2, "2 columns added")
    assert list((bricks.folder / "Volumes").rglob("*.parquet")) == []
    assert bricks.load(first).outcome == "already loaded"
    later = [click(3, "1-0-1", url="y", t="2026-05-06T07:08:09Z", inner={"a": 2, "b": "p"})]
    assert bricks.load(bricks.run(3, later, LATER)).tables[0].change == "4 columns added"
    assert bricks.load(bricks.run(4, [click(4, url="z", inner={"a": 3})], CLICK)).tables[0].change is None
    assert bricks.query(
        f"SELECT {COLUMN}.url, {COLUMN}.n, {COLUMN}.inner.a, {ENTITIES}[2].inner.b, {COLUMN}.t::TIMESTAMP::VARCHAR, "
        "tr_total::VARCHAR, br_cookies, load_tstamp::TIMESTAMP::VARCHAR, collector_tstamp_date::VARCHAR FROM events "
        "ORDER BY event_id"
    ) == [
        ("x", 5, 1, None, None, None, None, "2026-01-02 00:00:00", "2026-01-02"),
        (None, None, None, None, None, "1.50", True, "2026-01-02 00:00:00", "2026-01-02"),
        ("y", None, 2, "p", "2026-05-06 07:08:09", None, None, "2026-01-03 00:00:00", "2026-01-02"),
        ("z", None, 3, None, None, None, None, "2026-01-04 00:00:00", "2026-01-02"),
    ]
    assert bricks.count("manifest") == 3


def test_a_load_that_dies_between_its_commits_is_made_once(bricks: Bricks, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = bricks.here / "bad.txt"
    bad.write_text(
        "no json\n"
        '{"schema":"iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0","data":{"processor":'
        '{"artifact":"a","version":"1"},"failure":{"timestamp":"2026-01-02T03:04:05.678Z","errors":["x"]},'
        '"payload":"p"}}\n'
    )
    run = bricks.run(2, [click(1, url="x"), event(1), event(2)])  # two rows of one event are two rows
    whole = Client.run
    reached = []
    for table, there in (("manifest", (3, 2)), ("bad_rows", (3, 2))):

        def dying(self: Client, sql: str, seconds: float, table: str = table) -> Any:
            if sql.startswith(f"MERGE INTO {bricks.target.schema}.{table}"):
                reached.append(table)
                raise LoadError("the server went away", transient=True)
            return whole(self, sql, seconds)

        monkeypatch.setattr(Client, "run", dying)
        with pytest.raises(LoadError, match="the server went away"):
            bricks.load(run, str(bad))
        assert (bricks.count(), bricks.count("bad_rows")) == there and bricks.count("manifest") == 0
    assert reached == ["manifest", "bad_rows"]
    monkeypatch.setattr(Client, "run", whole)
    assert bricks.load(run, str(bad)).outcome == "loaded"
    assert (bricks.count(), bricks.count("bad_rows"), bricks.count("manifest")) == (3, 2, 1)
    assert bricks.load(run, str(bad)).outcome == "already loaded"
    assert bricks.query("SELECT type, failure_tstamp::TIMESTAMP::VARCHAR, payload FROM bad_rows ORDER BY type") == [
        ("generic_error", "2026-01-02 03:04:05.678", "p"),
        ("unreadable", None, "no json"),
    ]
    assert bricks.query("SELECT bad_rows, count_good FROM manifest") == [(2, 3)]


def test_of_several_loaders_at_once_one_loads(bricks: Bricks) -> None:
    run = bricks.run(2, [event(number) for number in range(20)])
    bricks.load(bricks.run(3, [event(100)]))
    with ThreadPoolExecutor(3) as pool:
        found = sorted(report.outcome for report in pool.map(lambda _: bricks.load(run, retries=5), range(3)))
    assert found == ["already loaded", "already loaded", "loaded"]
    assert (bricks.count(), bricks.count("manifest")) == (21, 2)


def test_failed_events_have_a_table_of_their_own(bricks: Bricks) -> None:
    report = bricks.load(bricks.run(2, [click(1, url="f")], failed=True))
    assert [(table.rows, table.change) for table in report.tables] == [(1, "created")]
    assert bricks.query(f"SELECT {COLUMN}.url FROM failed_events") == [("f",)] and bricks.count() == 0


def test_a_service_principal_looks_before_the_work(bricks: Bricks, monkeypatch: pytest.MonkeyPatch) -> None:
    check_target(bricks.target)
    monkeypatch.setenv("DATABRICKS_TOKEN", "another")
    with pytest.raises(TargetError, match="answers 401: UNAUTHENTICATED"):
        check_target(bricks.target)
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", CLIENT)
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", SECRET)
    check_target(bricks.target)
