"""A session of a DuckDB file that loads runs: see :class:`snowetl.load.warehouse.ReadingSession`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.names import qualified, quoted
from snowetl.ddl.tables import Held
from snowetl.errors import LoadError
from snowetl.load import bad_rows, parquet_files
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, end_of_address, row_of
from snowetl.load.plan import Copy
from snowetl.load.report import TableLoad
from snowetl.load.run import TransformedRun
from snowetl.load.warehouse import NothingAside, Statement, StatementFailed, Tables
from snowetl.load.warehouses.duckdb.driver import connect, driver, words
from snowetl.storage import FileInfo
from snowetl.storage.globs import has_magic

if TYPE_CHECKING:
    import pyarrow as pa


_READ_ROWS = 10_000


class DuckDbSession(NothingAside):
    """See :class:`snowetl.load.warehouse.Session`. A file that is missing is made by the first transaction."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._schema = schema
        self._open: Any = None

    @property
    def connection(self) -> Any:
        if self._open is None:
            self._open = connect(self._path)
        return self._open

    def close(self) -> None:
        if self._open is not None:
            self._open.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.connection.begin()
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()

    def lock(self) -> None:
        """The session has the file for itself."""

    def script(self, sql: str) -> None:
        self.connection.execute(sql)

    def vacuum(self, table: str) -> None:
        """Bring the file up to date: what was deleted is given free by a checkpoint."""
        self.connection.execute("CHECKPOINT")

    def number(self, query: str) -> int:
        return int(self.connection.execute(query).fetchone()[0])

    def execute(self, statement: Statement) -> str | None:
        duckdb = driver()
        try:
            self.connection.execute(statement.sql)
        except (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException) as error:
            raise StatementFailed(statement, words(error)) from error
        return None

    def tables(self) -> Tables:
        if not self._path.exists():
            return Tables()
        names = self._values("SELECT table_name FROM information_schema.tables WHERE table_schema = ?", [self._schema])
        exists = self._values("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", [self._schema])
        schemas = {name: self._columns(name) for name in names}
        columns = {
            name: {column.name: Held(str(column.type), not column.nullable) for column in schema}
            for name, schema in schemas.items()
        }
        return Tables(dict.fromkeys(names), columns, bool(exists), schemas)

    def _columns(self, table: str) -> Any:
        """The columns of a table as Arrow has them."""
        return self.connection.sql(f"SELECT * FROM {qualified(self._schema, table)} LIMIT 0").to_arrow_table().schema

    def _values(self, query: str, values: Sequence[Any]) -> list[Any]:
        return [value for (value,) in self.connection.execute(query, values).fetchall()]

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        names = ", ".join(map(quoted, columns))
        yield from self.connection.sql(f"SELECT {names} FROM {qualified(self._schema, table)}").to_arrow_reader(
            _READ_ROWS
        )

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        if not self._path.exists():
            return []
        wanted = row_of(run)
        shown = [f"{name}::VARCHAR" if name.endswith(("_tstamp", "started", "completed")) else name for name in COLUMNS]
        query = (
            f"SELECT {', '.join(shown)} FROM {self._schema}.manifest WHERE base IN (SELECT unnest(?)) OR "
            "run_identity = ? OR (shredding_started = ?::TIMESTAMP AND shredding_completed = ?::TIMESTAMP) OR "
            "suffix('/' || base, ?)"
        )
        values = [
            addresses(run),
            wanted.run_identity,
            wanted.shredding_started,
            wanted.shredding_completed,
            end_of_address(run),
        ]
        return [ManifestRow(*row) for row in self.connection.execute(query, values).fetchall()]

    def note_loaded(self, row: ManifestRow) -> None:
        places = ", ".join(["?"] * len(COLUMNS))
        self.connection.execute(
            f"INSERT INTO {self._schema}.manifest ({', '.join(COLUMNS)}, ingestion_tstamp) "
            f"VALUES ({places}, (now() AT TIME ZONE 'UTC'))",
            list(row),
        )

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """All files at once where DuckDB can read them itself, else one after the other."""
        with TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files)).timed() as loaded:
            if not copy.files:
                return loaded
            paths = [
                path for file in copy.files if (path := parquet_files.local_path(file.url)) and not has_magic(path)
            ]
            if len(paths) == len(copy.files):
                loaded.rows = self._insert(insert(self._schema, copy, paths))
            else:
                for file in copy.files:
                    loaded.rows += self._copy_stream(copy, file)
        return loaded

    def _copy_stream(self, copy: Copy, file: FileInfo) -> int:
        import pyarrow as pa

        found = parquet_files.batches(
            file, [name for name, place in zip(copy.named, copy.columns, strict=True) if place]
        )
        first = next(found, None)
        if first is None:
            return 0
        rows = pa.RecordBatchReader.from_batches(first.schema, _chained(first, found))
        self.connection.register("rows_of_the_run", rows)
        try:
            return self._insert(insert(self._schema, copy, None))
        finally:
            self.connection.unregister("rows_of_the_run")

    def _insert(self, sql: str) -> int:
        duckdb = driver()
        try:
            return int(self.connection.execute(sql).fetchone()[0])
        except (duckdb.ConstraintException, duckdb.ConversionException, duckdb.BinderException) as error:
            raise LoadError(
                f"{self._path}: {words(error)}: the table was changed by hand, or the files were; nothing is loaded"
            ) from error

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        import pyarrow as pa

        with TableLoad(f"{self._schema}.{bad_rows.TABLE}", files=len(files)).timed() as loaded:
            base = row_of(run).base
            for records in bad_rows.batches(files):
                columns = zip(*((base, *record) for record in records), strict=True)
                table = pa.table([pa.array(column, pa.string()) for column in columns], names=list(bad_rows.COLUMNS))
                self.connection.register("bad_rows_of_the_run", table)
                loaded.rows += self._insert(
                    f"INSERT INTO {self._schema}.bad_rows SELECT base, type, schema, "
                    "TRY_CAST(failure_tstamp AS TIMESTAMP), "
                    "processor, failure, payload FROM bad_rows_of_the_run"
                )
                self.connection.unregister("bad_rows_of_the_run")
        return loaded

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        return self._values(f"SELECT bad_rows FROM {self._schema}.manifest WHERE base = ?", [row.base]) == [0]

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        self.connection.execute(f"UPDATE {self._schema}.manifest SET bad_rows = ? WHERE base = ?", [count, row.base])


def insert(schema: str, copy: Copy, source: str | Sequence[str] | None) -> str:
    """The statement that brings in rows: from files, or from the batches that are registered."""
    pairs = [(name, place) for name, place in zip(copy.named, copy.columns, strict=True) if place]
    if source is None:
        rows = "rows_of_the_run"
    else:
        files = [source] if isinstance(source, str) else source
        named = ", ".join(_text(path) for path in files)
        rows = f"read_parquet([{named}], union_by_name = true, hive_partitioning = false)"
    columns = ", ".join(quoted(place) for _, place in pairs)
    values = ", ".join(quoted(name) for name, _ in pairs)
    return (
        f"INSERT INTO {qualified(schema, copy.table)} ({columns}, {LOAD_TSTAMP}) "
        f"SELECT {values}, TIMESTAMP '{copy.load_tstamp}' FROM {rows}"
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _chained(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from others
