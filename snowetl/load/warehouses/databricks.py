"""Databricks SQL: wide rows in Parquet, merged into Delta tables by a SQL warehouse (rdb-loader 5.6.3 for the tables).

A load is up to three commits, in this order: events, bad rows, the manifest's row; each does nothing where it was done.
They are made when the transaction of the load is left, so that what fails before leaves nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from snowetl.ddl import databricks as ddl
from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.tables import Held
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load import databricks_rows as rows
from snowetl.load import parquet_files
from snowetl.load.bad_row_files import sources
from snowetl.load.databricks_client import EXAMPLE, Address, Client, DatabricksError, Result, address_of
from snowetl.load.evolution import canonical, types_of
from snowetl.load.manifest import ManifestRow, row_of
from snowetl.load.manifest import canonical as canonical_base
from snowetl.load.plan import Aside, Copy, Rejected
from snowetl.load.report import TableLoad
from snowetl.load.run import WIDE_PARQUET, RowFolder, TransformedRun
from snowetl.load.sql_script import statements_of
from snowetl.load.target import COPY_SECONDS, STATEMENT_SECONDS, checked_schema
from snowetl.load.warehouse import AddedColumn, Capabilities, Say, Statement, StatementFailed, Tables
from snowetl.storage import FileInfo
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

_GRANTS = (
    "whoever loads needs USE CATALOG, USE SCHEMA and CREATE TABLE there (to make the schema: CREATE SCHEMA), CAN USE "
    "of the SQL warehouse, and READ FILES on the external location of the rows, or READ VOLUME and WRITE VOLUME"
)
_ADDED_ALREADY = ("FIELD_ALREADY_EXISTS", "FIELDS_ALREADY_EXISTS")
_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    base STRING NOT NULL,
    types STRING NOT NULL,
    shredding_started TIMESTAMP NOT NULL,
    shredding_completed TIMESTAMP NOT NULL,
    min_collector_tstamp TIMESTAMP,
    max_collector_tstamp TIMESTAMP,
    ingestion_tstamp TIMESTAMP NOT NULL,
    compression STRING NOT NULL,
    processor_artifact STRING NOT NULL,
    processor_version STRING NOT NULL,
    count_good BIGINT,
    run_identity STRING,
    bad_rows BIGINT
)
USING DELTA
TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')"""
_ADDED = {"run_identity": "STRING", "bad_rows": "BIGINT"}
"""Columns that the manifest of RDB Loader lacks."""
_BAD_ROWS = """
CREATE TABLE IF NOT EXISTS {schema}.bad_rows (
    base STRING NOT NULL,
    type STRING NOT NULL,
    schema STRING,
    failure_tstamp TIMESTAMP,
    processor STRING,
    failure STRING,
    payload STRING
)
USING DELTA
TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')"""
_OURS = {"manifest": _MANIFEST, "bad_rows": _BAD_ROWS}
_TABLES = ("events", "failed_events", *_OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabricksWarehouse:
    """A schema in a catalog of Databricks. Times are in seconds, 0 for no limit."""

    name: ClassVar[str] = "databricks"
    capabilities: ClassVar[Capabilities] = Capabilities(
        layouts=frozenset((WIDE_PARQUET,)),
        transformation="widerow-parquet",
        max_identifier=ddl.MAX_NAME_BYTES,
        reads_from=frozenset(("file", "s3", "s3a", "s3n")),
        bad_rows_table=True,
        failed_events=True,
        ddl_in_transaction=False,
        stages=True,
        dbt_adapter="databricks",
        extra="parquet",
        modules=("pyarrow",),
        required=(("database",),),
        database_example=EXAMPLE,
    )
    address: Address
    schema: str = "atomic"
    copy_seconds: int = COPY_SECONDS
    statement_seconds: int = STATEMENT_SECONDS

    @classmethod
    def check(cls, target: Target) -> None:
        cls._of(target)

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[DatabricksWarehouse]:
        yield cls._of(target)

    @classmethod
    def _of(cls, target: Target) -> DatabricksWarehouse:
        return cls(
            address=address_of(target.database or ""),
            schema=checked_schema(target.schema),
            copy_seconds=target.copy_seconds,
            statement_seconds=target.statement_seconds,
        )

    @contextmanager
    def session(self) -> Iterator[DatabricksSession]:
        client = Client(self.address)
        try:
            yield DatabricksSession(client, self)
        except DatabricksError as error:
            denied = "INSUFFICIENT_PERMISSIONS" in str(error) or "PERMISSION_DENIED" in f"{error.code} {error}"
            remedy = f"; {_GRANTS}" if denied else ""
            raise LoadError(f"{self.address.shown}: {error}{remedy}", transient=error.passing) from error
        finally:
            client.close()

    def set_up(self, tables: Tables) -> list[Statement]:
        schema, there = self.schema, tables.comments
        statements = []
        if not tables.schema_exists:
            statements.append(Statement(f"create schema {schema}", f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        if "events" not in there:
            statements += self.create_events("events")
        elif LOAD_TSTAMP not in tables.columns["events"]:
            sql = f"ALTER TABLE {schema}.events ADD COLUMNS ({LOAD_TSTAMP} TIMESTAMP)"
            statements.append(Statement(f"alter {schema}.events", sql))
        for name, sql in _OURS.items():
            if name not in there:
                statements.append(Statement(f"create {schema}.{name}", sql.format(schema=schema).strip()))
        for column, type_ in _ADDED.items():
            if "manifest" in there and column not in tables.columns["manifest"]:
                sql = f"ALTER TABLE {schema}.manifest ADD COLUMNS ({column} {type_})"
                statements.append(Statement(f"alter {schema}.manifest", sql))
        return statements

    def create_events(self, table: str) -> list[Statement]:
        return [Statement(f"create {self.schema}.{table}", ddl.create_events(self.schema, table))]

    def add_columns(
        self, table: str, added: Sequence[AddedColumn], columns: Mapping[str, pa.DataType]
    ) -> list[Statement]:
        name = f"alter {self.schema}.{table}"
        return [Statement(name, ddl.add_column(self.schema, table, path, type_)) for path, type_ in added]

    def staging(self, run: TransformedRun, folder: str, files: Sequence[FileInfo]) -> list[Statement]:
        """Uploads are requests, no statements."""
        volume = self.address.volume
        uploads = [file for file in files if scheme_of(file.url) == "file"]
        return [Statement(f"upload {file.url}", f"-- to the volume {volume}") for file in uploads]

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        name = f"merge {copy.folder.path} into {self.schema}.{copy.table}"
        place = _Places(self.address.volume, run).of(copy.files[0].url.rpartition("/")[0] + "/") if copy.files else ""
        return Statement(name, rows.merge_events(self.schema, copy, run, place, {}, {}, {}))

    def dbt_output(self) -> Mapping[str, Any]:
        given = self.address
        login = (
            {"token": given.token}
            if given.client is None
            else {"auth_type": "oauth", "client_id": given.client[0], "client_secret": given.client[1]}
        )
        return {
            "type": "databricks", "catalog": given.catalog, "host": given.url.partition("://")[2],
            "http_path": f"/sql/1.0/warehouses/{given.warehouse}", **login,
        }  # fmt: skip

    def preflight(self) -> list[str]:
        try:
            with self.session() as session:
                session.tables()
        except LoadError as error:
            raise TargetError(str(error), transient=error.transient) from error
        return []


class _Places(NamedTuple):
    """Where the server reads folders: those on S3 where they are, those of this machine in the volume."""

    volume: str | None
    run: TransformedRun

    def of(self, folder: str) -> str:
        """Raises ``ConfigError`` for a folder of this machine, where no volume is named."""
        if scheme_of(folder) != "file":
            return canonical_base(folder)
        if self.volume is None:
            raise ConfigError(
                f"{folder} is a folder of this machine, which Databricks reads by way of a volume: add to --database "
                "&volume=/Volumes/CATALOG/SCHEMA/VOLUME"
            )
        known = hashlib.sha256(f"{self.run.identity} {folder}".encode()).hexdigest()[:16]
        return f"{self.volume}/snowetl/{known}/"


class DatabricksSession:
    """See :class:`snowetl.load.warehouse.StagingSession`."""

    def __init__(self, client: Client, warehouse: DatabricksWarehouse) -> None:
        self._client = client
        self._warehouse = warehouse
        self._schema = warehouse.schema
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
        for name in (name for name in _TABLES if name in found):
            shown = self._run(f"SELECT * FROM {self._schema}.{name} LIMIT 0").columns
            columns[name] = {column: Held(printed, False) for column, printed in shown}
            schemas[name] = pa.schema([(column, ddl.arrow_type(printed)) for column, printed in shown])
        return Tables(dict.fromkeys(columns), columns, True, schemas)

    def script(self, sql: str) -> None:
        for statement in statements_of(sql):
            self._run(statement, self._warehouse.copy_seconds)

    def vacuum(self, table: str) -> None:
        """Put small files together, and give free those that no reader needs any more."""
        for statement in (f"OPTIMIZE {self._schema}.{table}", f"VACUUM {self._schema}.{table}"):
            self._run(statement, self._warehouse.copy_seconds)

    def number(self, query: str) -> int:
        return int(self._run(query).rows[0][0] or 0)

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        found = self._run(rows.select_manifest(self._schema, run)).rows
        return [ManifestRow.of_texts(row) for row in found]

    def note_loaded(self, row: ManifestRow) -> None:
        self._row = row

    def stage(self, run: TransformedRun, folders: Sequence[RowFolder], bad_rows: Sequence[FileInfo]) -> None:
        places = _Places(self._warehouse.address.volume, run)
        for file in [*(file for folder in folders for file in folder.files), *bad_rows]:
            if scheme_of(file.url) == "file":
                folder, _, name = file.url.rpartition("/")
                path = f"{places.of(f'{folder}/')}{name}"
                self._client.upload(file, path)
                self._uploaded.append(path)

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """The rows are counted where the server reads them, and merged when the transaction is left."""
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files))
        if not copy.files:
            return loaded
        tables = self.tables()
        typed = {name: canonical(type_) for name, type_ in types_of(parquet_files.schema_of(copy.files[0])).items()}
        there = types_of(tables.schemas[copy.table])
        for folder in sorted({file.url.rpartition("/")[0] for file in copy.files}):
            place = _Places(self._warehouse.address.volume, run).of(f"{folder}/")
            loaded.rows += self.number(f"SELECT COUNT(*) FROM {rows.files('parquet', place)}")
            sql = rows.merge_events(self._schema, copy, run, place, typed, there, tables.columns[copy.table])
            self._waiting.append(lambda sql=sql: self._merge(sql))  # type: ignore[misc]
        loaded.seconds = time.monotonic() - started
        return loaded

    def _merge(self, sql: str) -> None:
        self._run(sql, self._warehouse.copy_seconds)

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        places = _Places(self._warehouse.address.volume, run)
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

    def put_aside(self, aside: Aside, run: TransformedRun) -> TableLoad:
        raise LoadError(f"{aside.model.schema}: {aside.reason}")  # wide rows have one table, which is there

    def rejected(self) -> list[Rejected]:
        return []

    def retry(self, rejected: Rejected, copy: Copy, run: TransformedRun) -> TableLoad:
        raise LoadError("Databricks keeps no rows aside")

    def _run(self, sql: str, seconds: int | None = None) -> Result:
        return self._client.run(sql, self._warehouse.statement_seconds if seconds is None else seconds)


def _inserted(result: Result) -> int | None:
    """Rows that a ``MERGE`` says it added; ``None`` where it says nothing."""
    names = [name for name, _ in result.columns]
    if "num_inserted_rows" not in names or not result.rows:
        return None
    return int(result.rows[0][names.index("num_inserted_rows")] or 0)
