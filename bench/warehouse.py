"""Transform, one thread, each kind of output; and a load into PostgreSQL beside plain ``COPY`` of the same files."""

from __future__ import annotations

import gzip
import resource
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psycopg

from bench.job import RUN_ID
from bench.library import ETL_TSTAMP
from bench.traffic import records
from snowetl import EnrichConfig, Enricher
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.load.embedded import embedded_postgres, psql_path
from snowetl.load.engine import RunLoader
from snowetl.load.run import TransformedRun, read_run
from snowetl.load.schemas import RegistrySchemas
from snowetl.load.warehouses.postgres import PostgresWarehouse
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.event import EnrichedEvent
from snowetl.steps.base import Unwatched, World
from snowetl.steps.settings import TransformSettings
from snowetl.steps.table import TRANSFORM
from snowetl.transform.columns import EntityColumn, entity_columns
from snowetl.transform.rows import SchemaType
from snowetl.transform.schemas import Failure, Schemas
from snowetl.transform.transformer import KINDS, SHRED, WIDE_PARQUET, Transformer
from snowetl.workers.in_process import InProcess

_PASSES = 3
_COLUMNS = """
SELECT quote_ident(attname) || ' ' || format_type(atttypid, atttypmod) ||
CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_INDEXES = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass"


@dataclass(frozen=True)
class LoadResult:
    """Seconds of the copies alone (``copied``), of the whole load, and of psql with the same rows, ready as text; and
    processor time of the clients: ours, psql's, and that of psql with gzip, of files as packed as ours."""

    rows: int
    copied: float
    whole: float
    client: float
    psql: float
    psql_client: float
    packed_client: float


def enriched_lines(count: int, resolver: str, enrichments: str) -> list[str]:
    """``count`` enriched events of the bench's traffic, each with an id of its own."""
    config = EnrichConfig.load(resolver=resolver, enrichments=enrichments, input_format="thrift", etl_tstamp=ETL_TSTAMP)
    return list(islice(_lines(Enricher(config), count), count))


def write_run(folder: Path, lines: Sequence[str]) -> None:
    """A run of enriched events, as the enrich step leaves it."""
    source = folder / f"run={RUN_ID}"
    source.mkdir(parents=True)
    (source / "part-0.txt.gz").write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), 4))
    (source / "_SUCCESS").touch()


def _lines(enricher: Enricher, count: int) -> Iterator[str]:
    for record in records(count * 2):
        for result in enricher.process(record):
            if isinstance(result, EnrichedEvent):
                yield result.to_tsv()


def transform_rates(lines: Sequence[str], resolver: str) -> dict[str, float]:
    """Events per second of processor time by kind of output: the line read, checked, and made rows of."""
    client = IgluClient(ResolverConfig.load(resolver), now=ETL_TSTAMP)
    types = _types(lines, client)
    columns = entity_columns(types, Schemas(client))
    if isinstance(columns, Failure):
        raise RuntimeError(f"no Parquet columns: {columns.message}")
    return {kind: len(lines) / _seconds(lines, kind, client, columns) for kind in KINDS}


def _seconds(lines: Sequence[str], kind: str, client: IgluClient, columns: Sequence[EntityColumn]) -> float:
    transformer = Transformer(
        kind, client, Origin("bench", "1", ETL_TSTAMP), columns=columns if kind == WIDE_PARQUET else ()
    )
    best = float("inf")
    for _ in range(_PASSES + 1):
        before = time.process_time()
        bad = sum(isinstance(transformer.rows(line), BadRow) for line in lines)
        best = min(best, time.process_time() - before)
        if bad:
            raise RuntimeError(f"{bad:,} events of the bench's traffic do not transform")
    return best


def _types(lines: Sequence[str], client: IgluClient) -> frozenset[SchemaType]:
    transformer = Transformer(SHRED, client, Origin("bench", "1", ETL_TSTAMP))
    found = [row.types for line in lines if not isinstance(row := transformer.rows(line), BadRow)]
    return frozenset().union(*found)


def load_rates(lines: Sequence[str], resolver: str, folder: Path, pairs: int = 3) -> list[LoadResult]:
    """Shred ``lines``; then load them into a new database, and let psql copy the same rows into equal tables that are
    empty, in one transaction: ``pairs`` times, in turn."""
    write_run(folder / "enriched", lines)
    settings = TransformSettings(
        input_folder=str(folder / "enriched"), output_folder=str(folder / "transformed"), iglu_config=resolver
    )
    TRANSFORM.execute(TRANSFORM.plan(settings, World.of_now()), InProcess(), Unwatched())
    run = read_run(f"{folder.resolve()}/transformed/run={RUN_ID}")
    with embedded_postgres(folder / "warehouse") as url:
        return [_pair(url, run, resolver, folder) for _ in range(pairs)]


def _pair(server: str, run: TransformedRun, resolver: str, folder: Path) -> LoadResult:
    ours, theirs = _database(server, "ours"), _database(server, "theirs")
    started, cpu = time.perf_counter(), time.process_time()
    schemas = RegistrySchemas(IgluClient(ResolverConfig.load(resolver), now=0))
    report = RunLoader(PostgresWarehouse(ours), schemas).load(run)
    whole, client = time.perf_counter() - started, time.process_time() - cpu
    copied = sum(table.seconds for table in report.tables)
    tables = [table.table for table in report.tables]
    _write_rows(ours, theirs, tables, folder)
    started = time.perf_counter()
    psql_client = _copy(theirs, [f"\\copy {table} FROM '{folder / table}.txt'" for table in tables])
    seconds = time.perf_counter() - started
    with psycopg.connect(theirs) as connection:
        connection.execute(f"TRUNCATE {', '.join(tables)}")
    packed = [f"\\copy {table} FROM PROGRAM 'gzip -dc {folder / table}.txt.gz'" for table in tables]
    rows = sum(table.rows for table in report.tables)
    return LoadResult(rows, copied, whole, client, seconds, psql_client, _copy(theirs, packed))


def _database(server: str, name: str) -> str:
    """The URL of a database that is empty."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute("CHECKPOINT")
    return server.replace("/postgres?", f"/{name}?")


def _copy(url: str, statements: Sequence[str]) -> float:
    """Processor time of psql, and of what it starts, for the statements in one transaction."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _psql(url, "-1", *(part for statement in statements for part in ("-c", statement)))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _write_rows(source: str, target: str, tables: Sequence[str], folder: Path) -> None:
    """Write the rows of ``tables`` to files, as text and packed, and make the tables anew in ``target``."""
    with psycopg.connect(source) as there, psycopg.connect(target) as here:
        here.execute("CREATE SCHEMA atomic")
        for table in tables:
            columns = there.execute(_COLUMNS, [table]).fetchall()
            here.execute(f"CREATE TABLE {table} ({', '.join(column for (column,) in columns)})")
            for (index,) in there.execute(_INDEXES, [table]).fetchall():
                here.execute(index)
    for table in tables:
        _psql(source, "-c", f"\\copy {table} TO '{folder / table}.txt'")
        text = (folder / f"{table}.txt").read_bytes()
        (folder / f"{table}.txt.gz").write_bytes(gzip.compress(text, 4))


def _psql(url: str, *arguments: str) -> None:
    subprocess.run([psql_path(), "-q", "-v", "ON_ERROR_STOP=1", url, *arguments], check=True)
