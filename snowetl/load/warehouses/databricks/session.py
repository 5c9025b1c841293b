"""A session of Databricks that loads runs: see :class:`snowetl.load.warehouse.StagingSession`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from snowetl.ddl import databricks as ddl
from snowetl.ddl.tables import Held
from snowetl.errors import LoadError, TargetError
from snowetl.load import parquet_files
from snowetl.load.bad_row_files import sources
from snowetl.load.evolution import canonical, types_of
from snowetl.load.manifest import ManifestRow, row_of
from snowetl.load.plan import Copy
from snowetl.load.report import TableLoad
from snowetl.load.run import RowFolder, TransformedRun
from snowetl.load.sql_script import statements_of
from snowetl.load.warehouse import NothingAside, Statement, StatementFailed, Tables
from snowetl.load.warehouses.databricks import rows
from snowetl.load.warehouses.databricks.client import Client, DatabricksError, Result
from snowetl.load.warehouses.databricks.places import Places
from snowetl.load.warehouses.databricks.tables import TABLES
from snowetl.storage import FileInfo
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    import pyarrow as pa


_ADDED_ALREADY = ("FIELD_ALREADY_EXISTS", "FIELDS_ALREADY_EXISTS")


class DatabricksSession(NothingAside):
    """See :class:`snowetl.load.warehouse.StagingSession`."""

    def __init__(
        self, client: Client, schema: str, volume: str | None, copy_seconds: int, statement_seconds: int
    ) -> None:
        self._client = client
        self._schema = schema
        self._volume = volume
        self._copy_seconds = copy_seconds
        self._statement_seconds = statement_seconds
        self._waiting: list[Callable[[], None]] = []
        self._row: ManifestRow | None = None
        self._bad_rows: int | None = None
        self._uploaded: list[str] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The commits are made on leaving. What was made before does nothing."""
        self._waiting, self._row, self._bad_rows = [], None, None
        yield
        for commit in self._waiting:
            commit()
        if self._row is not None:
            added = self._run(rows.merge_manifest(self._schema, self._row, self._bad_rows or 0))
            if _inserted(added) == 0:
                raise LoadError("another loader was quicker with this run", transient=True)
        for path in self._uploaded:
            with suppress(TargetError):  # what is left in the volume harms nobody
                self._client.remove(path)
        self._uploaded = []

    def lock(self) -> None:
        """Of several loaders, the first to commit wins: the others fail, and find its rows then."""

    def execute(self, statement: Statement) -> str | None:
        try:
            self._run(statement.sql)
        except DatabricksError as error:
            if any(name in str(error) for name in _ADDED_ALREADY):  # by another loader
                return None
            if error.passing or not error.state.startswith(("42", "0A", "22")) or error.state == "42501":
                raise
            if statement.optional:
                return str(error)
            raise StatementFailed(statement, str(error)) from error
        return None

    def tables(self) -> Tables:
        import pyarrow as pa

        try:
            found = {row[1] for row in self._run(f"SHOW TABLES IN {self._schema}").rows}
        except DatabricksError as error:
            if "SCHEMA_NOT_FOUND" in str(error) or error.state == "42704":
                return Tables()
            raise
        columns: dict[str, dict[str, Held]] = {}
        schemas: dict[str, pa.Schema] = {}
        for name in (name for name in TABLES if name in found):
            shown = self._run(f"SELECT * FROM {self._schema}.{name} LIMIT 0").columns
            columns[name] = {column: Held(printed, False) for column, printed in shown}
            schemas[name] = pa.schema([(column, ddl.arrow_type(printed)) for column, printed in shown])
        return Tables(dict.fromkeys(columns), columns, True, schemas)

    def script(self, sql: str) -> None:
        for statement in statements_of(sql):
            self._run(statement, self._copy_seconds)

    def vacuum(self, table: str) -> None:
        """Put small files together, and give free those that no reader needs any more."""
        for statement in (f"OPTIMIZE {self._schema}.{table}", f"VACUUM {self._schema}.{table}"):
            self._run(statement, self._copy_seconds)

    def number(self, query: str) -> int:
        return int(self._run(query).rows[0][0] or 0)

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        found = self._run(rows.select_manifest(self._schema, run)).rows
        return [ManifestRow.of_texts(row) for row in found]

    def note_loaded(self, row: ManifestRow) -> None:
        self._row = row

    def stage(self, run: TransformedRun, folders: Sequence[RowFolder], bad_rows: Sequence[FileInfo]) -> None:
        places = Places(self._volume, run)
        for file in [*(file for folder in folders for file in folder.files), *bad_rows]:
            if scheme_of(file.url) == "file":
                folder, _, name = file.url.rpartition("/")
                path = f"{places.of(f'{folder}/')}{name}"
                self._client.upload(file, path)
                self._uploaded.append(path)

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """The rows are counted where the server reads them, and merged when the transaction is left."""
        with TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files)).timed() as loaded:
            if not copy.files:
                return loaded
            tables = self.tables()
            typed = {name: canonical(type_) for name, type_ in types_of(parquet_files.schema_of(copy.files[0])).items()}
            there = types_of(tables.schemas[copy.table])
            for folder in sorted({file.url.rpartition("/")[0] for file in copy.files}):
                place = Places(self._volume, run).of(f"{folder}/")
                loaded.rows += self.number(f"SELECT COUNT(*) FROM {rows.files('parquet', place)}")
                sql = rows.merge_events(self._schema, copy, run, place, typed, there, tables.columns[copy.table])
                self._waiting.append(lambda sql=sql: self._merge(sql))  # type: ignore[misc]
        return loaded

    def _merge(self, sql: str) -> None:
        self._run(sql, self._copy_seconds)

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        places = Places(self._volume, run)
        local = sorted({f"{file.url.rpartition('/')[0]}/" for file in files if scheme_of(file.url) == "file"})
        elsewhere = [file for file in files if scheme_of(file.url) != "file"]
        read = [*map(places.of, local), *(source.url for source in sources(elsewhere))]
        loaded = TableLoad(f"{self._schema}.bad_rows", files=len(files))
        for place in read:
            loaded.rows += self.number(f"SELECT COUNT(*) FROM {rows.files('text', place)}")
        if read:
            sql = rows.merge_bad_rows(self._schema, row_of(run).base, read)
            self._waiting.append(lambda: self._merge(sql))
        return loaded

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        found = self._run(f"SELECT bad_rows FROM {self._schema}.manifest WHERE base = {ddl.text(row.base)}").rows
        return bool(found) and found[0][0] is not None and int(found[0][0]) == 0

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        self._bad_rows = count
        if self._row is None:  # the run was loaded before
            sql = f"UPDATE {self._schema}.manifest SET bad_rows = {count} WHERE base = {ddl.text(row.base)}"
            self._waiting.append(lambda: self._merge(sql))

    def _run(self, sql: str, seconds: int | None = None) -> Result:
        return self._client.run(sql, self._statement_seconds if seconds is None else seconds)


def _inserted(result: Result) -> int | None:
    """Rows that a ``MERGE`` says it added; ``None`` where it says nothing."""
    names = [name for name, _ in result.columns]
    if "num_inserted_rows" not in names or not result.rows:
        return None
    return int(result.rows[0][names.index("num_inserted_rows")] or 0)
