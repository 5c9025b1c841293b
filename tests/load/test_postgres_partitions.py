"""``--partition-by month``: partitions come as rows need them, and nothing else about a load changes."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.load.engine import RunLoader
from snowetl.load.report import LoadReport
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from snowetl.load.warehouses.postgres import PostgresWarehouse
from snowetl.load.warehouses.postgres.partitions import Span, following, months_in
from tests.load.runs import CLICK, Registry, click_line, event_line, make_run, query, schema

FEW = {"1-0-0": CLICK["1-0-0"], "1-0-1": schema(url={"type": "string", "maxLength": 10}, n={"type": "integer"},
       t={"type": "string"}, required=["url"])}  # fmt: skip

CONVERSION = (
    "ALTER TABLE atomic.events RENAME TO events_past",
    "CREATE TABLE atomic.events (LIKE atomic.events_past INCLUDING DEFAULTS INCLUDING CONSTRAINTS) "
    "PARTITION BY RANGE (collector_tstamp)",
    "ALTER TABLE atomic.events ATTACH PARTITION atomic.events_past FOR VALUES FROM (MINVALUE) TO ('2026-02-01')",
)


def loader(url: str, partition_by: str | None = "month", **models: object) -> RunLoader:
    warehouse = PostgresWarehouse(url, partition_by=partition_by)
    return RunLoader(warehouse, Registry(**(models or {"click": CLICK})), retries=Retries(0))


def run_of(folder: Path, *times: str, run: str = "run=2026-01-02-03-04-05", first: str = "", last: str = "") -> str:
    """A run with an event and an entity at each time; its message tells of the first and the last."""
    number = abs(hash(run)) % 10**9
    events = [event_line(number + n, collector_tstamp=time) for n, time in enumerate(times)]
    clicks = [click_line(number + n, "x", "5").replace("2026-01-02 03:04:05.678", time) for n, time in enumerate(times)]
    base = make_run(folder, events, clicks, run=run)
    message = Path(base, "shredding_complete.json")
    text = message.read_text()
    for name, time in (("min", first or min(times)), ("max", last or max(times))):
        text = text.replace(f'"{name}": "2026-01-02T03:04:05.678Z"', f'"{name}": "{time.replace(" ", "T")}Z"')
    message.write_text(text)
    return base


def load(url: str, folder: str, **models: object) -> LoadReport:
    return loader(url, **models).load(read_run(folder))


def partitions(url: str, table: str = "events") -> dict[str, int]:
    """Rows by partition."""
    found = query(url, f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'atomic.{table}'::regclass")
    return {name.removeprefix("atomic."): query(url, f"SELECT count(*) FROM {name}")[0][0] for (name,) in sorted(found)}


JAN, FEB, MAR = "2026-01-31 23:59:59.999", "2026-02-01 00:00:00", "2026-03-05 01:02:03"


def test_partitions_come_with_the_rows(database: str, tmp_path: Path) -> None:
    report = load(database, run_of(tmp_path, JAN, FEB))
    assert [(table.table, table.rows, table.rejected) for table in report.tables] == [
        ("atomic.events", 2, 0), ("atomic.com_acme_click_1", 2, 0),
    ]  # fmt: skip
    assert partitions(database) == {"events_2026_01": 1, "events_2026_02": 1}
    assert partitions(database, "com_acme_click_1") == {"com_acme_click_1_2026_01": 1, "com_acme_click_1_2026_02": 1}
    load(database, run_of(tmp_path, FEB, MAR, run="run=2026-03-05-02-00-00"))
    assert partitions(database) == {"events_2026_01": 1, "events_2026_02": 2, "events_2026_03": 1}
    assert query(database, "SELECT count(*) FROM atomic.manifest") == [(2,)]


def test_only_months_that_have_rows_and_odd_times_together(database: str, tmp_path: Path) -> None:
    times = (
        "1970-01-01 00:00:00",
        "1999-12-31 23:59:59",
        "2015-07-01 00:00:00",
        JAN,
        "2100-01-01 00:00:00",
        "9999-12-31 00:00:00",
    )
    report = load(database, run_of(tmp_path, *times))
    assert report.rejected == 0
    assert partitions(database) == {
        "events_2015_07": 1, "events_2026_01": 1, "events_before_2000": 2, "events_from_2100": 2,
    }  # fmt: skip
    assert query(database, "SELECT count(*) FROM atomic.com_acme_click_1") == [(6,)]


def test_every_partition_has_the_indexes_and_later_columns(database: str, tmp_path: Path) -> None:
    load(database, run_of(tmp_path, JAN))
    made = run_of(tmp_path, MAR, run="run=2026-03-05-02-00-00")
    load(database, made, click=FEW)
    columns = (
        "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute "
        "WHERE attnum > 0 AND attrelid = '{}'::regclass"
    )
    wanted = query(database, columns.format("atomic.com_acme_click_1"))
    assert wanted[0][0].endswith("url n t")
    for part in partitions(database, "com_acme_click_1"):
        assert query(database, columns.format(f"atomic.{part}")) == wanted
    count = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'atomic' AND tablename = '{}'"
    for table in ("events", "com_acme_click_1"):
        expected = query(database, count.format(table))
        assert expected[0][0] > 1
        for part in partitions(database, table):
            assert query(database, count.format(part)) == expected
    with psycopg.connect(database) as connection:
        connection.execute("SET enable_seqscan = off")
        sql = "EXPLAIN SELECT * FROM atomic.events WHERE collector_tstamp >= '2026-03-01' AND event_id IS NOT NULL"
        plan = "\n".join(line for (line,) in connection.execute(sql).fetchall())
    assert "events_2026_03" in plan and "events_2026_01" not in plan


def test_the_first_rows_of_one_month_are_frozen(database: str, tmp_path: Path) -> None:
    load(database, run_of(tmp_path, JAN, "2026-01-05 00:00:00"))
    visible = "SELECT relpages > 0 AND relallvisible = relpages FROM pg_class WHERE oid = 'atomic.{}'::regclass"
    with psycopg.connect(database, autocommit=True) as connection:
        for part in ("events_2026_01", "com_acme_click_1_2026_01"):
            connection.execute(f"ANALYZE atomic.{part}")
            assert connection.execute(visible.format(part)).fetchone() == (True,)
    made = [name for (name,) in query(database, "SELECT indexname FROM pg_indexes WHERE tablename = 'events'")]
    assert len(made) == 5 and "events_event_id_idx" in made
    load(database, run_of(tmp_path, "2026-01-06 00:00:00", run="run=2026-03-05-02-00-00"))
    assert partitions(database) == {"events_2026_01": 3}


def test_rows_that_do_not_fit_go_aside_as_ever(database: str, tmp_path: Path) -> None:
    wrong = make_run(tmp_path, [event_line(1, collector_tstamp=JAN), event_line(2, collector_tstamp="soon")])
    report = load(database, wrong)
    assert [(table.rows, table.rejected) for table in report.tables] == [(1, 1)]
    lying = run_of(tmp_path, MAR, run="run=2026-03-05-02-00-00", first=JAN, last=JAN)  # its message tells other times
    report = load(database, lying)
    assert report.rejected == 2 and report.rows == 0
    reports = loader(database).retry_rejected()
    assert sum(report.rows for report in reports) == 2
    assert partitions(database) == {"events_2026_01": 1, "events_2026_03": 1}


def test_two_loaders_at_once(database: str, tmp_path: Path) -> None:
    runs = [run_of(tmp_path, JAN, FEB, run=f"run=2026-02-0{day}-00-00-00") for day in (1, 2, 3)]
    failures: list[BaseException] = []

    def work(folder: str) -> None:
        try:
            load(database, folder)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(folder,)) for folder in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert partitions(database) == {"events_2026_01": 3, "events_2026_02": 3}


def test_a_changed_option_is_refused_with_advice(database: str, tmp_path: Path) -> None:
    plain = PostgresWarehouse(database)
    loader(database, None).load(read_run(run_of(tmp_path, JAN)))
    [problem] = PostgresWarehouse(database, partition_by="month").preflight()
    assert "atomic.events is not partitioned" in problem and "leave it out" in problem
    assert plain.preflight() == []


def test_partitions_are_not_forgotten(database: str, tmp_path: Path) -> None:
    load(database, run_of(tmp_path, JAN))
    [problem] = PostgresWarehouse(database).preflight()
    assert "set --partition-by month" in problem
    assert PostgresWarehouse(database, partition_by="month").preflight() == []


def test_a_table_of_before_becomes_a_partition(database: str, tmp_path: Path) -> None:
    """As docs/postgres.md tells."""
    loader(database, None).load(read_run(run_of(tmp_path, JAN, "2024-05-01 00:00:00")))
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in CONVERSION:
            connection.execute(statement)
    assert PostgresWarehouse(database, partition_by="month").preflight() == []
    load(database, run_of(tmp_path, "2024-06-01 00:00:00", JAN, MAR, run="run=2026-03-05-02-00-00"))
    assert partitions(database) == {"events_2026_03": 1, "events_past": 4}


def test_a_partition_that_is_detached_stays_away(database: str, tmp_path: Path) -> None:
    load(database, run_of(tmp_path, JAN, FEB))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE atomic.events DETACH PARTITION atomic.events_2026_01")
        connection.execute("DROP TABLE atomic.events_2026_01")
    assert query(database, "SELECT count(*) FROM atomic.events") == [(1,)]
    load(database, run_of(tmp_path, FEB, run="run=2026-03-05-02-00-00"))
    assert partitions(database) == {"events_2026_02": 2}


def test_other_warehouses_refuse_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    given = ["--warehouse", "duckdb", "--partition-by", "month", "--data-folder", str(tmp_path / "w")]
    assert main(["load", "-i", str(tmp_path / "in"), "--iglu-config", "fixtures/resolver.json", *given]) == 2
    assert "--partition-by: duckdb has no partitions to choose" in " ".join(capsys.readouterr().err.split())


def test_months() -> None:
    assert following(date(2025, 12, 1)) == date(2026, 1, 1)
    assert Span.of(date(2026, 12, 1)).bounds == "FROM ('2026-12-01') TO ('2027-01-01')"
    assert Span.of(date(1, 1, 1)).bounds == "FROM (MINVALUE) TO ('2000-01-01')"
    assert not Span.of(date(1999, 12, 1)).meets(Span.of(date(2000, 1, 1)))
    assert Span.of(date(2100, 1, 1)).meets(Span.of(date(9999, 1, 1)))
    rows = b"a\t2026-02-03 00:00:00\tb\na\tnever\tb\nshort\na\t2026-13-03 00:00:00\tb\n"
    assert months_in([rows], ("x", "root_tstamp", "y")) == [date(2026, 2, 1)]
