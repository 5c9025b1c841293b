"""DuckDB: one file, in this process. Wide rows in Parquet; one transaction a run, its row of the manifest included.

A file is written by one process at a time, and by one session of a process: a second loader waits.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl import duckdb as ddl
from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.names import qualified, quoted
from snowetl.ddl.tables import Held
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load import bad_rows, parquet_files
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, row_of
from snowetl.load.plan import Aside, Copy, Rejected
from snowetl.load.report import TableLoad
from snowetl.load.run import TransformedRun
from snowetl.load.target import checked_schema
from snowetl.load.warehouse import LOADS_PARQUET, AddedColumn, Capabilities, Say, Statement, StatementFailed, Tables
from snowetl.storage import FileInfo
from snowetl.storage.base import scheme_of
from snowetl.storage.globs import has_magic

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

FILE = "events.duckdb"
"""In a data folder."""
_WAIT_SECONDS = 10.0
"""For how long another process may hold the file before it is told of."""
_PAUSE_SECONDS = 0.2
_READ_ROWS = 10_000
_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    "base" VARCHAR NOT NULL PRIMARY KEY,
    "types" VARCHAR NOT NULL,
    "shredding_started" TIMESTAMP NOT NULL,
    "shredding_completed" TIMESTAMP NOT NULL,
    "min_collector_tstamp" TIMESTAMP,
    "max_collector_tstamp" TIMESTAMP,
    "ingestion_tstamp" TIMESTAMP NOT NULL,
    "compression" VARCHAR NOT NULL,
    "processor_artifact" VARCHAR NOT NULL,
    "processor_version" VARCHAR NOT NULL,
    "count_good" BIGINT,
    "run_identity" VARCHAR,
    "bad_rows" BIGINT
)"""
_BAD_ROWS = """
CREATE TABLE IF NOT EXISTS {schema}.bad_rows (
    "base" VARCHAR NOT NULL,
    "type" VARCHAR NOT NULL,
    "schema" VARCHAR,
    "failure_tstamp" TIMESTAMP,
    "processor" VARCHAR,
    "failure" JSON,
    "payload" JSON
)"""


