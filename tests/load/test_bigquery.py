"""BigQuery: load jobs that are made once, types there and back, what its arrays cannot hold, its statements."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load.engine import RunLoader
from snowetl.load.report import LoadReport
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from snowetl.load.target import Target
from snowetl.load.warehouses.bigquery import BigQueryWarehouse
from snowetl.load.warehouses.bigquery import rows as bigquery_rows
from snowetl.load.warehouses.bigquery.client import EMULATOR
from snowetl.load.warehouses.bigquery.table import BigQueryTable
from snowetl.storage import filesystem
from tests.load.bigquery_server import PROJECT, BigQuery, bigquery_server
from tests.load.runs import Registry, schema
from tests.load.transformed import click, event, wide_run

pytestmark = pytest.mark.slow

TARGET = Target(warehouse="bigquery", database=f"bigquery://{PROJECT}?location=EU")
TAGS = {"type": "array", "items": {"type": ["string", "null"]}}
CLICK = {
    "1-0-0": schema(url={"type": "string"}, tags=TAGS, grid={"type": "array", "items": TAGS}, required=["url"]),
    "1-0-1": schema(
        url={"type": "string"},
        tags=TAGS,
        grid={"type": "array", "items": TAGS},
        n={"type": "integer"},
        required=["url"],
    ),
}
COLUMN, ENTITIES = "unstruct_event_com_acme_click_1", "contexts_com_acme_click_1"


@pytest.fixture
def them(monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    with bigquery_server() as (address, them):
        monkeypatch.setenv(EMULATOR, address)
        yield them


def load(url: str, bad: str | None = None, retries: int = 0) -> LoadReport:
    with TARGET.open() as warehouse:
        loader = RunLoader(warehouse, Registry(), retries=Retries(retries, backoff=0.01))
        return loader.load(read_run(url), filesystem(bad).list(bad) if bad else ())


def counts(them: BigQuery) -> tuple[int, ...]:
    return tuple(
        them.connection.execute(f"SELECT count(*) FROM atomic.{name}").fetchall()[0][0]
        if f"atomic.{name}" in them.tables
        else 0
        for name in ("events", "manifest", "bad_rows")
    )


def test_a_run_is_a_job_for_each_table(them: BigQuery, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("no json\n" * 3)
    run = wide_run(
        tmp_path, [click(1, url="x", tags=["a", None, "b"], grid=[["p"], [], [None, "q"]]), event(2)], click=CLICK
    )
    report = load(run, str(bad))
    assert (report.outcome, report.rows, counts(them)) == ("loaded", 5, (2, 1, 3))
    assert load(run, str(bad)).outcome == "already loaded"
    assert counts(them) == (2, 1, 3)
    events = them.tables["atomic.events"]
    assert events["timePartitioning"] == {"type": "DAY", "field": "load_tstamp"}
    assert events["clustering"] == {"fields": ["event_name"]}
    found = them.connection.execute(
        f"SELECT {COLUMN}.url, {COLUMN}.tags, {COLUMN}.grid, len({ENTITIES}), collector_tstamp::TIMESTAMP, "
        "load_tstamp::TIMESTAMP FROM atomic.events ORDER BY event_id"
    ).fetchall()
    times = (datetime(2026, 1, 2, 3, 4, 5, 678000), datetime(2026, 1, 2, 3, 4, 5))
    grid = [{"nested_array": ["p"]}, {"nested_array": []}, {"nested_array": ["q"]}]
    assert found == [("x", ["a", "b"], grid, 2, *times), (None, None, None, 0, *times)]
    assert len(them.jobs) == 3 and all(name.endswith("_0") for name in them.jobs)


def test_fields_come_with_the_rows(them: BigQuery, tmp_path: Path) -> None:
    load(wide_run(tmp_path / "1", [event(1)]))
    load(wide_run(tmp_path / "2", [click(2, url="x", grid=[["a"]])], run="run=2026-01-03-00-00-00", click=CLICK))
    later = wide_run(
        tmp_path / "3", [click(3, "1-0-1", url="y", n=5, grid=[["b"]])], run="run=2026-01-04-00-00-00", click=CLICK
    )
    [table] = load(later).tables
    assert table.change == "2 columns added"
    found = them.connection.execute(
        f"SELECT {COLUMN}.url, {COLUMN}.n, {COLUMN}.grid FROM atomic.events ORDER BY event_id"
    )
    assert found.fetchall() == [
        (None, None, None), ("x", None, [{"nested_array": ["a"]}]), ("y", 5, [{"nested_array": ["b"]}]),
    ]  # fmt: skip


def test_a_job_that_failed_is_followed_by_the_next_number(them: BigQuery, tmp_path: Path) -> None:
    run = wide_run(tmp_path, [event(1)])
    them.fail_next = True
    with pytest.raises(LoadError, match="the job was ended by somebody"):
        load(run)
    assert counts(them) == (0, 0, 0)
    assert load(run).outcome == "loaded"
    assert counts(them) == (1, 1, 0)
    assert sorted(name.rpartition("_")[2] for name in them.jobs if "_events_" in name) == ["0", "1"]


def test_a_load_that_died_between_two_jobs_goes_on(
    them: BigQuery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, append = wide_run(tmp_path, [event(1), event(2)]), BigQueryTable.append

    def dies(self: BigQueryTable, *given: Any) -> bool:
        if self._name == "manifest":
            raise LoadError("the power failed", transient=True)
        return append(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(BigQueryTable, "append", dies)
        with pytest.raises(LoadError):
            load(run)
    assert counts(them) == (2, 0, 0)
    assert load(run).outcome == "loaded"
    assert counts(them) == (2, 1, 0)


def test_of_several_loaders_one_loads(them: BigQuery, tmp_path: Path) -> None:
    run = wide_run(tmp_path, [event(number) for number in range(50)])
    with ThreadPoolExecutor(3) as pool:
        found = sorted(report.outcome for report in pool.map(lambda _: load(run, retries=5), range(3)))
    assert found == ["already loaded"] * 2 + ["loaded"]
    assert counts(them) == (50, 1, 0)


def test_a_run_that_was_moved_is_loaded_once(them: BigQuery, tmp_path: Path) -> None:
    run = Path(wide_run(tmp_path, [event(1)]))
    load(str(run))
    moved = tmp_path / "elsewhere" / run.name
    moved.parent.mkdir()
    run.rename(moved)
    assert load(str(moved)).outcome == "already loaded"
    assert counts(them) == (1, 1, 0)


def test_failed_events_and_late_bad_rows(them: BigQuery, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("no json\n")
    run = wide_run(tmp_path, [event(1)])
    load(run)
    assert load(run, str(bad)).outcome == "already loaded"
    assert counts(them) == (1, 1, 1)
    load(wide_run(tmp_path, [click(1, url="f")], failed=True, click=CLICK))
    assert "atomic.failed_events" in them.tables and counts(them) == (1, 2, 1)


def test_statements_run_as_queries(them: BigQuery, tmp_path: Path) -> None:
    load(wide_run(tmp_path, [event(1)]))
    with TARGET.open() as warehouse, warehouse.session() as session:
        assert session.number("SELECT COUNT(*) FROM atomic.events") == 1
        assert warehouse.preflight() == []


# --- types --------------------------------------------------------------------------------------------------------

ROW = pa.struct(
    [
        ("text", pa.string()), ("n", pa.int64()), ("x", pa.float64()), ("b", pa.bool_()), ("d", pa.date32()),
        ("t", pa.timestamp("us", "UTC")), ("small", pa.decimal128(9, 2)), ("large", pa.decimal128(38, 12)),
        ("list", pa.list_(pa.field("element", pa.string()))),
        ("lists", pa.list_(pa.field("element", pa.list_(pa.field("element", pa.int64()))))),
        ("structs", pa.list_(pa.field("element", pa.struct([("k", pa.list_(pa.field("element", pa.bool_())))])))),
    ]
)  # fmt: skip


def test_types_come_back_as_they_went() -> None:
    fields = [bigquery_rows.field_of(field.name, field.type) for field in ROW]
    assert bigquery_rows.schema_of(fields) == pa.schema([*ROW])
    types = {field["name"]: (field["type"], field["mode"]) for field in fields}
    assert types["small"] == ("NUMERIC", "NULLABLE") and types["large"] == ("BIGNUMERIC", "NULLABLE")
    assert types["list"] == ("STRING", "REPEATED") and types["lists"] == ("RECORD", "REPEATED")


@pytest.mark.parametrize(
    ("field", "type_"),
    [
        ({"type": "NUMERIC"}, pa.decimal128(38, 9)),
        ({"type": "BIGNUMERIC"}, pa.decimal256(76, 38)),
        ({"type": "NUMERIC", "precision": "5"}, pa.decimal128(5, 0)),
        ({"type": "INT64"}, pa.int64()),
        ({"type": "JSON"}, pa.string()),
    ],
)
def test_types_that_others_gave_a_column(field: dict[str, str], type_: pa.DataType) -> None:
    assert bigquery_rows.schema_of([{"name": "c", **field}]).types == [type_]


def test_values_are_kept_but_nulls_in_arrays() -> None:
    value = {
        "text": "a", "n": 1, "x": 1.5, "b": False, "d": date(1, 1, 1), "t": datetime(9999, 12, 31, tzinfo=UTC),
        "small": Decimal("1.50"), "large": Decimal("-1.000000000001"), "list": ["p", None, "q"],
        "lists": [[1, None], None, []], "structs": [{"k": None}, None, {"k": [None, True]}],
    }  # fmt: skip
    kept = value | {
        "list": ["p", "q"], "lists": [{"nested_array": [1]}, {"nested_array": []}],
        "structs": [{"k": []}, {"k": [True]}],
    }  # fmt: skip
    nothing = dict.fromkeys(value) | {"list": [], "lists": [], "structs": []}
    rows = pa.array([None, value, dict.fromkeys(value), value], ROW)
    for sliced, wanted in ((rows, [None, kept, nothing, kept]), (rows.slice(1, 2), [kept, nothing])):
        batch = pa.record_batch([sliced], names=["c"])
        reader = pa.RecordBatchReader.from_batches(batch.schema, [batch])
        assert bigquery_rows.fitted(reader).read_all()["c"].to_pylist() == wanted


# --- addresses and errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["", "bigquery://", "bigquery://p/d", "bigquery://p?region=EU", "postgresql://h/d"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ConfigError, match="is no project of BigQuery"):
        BigQueryWarehouse.check(Target(warehouse="bigquery", database=url))


def test_who_has_no_login_is_told_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(EMULATOR, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with TARGET.open() as warehouse, pytest.raises(TargetError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        warehouse.preflight()


def test_a_dry_run_names_the_job_and_what_it_adds(them: BigQuery, tmp_path: Path) -> None:
    with TARGET.open() as warehouse:
        plan = RunLoader(warehouse, Registry()).plan(read_run(wide_run(tmp_path, [click(1, url="x")], click=CLICK)))
        assert plan is not None
        [statement] = plan.statements(warehouse)
    assert statement.name == "load 1 file of output=good/ into atomic.events"
    assert f"-- adds {COLUMN} " in statement.sql
    assert them.tables == {} and them.jobs == {}
