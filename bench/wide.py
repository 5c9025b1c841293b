"""Loads of wide rows into DuckDB, Delta Lake and Iceberg, beside the plain tool with the same files: processor time."""

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
from snowetl.steps.base import Unwatched, World
from snowetl.steps.settings import TransformSettings
from snowetl.steps.table import TRANSFORM
from snowetl.workers.in_process import InProcess

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
    return {name: [_pair(name, run, resolver, folder / name) for _ in range(pairs)] for name in PLAIN}


def _pair(name: str, run: TransformedRun, resolver: str, folder: Path) -> WideLoad:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    ours, theirs = folder / "ours", folder / "theirs"
    target = Target(warehouse=name, database=f"duckdb:{ours}" if name == "duckdb" else str(ours))
    schemas = RegistrySchemas(IgluClient(ResolverConfig.load(resolver), now=0))
    before = time.process_time()
    with target.open() as warehouse:
        report = RunLoader(warehouse, schemas).load(run)
    load = time.process_time() - before
    files = [file.url for file in run.row_folders()[0].files]
    before = time.process_time()
    PLAIN[name](files, theirs)
    return WideLoad(report.rows, load, time.process_time() - before)


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


def _arrow(files: Sequence[str]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])


PLAIN: dict[str, Callable[[Sequence[str], Path], None]] = {"duckdb": _duckdb, "delta": _delta, "iceberg": _iceberg}
"""The plain tool of each warehouse: files into a new table, partitioned by the event's name where there are such."""
