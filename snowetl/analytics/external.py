"""What lies in a folder of runs, as a table for engines that read it there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from snowetl.ddl import external
from snowetl.ddl.external import ExternalTable
from snowetl.ddl.parquet import Field
from snowetl.errors import NothingToDo, UsageError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.reporting.transform import TransformReport
from snowetl.runs.run import SUCCESS
from snowetl.steps.lifecycle import read_report
from snowetl.steps.transform_plan import FolderRun
from snowetl.steps.transform_task import TransformConfig
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of
from snowetl.transform.columns import ATOMIC_FIELDS, DUPLICATE
from snowetl.transform.event import CONTEXTS
from snowetl.transform.rows import SchemaType
from snowetl.transform.transformer import WIDE_JSON, WIDE_PARQUET

ENRICHED, BAD, TRANSFORMED, TRANSFORMED_BAD = "enriched", "bad", "transformed", "transformed-bad"
ROWS = (ENRICHED, BAD, TRANSFORMED, TRANSFORMED_BAD)


def external_table(
    folder: str, rows: str, database: str, name: str, iglu_config: Any = None, *, with_runs: bool = False
) -> ExternalTable:
    """The table of a folder of runs; ``rows`` is one of :data:`ROWS`, ``folder`` an address on S3.

    ``with_runs``: find the runs that are there, and are done. Transformed rows always need that: their columns are
    those of the schemas that the reports of the runs name, of which ``iglu_config`` knows. Raises ``NothingToDo``,
    ``UsageError``, ``StorageError``, ``SnowetlError``.
    """
    if scheme_of(folder) == "file":
        raise UsageError(f"{folder} is a folder of this machine: the engines read s3://bucket/folder")
    folder = folder.rstrip("/")
    if rows == TRANSFORMED:
        return _wide(folder, database, name, iglu_config)
    if rows == TRANSFORMED_BAD:
        runs = {run.id.removeprefix("run="): f"{run.folder}/output=bad" for run, _ in _transformed(folder)}
        return ExternalTable(database, name, external.bad_row_columns(), external.JSON, folder, runs)
    done = {run.removeprefix("run="): f"{folder}/{run}" for run in _done(folder)} if with_runs else {}
    columns, form = (
        (external.bad_row_columns(), external.JSON) if rows == BAD else (external.enriched_columns(), external.LINES)
    )
    return ExternalTable(database, name, columns, form, folder, done)


def _done(folder: str) -> Iterator[str]:
    """The run folders that their job has left as done."""
    files = filesystem(folder)
    for name in files.folders(folder):
        if name.startswith("run=") and files.exists(f"{folder}/{name}/{SUCCESS}"):
            yield name


def _transformed(folder: str) -> list[tuple[FolderRun, TransformReport]]:
    """The transformed runs that are complete, with their reports."""
    runs = [FolderRun(name, (folder,)) for name in filesystem(folder).folders(folder) if name.startswith("run=")]
    reports = [(run, read_report(run, TransformReport)) for run in runs if run.is_complete()]
    found = [(run, report) for run, report in reports if report is not None]
    if not found:
        raise NothingToDo(f"there is no transformed run in {folder}, so nothing says what its columns are")
    return found


def _wide(folder: str, database: str, name: str, iglu_config: Any) -> ExternalTable:
    found = _transformed(folder)
    kinds = sorted({str(report.settings.get("transformation")) for _, report in found})
    if kinds not in ([WIDE_PARQUET], [WIDE_JSON]):
        raise UsageError(
            f"the runs in {folder} are {' and '.join(kinds)}: one table can be laid over runs of {WIDE_PARQUET}, or of "
            f"{WIDE_JSON}. Rows for Postgres and Redshift are loaded by `snowetl load`"
        )
    types = {SchemaType(type_.schema_key, type_.column) for _, report in found for type_ in report.types}
    is_parquet = kinds == [WIDE_PARQUET]
    if is_parquet and any(_gives_new_ids(report) for _, report in found):
        types.add(SchemaType(DUPLICATE, CONTEXTS))
    columns = _columns(frozenset(types), iglu_config)
    runs = {run.id.removeprefix("run="): f"{run.folder}/output=good" for run, _ in found}
    if is_parquet:
        return ExternalTable(database, name, columns, external.PARQUET, folder, runs)
    more = [*columns, Field("geo_location", "string", True)]
    return ExternalTable(database, name, external.json_columns(more), external.JSON, folder, runs)


def _gives_new_ids(report: TransformReport) -> bool:
    rule: object = report.settings.get("deduplication", {}).get("synthetic", "NONE")
    return rule != "NONE"


def _columns(types: frozenset[SchemaType], iglu_config: Any) -> list[Field]:
    resolver = ResolverConfig.default() if iglu_config is None else ResolverConfig.load(iglu_config)
    config = TransformConfig(WIDE_PARQUET, resolver, ("snowetl", ""), 0, types=types)
    entities = config.columns(IgluClient(resolver, now=0))
    return [*ATOMIC_FIELDS, *(column.field for column in entities)]
