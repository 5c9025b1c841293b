"""Transform, one thread, each kind of output; and a load into PostgreSQL beside plain ``COPY`` of the same files."""

from __future__ import annotations

import gzip
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bench.job import RUN_ID
from bench.library import ETL_TSTAMP
from bench.traffic import records
from snowetl import EnrichConfig, Enricher
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.load.embedded import embedded_postgres, psql_path
from snowetl.load.engine import RunLoader
from snowetl.load.run import read_run
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


@dataclass(frozen=True)
class LoadResult:
    """Seconds of the copies alone (``copied``), of the whole load, and of psql with the same rows."""

    rows: int
    copied: float
    whole: float
    psql: float


def enriched_lines(count: int, resolver: str, enrichments: str) -> list[str]:
    """``count`` enriched events of the bench's traffic, each with an id of its own."""
    config = EnrichConfig.load(resolver=resolver, enrichments=enrichments, input_format="thrift", etl_tstamp=ETL_TSTAMP)
    return list(islice(_lines(Enricher(config), count), count))


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


def load_rate(lines: Sequence[str], resolver: str, folder: Path) -> LoadResult:
    """Shred ``lines``, load them into a new embedded server, and let psql copy the same rows into equal tables."""
    source = folder / "enriched" / f"run={RUN_ID}"
    source.mkdir(parents=True)
    (source / "part-0.txt.gz").write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), 4))
    (source / "_SUCCESS").touch()
    settings = TransformSettings(
        input_folder=str(folder / "enriched"), output_folder=str(folder / "transformed"), iglu_config=resolver
    )
    TRANSFORM.execute(TRANSFORM.plan(settings, World.of_now()), InProcess(), Unwatched())
    schemas = RegistrySchemas(IgluClient(ResolverConfig.load(resolver), now=0))
    run = read_run(f"{folder.resolve()}/transformed/run={RUN_ID}")
    with embedded_postgres(folder / "warehouse") as url:
        started = time.perf_counter()
        report = RunLoader(PostgresWarehouse(url), schemas).load(run)
        whole = time.perf_counter() - started
        copied = sum(table.seconds for table in report.tables)
        psql = sum(_psql_copies(url, table.table, folder) for table in report.tables)
    return LoadResult(sum(table.rows for table in report.tables), copied, whole, psql)


def _psql_copies(url: str, table: str, folder: Path) -> float:
    """Seconds psql needs for ``COPY`` of the rows of ``table`` into an empty one with the same columns and indexes."""
    name = table.rpartition(".")[2]
    file = folder / f"{name}.txt"
    _psql(url, f"\\copy atomic.{name} TO '{file}'", f"CREATE TABLE public.{name} (LIKE atomic.{name} INCLUDING ALL)")
    started = time.perf_counter()
    _psql(url, f"\\copy public.{name} FROM '{file}'")
    seconds = time.perf_counter() - started
    file.unlink()
    return seconds


def _psql(url: str, *commands: str) -> None:
    arguments = [part for command in commands for part in ("-c", command)]
    subprocess.run([psql_path(), "-q", "-v", "ON_ERROR_STOP=1", url, *arguments], check=True)