class DuckDbWarehouse:
    """A schema in a DuckDB file, which the first load makes."""

    name: ClassVar[str] = "duckdb"
    capabilities: ClassVar[Capabilities] = replace(
        LOADS_PARQUET,
        reads_back=True,
        dbt_adapter="duckdb",
        embedded=True,
        extra="duckdb",
        modules=("duckdb", "pyarrow"),
        database_example="duckdb:///FOLDER/FILE.duckdb",
    )

    def __init__(self, path: Path, schema: str = "atomic") -> None:
        self.path = path
        self.schema = checked_schema(schema)

    @classmethod
    def check(cls, target: Target) -> None:
        checked_schema(target.schema)
        _driver()
        _path(target)

    @classmethod
    def check_folder(cls, target: Target) -> None:
        """What :meth:`preflight` finds."""

    @classmethod
    def is_unmade(cls, target: Target) -> bool:
        """Never: a file that is missing is looked into as an empty one."""
        return False

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[DuckDbWarehouse]:
        yield cls(_path(target), target.schema)

    @contextmanager
    def session(self) -> Iterator[DuckDbSession]:
        with _ONE_AT_A_TIME[str(self.path.resolve())]:
            session = DuckDbSession(self.path, self.schema)
            try:
                yield session
            except _driver().Error as error:
                raise LoadError(f"{self.path}: {_words(error)}", transient=_is_passing(error)) from error
            finally:
                session.close()

    def set_up(self, tables: Tables) -> list[Statement]:
        schema, there = self.schema, tables.comments
        made = [("manifest", _MANIFEST.format(schema=schema)), ("bad_rows", _BAD_ROWS.format(schema=schema))]
        statements = []
        if not tables.schema_exists:
            statements.append(Statement(f"create schema {schema}", f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        if "events" not in there:
            statements += self.create_events("events")
        elif LOAD_TSTAMP not in tables.columns["events"]:
            sql = f"ALTER TABLE {schema}.events ADD COLUMN {LOAD_TSTAMP} TIMESTAMP"
            statements.append(Statement(f"alter {schema}.events", sql))
        return statements + [Statement(f"create {schema}.{name}", sql) for name, sql in made if name not in there]

    def create_events(self, table: str) -> list[Statement]:
        return [Statement(f"create {self.schema}.{table}", ddl.create_events(self.schema, table))]

    def add_columns(
        self, table: str, added: Sequence[AddedColumn], columns: Mapping[str, pa.DataType]
    ) -> list[Statement]:
        name = f"alter {self.schema}.{table}"
        return [Statement(name, ddl.add_column(self.schema, table, path, type_)) for path, type_ in added]

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        count = len(copy.files)
        name = f"copy {count:,} file{'' if count == 1 else 's'} of {copy.folder.path} into {self.schema}.{copy.table}"
        return Statement(name, _insert(self.schema, copy, f"{run.base}{copy.folder.path}*.parquet"))

    def dbt_output(self) -> Mapping[str, Any]:
        return {"type": "duckdb", "path": str(self.path.resolve())}

    def preflight(self) -> list[str]:
        folder = self.path.absolute().parent
        if self.path.is_dir():
            return [f"{self.path} is a folder; name a file in it: {self.path}/{FILE}"]
        if not self.path.exists():
            above = next(one for one in (folder, *folder.parents) if one.exists())
            return [] if above.is_dir() else [f"{above} is a file: give another place"]
        with self.session() as session:
            session.tables()
        return []


class DuckDbSession:
    """See :class:`snowetl.load.warehouse.Session`. A file that is missing is made by the first transaction."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._schema = schema
        self._open: Any = None

    @property
    def connection(self) -> Any:
        if self._open is None:
            self._open = _connect(self._path)
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
        duckdb = _driver()
        try:
            self.connection.execute(statement.sql)
        except (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException) as error:
            raise StatementFailed(statement, _words(error)) from error
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
            "('/' || base) LIKE '%/' || ? || '/'"
        )
        last = wanted.base.rstrip("/").rpartition("/")[2]  # it may have been recorded by way of a link
        values = [addresses(run), wanted.run_identity, wanted.shredding_started, wanted.shredding_completed, last]
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
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files))
        if not copy.files:
            return loaded
        paths = [path for file in copy.files if (path := parquet_files.local_path(file.url)) and not has_magic(path)]
        if len(paths) == len(copy.files):
            loaded.rows = self._insert(_insert(self._schema, copy, paths))
        else:
            for file in copy.files:
                loaded.rows += self._copy_stream(copy, file)
        loaded.seconds = time.monotonic() - started
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
            return self._insert(_insert(self._schema, copy, None))
        finally:
            self.connection.unregister("rows_of_the_run")

    def _insert(self, sql: str) -> int:
        duckdb = _driver()
        try:
            return int(self.connection.execute(sql).fetchone()[0])
        except (duckdb.ConstraintException, duckdb.ConversionException, duckdb.BinderException) as error:
            raise LoadError(
                f"{self._path}: {_words(error)}: the table was changed by hand, or the files were; nothing is loaded"
            ) from error

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        import pyarrow as pa

        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{bad_rows.TABLE}", files=len(files))
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
        loaded.seconds = time.monotonic() - started
        return loaded

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        return self._values(f"SELECT bad_rows FROM {self._schema}.manifest WHERE base = ?", [row.base]) == [0]

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        self.connection.execute(f"UPDATE {self._schema}.manifest SET bad_rows = ? WHERE base = ?", [count, row.base])

    def put_aside(self, aside: Aside, run: TransformedRun) -> TableLoad:
        raise LoadError(f"{aside.model.schema}: {aside.reason}")  # wide rows have one table, which is there

    def rejected(self) -> list[Rejected]:
        return []

    def retry(self, rejected: Rejected, copy: Copy, run: TransformedRun) -> TableLoad:
        raise LoadError("DuckDB keeps no rows aside")


_ONE_AT_A_TIME: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""Sessions of this process, by file."""


def _connect(path: Path) -> Any:
    """Open the file. Raises ``TargetError`` where it is not DuckDB's, or another process keeps it too long."""
    duckdb = _driver()
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection = duckdb.connect(str(path))
            break
        except duckdb.Error as error:
            if not _is_locked(error):
                raise TargetError(f"{path} cannot be opened: {_words(error)}") from None
            if time.monotonic() > until:
                raise TargetError(f"{path} is in use: {_words(error)}", transient=True) from None
            time.sleep(_PAUSE_SECONDS)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _is_locked(error: Exception) -> bool:
    return "lock on file" in str(error)


def _is_passing(error: Exception) -> bool:
    return isinstance(error, _driver().TransactionException)


def _words(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _path(target: Target) -> Path:
    """The file a user named. Raises ``ConfigError``."""
    url = target.database
    if url is None:
        return target.data_folder / FILE
    if scheme_of(url) == "file":
        return Path(parquet_files.local_path(url) or "")
    rest = url[len("duckdb:") :]
    if scheme_of(url) != "duckdb" or (rest.startswith("//") and not rest.startswith("///")) or not rest.strip("/"):
        raise ConfigError(
            f"--database {url!r} is not the address of a DuckDB file, such as duckdb:///FOLDER/FILE.duckdb or "
            "duckdb:FILE.duckdb"
        )
    return Path(rest.removeprefix("//"))


def _insert(schema: str, copy: Copy, source: str | Sequence[str] | None) -> str:
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


def _driver() -> Any:
    try:
        import duckdb
    except ImportError:
        raise ConfigError("loading into DuckDB needs its driver: pip install 'snowetl[duckdb]'") from None
    return duckdb
