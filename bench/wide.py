"""Loads of wide rows into DuckDB, Delta Lake, Iceberg, ClickHouse, beside the plain tool with the same files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.job import RUN_ID
from bench.warehouse import write_run
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.load.engine import RunLoader
from snowetl.load.run import TransformedRun, read_run
from snowetl.load.schemas import RegistrySchemas
from snowetl.load.target import Target
from snowetl.load.warehouses.clickhouse.client import Address, Client
from snowetl.steps.base import Unwatched, World
from snowetl.steps.settings import TransformSettings
from snowetl.steps.table import TRANSFORM
from snowetl.workers.in_process import InProcess
from tests.load import clickhouse_server

_PARTITION = "event_name"


class WideLoad(NamedTuple):
    """Seconds of processor time, all threads, of a load and of the plain tool."""

    rows: int
    load: float
    plain: float


def wide_loads(lines: Sequence[str], resolver: str, folder: Path, pairs: int = 3) -> dict[str, list[WideLoad]]:
    """Make wide rows of ``lines``; then load them into a new warehouse, and let the plain tool do so, in turn."""
    write_run(folder / "enriched", lines)
    settings = TransformSettings(
        input_folder=str(folder / "enriched"),
        output_folder=str(folder / "transformed"),
        iglu_config=resolver,
        transformation="widerow-parquet",
    )
    TRANSFORM.execute(TRANSFORM.plan(settings, World.of_now()), InProcess(), Unwatched())
    run = read_run(f"{folder.resolve()}/transformed/run={RUN_ID}")
    there = [name for name in PLAIN if name != "clickhouse" or clickhouse_server.python() is not None]
    return {name: [_pair(name, run, resolver, folder / name) for _ in range(pairs)] for name in there}


def _pair(name: str, run: TransformedRun, resolver: str, folder: Path) -> WideLoad:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    ours, theirs = folder / "ours", folder / "theirs"
    target = Target(warehouse=name, database=_database(name, ours))
    schemas = RegistrySchemas(IgluClient(ResolverConfig.load(resolver), now=0))
    before = _spent(name)
    with target.open() as warehouse:
        report = RunLoader(warehouse, schemas).load(run)
    load = _spent(name) - before
    files = [file.url for file in run.row_folders()[0].files]
    before = _spent(name)
    PLAIN[name](files, theirs)
    return WideLoad(report.rows, load, _spent(name) - before)


def _database(name: str, folder: Path) -> str:
    if name == "clickhouse":
        _clickhouse_client().run("DROP DATABASE IF EXISTS atomic SYNC")
        return clickhouse_server.address()
    return f"duckdb:{folder}" if name == "duckdb" else str(folder)


def _spent(name: str) -> float:
    """Processor time of this process, and of the server where there is one."""
    import psutil

    own = time.process_time()
    if name != "clickhouse":
        return own
    times = psutil.Process(clickhouse_server.pid()).cpu_times()
    return own + float(times.user + times.system)


def _duckdb(files: Sequence[str], target: Path) -> None:
    import duckdb

    with duckdb.connect(str(target)) as connection:
        connection.execute("CREATE TABLE events AS SELECT * FROM read_parquet(?)", [list(files)])


def _delta(files: Sequence[str], target: Path) -> None:
    from deltalake import write_deltalake

    write_deltalake(str(target), _arrow(files), mode="append", partition_by=[_PARTITION])


def _iceberg(files: Sequence[str], target: Path) -> None:
    from pyiceberg.catalog import load_catalog

    target.mkdir()
    place = {"uri": f"sqlite:///{target}/catalog.db", "warehouse": target.as_uri()}
    catalog = load_catalog("bench", type="sql", **place)
    catalog.create_namespace("atomic")
    rows = _arrow(files)
    with catalog.create_table_transaction("atomic.events", schema=rows.schema) as transaction:
        with transaction.update_spec() as spec:
            spec.add_identity(_PARTITION)
        transaction.append(rows)


def _clickhouse(files: Sequence[str], target: Path) -> None:
    """The server reads the files itself: into a table that is sorted as ours is."""
    client = _clickhouse_client()
    client.run("DROP TABLE IF EXISTS default.plain SYNC")
    like = "ORDER BY (toDate(collector_tstamp), event_name, event_id) SETTINGS allow_nullable_key = 1"
    source = " UNION ALL ".join(f"SELECT * FROM file('{file}', Parquet)" for file in files)
    client.run(f"CREATE TABLE default.plain ENGINE = MergeTree {like} AS {source}")


def _clickhouse_client() -> Client:
    return Client(Address.parse(clickhouse_server.address()), 600)


def _arrow(files: Sequence[str]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])


PLAIN: dict[str, Callable[[Sequence[str], Path], None]] = {
    "duckdb": _duckdb,
    "delta": _delta,
    "iceberg": _iceberg,
    "clickhouse": _clickhouse,
}
"""The plain tool of each warehouse: files into a new table, partitioned by the event's name where there are such."""
