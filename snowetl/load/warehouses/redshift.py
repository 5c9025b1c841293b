"""Amazon Redshift: ``COPY`` from S3, migrations before the load's transaction (rdb-loader 5.6.3)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl.atomic import LOAD_TSTAMP, redshift_columns
from snowetl.ddl.dialects import DIALECTS
from snowetl.ddl.names import qualified, quoted
from snowetl.ddl.redshift import create_rejected_values
from snowetl.ddl.tables import Dialect, Held
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load import redshift_bad_rows, ssh_tunnel
from snowetl.load.bad_row_files import sources
from snowetl.load.dbapi import is_driver_error
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, canonical, row_of
from snowetl.load.plan import Aside, Copy, Rejected
from snowetl.load.redshift_login import EXAMPLE, CopyCredentials, Login, login_of
from snowetl.load.report import TableLoad
from snowetl.load.rows import first_width, read_chunks
from snowetl.load.run import SHREDDED, TSV, Model, TransformedRun
from snowetl.load.sql_script import statements_of
from snowetl.load.sqlstate import is_lasting_refusal, is_passing
from snowetl.load.target import COPY_SECONDS, STATEMENT_SECONDS, checked_schema
from snowetl.load.warehouse import Capabilities, Say, Statement, StatementFailed, Tables
from snowetl.storage import FileInfo, filesystem
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    from snowetl.load.target import Target

Connect = Callable[..., Any]

_GRANTS = (
    "an administrator may say GRANT CREATE ON DATABASE …, GRANT USAGE, CREATE ON SCHEMA {schema}, and "
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} to the user of --database"
)
_LONGEST = 1_000
_FATAL = (
    "illegalstate",
    "invalid operation",
    "disk full",
    "out of memory",
    "data loading error iam role",
    "cannot copy into nonexistent table",
    "permission denied for",
    "stl_load_errors",
)
"""Texts (lower case) of errors that a second try does not cure."""
_SAME_SIZE = re.compile(r'cannot alter column "[^\s]+" of relation "[^\s]+", target column size should be different')
_REFUSALS = ("42", "0A", "54", "22", "2B")
"""Beginnings of SQL states of statements that the server will never take."""
_ELSEWHERE = ("permission denied", "disk full", "out of memory")
_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    "base" VARCHAR(512) ENCODE ZSTD NOT NULL PRIMARY KEY,
    "types" VARCHAR(65535) ENCODE ZSTD NOT NULL,
    "shredding_started" TIMESTAMP ENCODE ZSTD NOT NULL,
    "shredding_completed" TIMESTAMP ENCODE ZSTD NOT NULL,
    "min_collector_tstamp" TIMESTAMP ENCODE RAW NULL,
    "max_collector_tstamp" TIMESTAMP ENCODE ZSTD NULL,
    "ingestion_tstamp" TIMESTAMP ENCODE ZSTD NOT NULL,
    "compression" VARCHAR(16) ENCODE ZSTD NOT NULL,
    "processor_artifact" VARCHAR(64) ENCODE ZSTD NOT NULL,
    "processor_version" VARCHAR(32) ENCODE ZSTD NOT NULL,
    "count_good" INT ENCODE ZSTD NULL,
    "run_identity" VARCHAR(64) ENCODE ZSTD NULL,
    "bad_rows" BIGINT ENCODE ZSTD NULL
)"""
_ADDED = {"run_identity": "VARCHAR(64)", "bad_rows": "BIGINT"}
"""Columns of the manifest that RDB Loader's, and those of earlier releases, lack."""
_PRIMARY_KEY = "event_id_0110_pk"
"""Of ``events``, as RDB Loader names it."""
_REJECTED = """
CREATE TABLE IF NOT EXISTS {schema}.rejected_rows (
    "base" VARCHAR(512) ENCODE ZSTD NOT NULL,
    "table_name" VARCHAR(256) ENCODE ZSTD NOT NULL,
    "reason" VARCHAR(4096) ENCODE ZSTD NOT NULL,
    "folder" VARCHAR(2048) ENCODE ZSTD NOT NULL,
    "model" VARCHAR(1024) ENCODE ZSTD NOT NULL,
    "row_count" BIGINT ENCODE ZSTD NOT NULL,
    "rejected_tstamp" TIMESTAMP ENCODE ZSTD NOT NULL
)"""


class RedshiftWarehouse:
    """A schema in a Redshift database. ``connection`` says how it is reached.

    ``copy_seconds`` and ``statement_seconds`` are the longest that a ``COPY`` and any other statement may take; 0: as
    long as it likes. ``connect`` is the driver's function (another DB-API driver can take its place).
    Raises ``ConfigError``.
    """

    name: ClassVar[str] = "redshift"
    capabilities: ClassVar[Capabilities] = Capabilities(
        layouts=frozenset((SHREDDED,)),
        rows_for="redshift",
        row_formats=frozenset((TSV,)),
        max_identifier=127,
        reads_from=frozenset(("s3", "s3a", "s3n")),
        extra="redshift",
        modules=("redshift_connector",),
        bad_rows_table=True,
        failed_events=True,
        rejected_rows=True,
        tunnels=True,
        renames_schemas=True,
        dbt_adapter="redshift",
        required=(("database",), ("role_arn", "assume_role_arn")),
        database_example=EXAMPLE,
    )

    def __init__(
        self,
        connection: Login,
        credentials: CopyCredentials,
        region: str,
        schema: str = "atomic",
        max_error: int = 10,
        connect: Connect | None = None,
        copy_seconds: int = COPY_SECONDS,
        statement_seconds: int = STATEMENT_SECONDS,
    ) -> None:
        self.schema = checked_schema(schema)
        self.dialect: Dialect = DIALECTS["redshift"]
        self._connection = connection
        self._credentials = credentials
        self._region = region
        self._max_error = max_error
        self._connect = connect
        self.copy_seconds = copy_seconds
        self.statement_seconds = statement_seconds

    @classmethod
    def check(cls, target: Target) -> None:
        cls._of(target)
        if target.ssh_tunnel is not None:
            ssh_tunnel.checked(target.ssh_tunnel)
        _driver()

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[RedshiftWarehouse]:
        warehouse = cls._of(target)
        if target.ssh_tunnel is None:
            yield warehouse
            return
        given = warehouse._connection.keywords
        with ssh_tunnel.tunnel(target.ssh_tunnel, given["host"], given["port"]) as port:
            warehouse._connection = warehouse._connection.at("127.0.0.1", port)
            yield warehouse

    @classmethod
    def _of(cls, target: Target) -> RedshiftWarehouse:
        if target.database is None:
            raise ConfigError(f"--warehouse redshift needs --database {EXAMPLE}")
        login = login_of(target.database, target.region)
        credentials = CopyCredentials(role_arn=target.role_arn, assume_role_arn=target.assume_role_arn)
        return cls(
            login,
            credentials,
            target.region or _region(),
            target.schema,
            target.max_error,
            copy_seconds=target.copy_seconds,
            statement_seconds=target.statement_seconds,
        )

    @property
    def shown(self) -> str:
        given = self._connection.keywords
        return f"redshift://{given.get('host')}/{given.get('database')}"

    @contextmanager
    def session(self) -> Iterator[RedshiftSession]:
        connect = self._connect or _driver()
        keywords = self._connection.complete()
        try:
            connection = connect(**keywords)
        except Exception as error:
            reason = _reason(error)
            transient = not is_lasting_refusal(reason)
            raise TargetError(f"cannot connect to {self.shown}: {reason}", transient=transient) from None
        try:
            connection.autocommit = True
            session = RedshiftSession(connection, self)
            session.limit(self.statement_seconds)
            yield session
        except (LoadError, StatementFailed):
            raise
        except Exception as error:
            if not is_driver_error(error):
                raise
            reason = _reason(error)
            remedy = f"; {_GRANTS.format(schema=self.schema)}" if "permission denied" in reason.lower() else ""
            raise LoadError(f"{self.shown}: {reason}{remedy}", transient=_is_passing(reason)) from error
        finally:
            with suppress(Exception):  # a connection that broke cannot be closed, and need not be
                connection.close()

    def set_up(self, tables: Tables) -> list[Statement]:
        schema, there = self.schema, tables.comments
        statements = []
        if not tables.schema_exists:
            statements.append(Statement(f"create schema {schema}", f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        if "events" not in there:
            statements += self.create_events("events")
        for table, create in (
            ("manifest", _MANIFEST.format(schema=schema)),
            ("rejected_rows", _REJECTED.format(schema=schema)),
            ("rejected_values", create_rejected_values(schema)),
        ):
            if table not in there:
                statements.append(Statement(f"create {schema}.{table}", create))
        for column, type_ in _ADDED.items():
            if "manifest" in there and column not in tables.columns["manifest"]:
                sql = f"ALTER TABLE {schema}.manifest ADD COLUMN {column} {type_} ENCODE ZSTD NULL"
                statements.append(Statement(f"alter {schema}.manifest", sql))
        return statements

    def create_events(self, table: str) -> list[Statement]:
        return [Statement(f"create {self.schema}.{table}", _events_sql(self.schema, table))]

    def add_load_tstamp(self, table: str, moment: datetime) -> Statement:
        """``COPY`` knows no constants: the column has the server's time of the load, as RDB Loader adds it."""
        name = f"{self.schema}.{table}"
        sql = f"ALTER TABLE {name} ADD COLUMN {LOAD_TSTAMP} TIMESTAMP DEFAULT GETDATE() NULL"
        return Statement(f"alter {name}", sql, optional=True)

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        name = f"copy {copy.folder.path} into {self.schema}.{copy.table}"
        sql = self.copy_sql(copy, canonical(run.base) + copy.folder.path, copy.columns, "…")
        return Statement(name, sql)

    def copy_sql(self, copy: Copy, source: str, columns: Sequence[str], credentials: str | None = None) -> str:
        """``COPY`` of one folder or file. The columns are named: rows of earlier versions have fewer.

        A folder ends with a slash, so that ``model=1`` is not ``model=10`` too.
        """
        names = ",".join(map(quoted, columns))
        gzip = all(info.url.endswith(".gz") for info in copy.files)
        empty = " EMPTYASNULL FILLRECORD" if not copy.format.null else ""
        return (
            f"COPY {qualified(self.schema, copy.table)} ({names}) FROM {_literal(source)}"
            f" CREDENTIALS {_literal(credentials or self._credentials.text())} REGION {_literal(self._region)}"
            f" MAXERROR {self._max_error} TIMEFORMAT 'auto' DELIMITER '\t'{empty} TRUNCATECOLUMNS ACCEPTINVCHARS"
            f"{' GZIP' if gzip else ''}"
        )

    def copy_json_sql(self, table: str, source: str, gzip: bool) -> str:
        """``COPY`` of lines of JSON, each into one ``SUPER``."""
        return (
            f"COPY {table} FROM {_literal(source)} CREDENTIALS {_literal(self._credentials.text())} "
            f"REGION {_literal(self._region)} FORMAT JSON 'noshred' MAXERROR {self._max_error} "
            f"ACCEPTINVCHARS{' GZIP' if gzip else ''}"
        )

    def dbt_output(self) -> Mapping[str, Any]:
        given = self._connection.complete()
        return {
            "type": "redshift",
            "host": given["host"],
            "port": given["port"],
            "user": given["user"],
            "password": given["password"],
            "dbname": given["database"],
            "sslmode": "prefer" if given.get("ssl", True) else "disable",
        }

    def preflight(self) -> list[str]:
        """Rights to make what is missing, and to write what is there."""
        with self.session() as session:
            tables = session.tables()
            if not tables.schema_exists:
                missing = not session.has("has_database_privilege(current_database(), 'CREATE')")
            else:
                missing = not session.has(f"has_schema_privilege('{self.schema}', 'CREATE')")
            return [f"no right to create tables: {_GRANTS.format(schema=self.schema)}"] if missing else []


class RedshiftSession:
    """See :class:`snowetl.load.warehouse.Session`."""

    def __init__(self, connection: Any, warehouse: RedshiftWarehouse) -> None:
        self._connection = connection
        self._warehouse = warehouse
        self._schema = warehouse.schema

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.autocommit = False
        try:
            yield
            self._connection.commit()
        except BaseException:
            with suppress(Exception):  # the first error says what happened
                self._connection.rollback()
            raise
        finally:
            with suppress(Exception):
                self._connection.autocommit = True

    def lock(self) -> None:
        """Taken on the manifest; before its first creation there is nothing to lock."""
        if "manifest" in self.tables().comments:
            with self._limited(0):  # another loader may copy for hours
                self._execute(f"LOCK TABLE {self._schema}.manifest")

    def limit(self, seconds: int) -> None:
        """The longest that a statement may take from now on; 0: as long as it likes."""
        self._execute(f"SET statement_timeout TO {seconds * 1000}")

    @contextmanager
    def _limited(self, seconds: int) -> Iterator[None]:
        self.limit(seconds)
        yield
        self.limit(self._warehouse.statement_seconds)

    def execute(self, statement: Statement) -> str | None:
        try:
            self._execute(statement.sql)
        except Exception as error:
            reason = _reason(error)
            if _SAME_SIZE.search(reason):  # an earlier try widened the column already
                return None
            if not is_driver_error(error) or not _is_refusal(reason):
                raise
            if statement.optional:
                return reason
            raise StatementFailed(statement, reason) from error
        return None

    def tables(self) -> Tables:
        schema = _literal(self._schema)
        exists = self._query(f"SELECT 1 FROM pg_namespace WHERE nspname = {schema}")
        comments = dict(
            self._query(
                "SELECT c.relname, obj_description(c.oid) FROM pg_class c JOIN pg_namespace n "
                f"ON n.oid = c.relnamespace WHERE n.nspname = {schema} AND c.relkind IN ('r', 'v')"
            )
        )
        columns: dict[str, dict[str, Held]] = {table: {} for table in comments}
        for table, column, type_, not_null in self._query(
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a "
            "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            f"WHERE n.nspname = {schema} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
        ):
            if table in columns:
                columns[table][column] = Held(type_, not_null)
        return Tables(comments, columns, bool(exists))

    def has(self, condition: str) -> bool:
        found = self._query(f"SELECT {condition}")
        return bool(found and found[0][0])

    def script(self, sql: str) -> None:
        """Statement by statement; ``BEGIN`` and ``COMMIT`` are the file's own."""
        for statement in statements_of(sql):
            self._execute(statement)

    def vacuum(self, table: str) -> None:
        """Rows are only added, so that there is nothing to reclaim: they are sorted in."""
        self._execute(f"VACUUM SORT ONLY {qualified(self._schema, table)}")

    def number(self, query: str) -> int:
        return int(self._query(query)[0][0])

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        wanted = row_of(run)
        has_identity = "run_identity" in self.tables().columns["manifest"]
        names = [name for name in COLUMNS if name != "run_identity" or has_identity]
        conditions = [
            f"base IN ({', '.join(map(_literal, addresses(run)))})",
            f"(shredding_started = {_literal(wanted.shredding_started)} "
            f"AND shredding_completed = {_literal(wanted.shredding_completed)})",
        ]
        if has_identity and wanted.run_identity is not None:
            conditions.append(f"run_identity = {_literal(wanted.run_identity)}")
        found = self._query(f"SELECT {', '.join(names)} FROM {self._schema}.manifest WHERE {' OR '.join(conditions)}")
        rows = ([None if cell is None else str(cell) for cell in row] for row in found)
        return [_manifest_row(dict(zip(names, row, strict=True))) for row in rows]

    def note_loaded(self, row: ManifestRow) -> None:
        values = ", ".join("NULL" if value is None else _value(value) for value in row)
        self._execute(
            f"INSERT INTO {self._schema}.manifest ({', '.join(COLUMNS)}, ingestion_tstamp) VALUES ({values}, GETDATE())"
        )

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """One ``COPY`` of the folder; where its files have rows of different widths, one of each file."""
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files))
        for source, columns in self._sources(copy, run):
            self._copy(self._warehouse.copy_sql(copy, source, columns), loaded)
        loaded.seconds = time.monotonic() - started
        return loaded

    def _copy(self, sql: str, loaded: TableLoad) -> None:
        with self._limited(self._warehouse.copy_seconds):
            self._execute(sql)
        copied = self._query("SELECT pg_last_copy_count()")
        loaded.rows += int(copied[0][0]) if copied else 0
        refused = self._query("SELECT count(*) FROM stl_load_errors WHERE query = pg_last_copy_id()")
        loaded.rejected += int(refused[0][0]) if refused else 0

    def _sources(self, copy: Copy, run: TransformedRun) -> list[tuple[str, Sequence[str]]]:
        """What is copied, and into which columns: rows of earlier versions have only the first of them."""
        if not copy.files:
            return []
        folder = canonical(run.base) + copy.folder.path
        widths = {info.url: first_width(info, len(copy.columns), copy.fewest) for info in copy.files}
        if len(set(widths.values())) == 1:
            return [(folder, copy.columns[: next(iter(widths.values()))])]
        return [(_s3(url), copy.columns[:width]) for url, width in widths.items()]

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        """By way of a temporary table, whose JSON the server takes apart. Lines that are not JSON are let pass."""
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{redshift_bad_rows.TABLE}", files=len(files))
        elsewhere = [file.url for file in files if scheme_of(file.url) not in ("s3", "s3a", "s3n")]
        if elsewhere:
            raise LoadError(
                f"Redshift reads bad rows from S3, not {elsewhere[0]}: copy them there, or leave --bad-rows out (run: "
                "--no-load-bad-rows)"
            )
        if redshift_bad_rows.TABLE not in self.tables().comments:
            self._execute(redshift_bad_rows.CREATE.format(schema=self._schema))
        self._execute(redshift_bad_rows.CREATE_STAGE)
        for source in sources(files):
            self._copy(self._warehouse.copy_json_sql(redshift_bad_rows.STAGE, _s3(source.url), source.gzip), loaded)
        base = _literal(row_of(run).base)
        self._execute(redshift_bad_rows.INSERT.format(schema=self._schema, base=base))
        self._execute(redshift_bad_rows.DROP_STAGE)
        loaded.seconds = time.monotonic() - started
        return loaded

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        if "bad_rows" not in self.tables().columns["manifest"]:
            return False
        found = self._query(f"SELECT bad_rows FROM {self._schema}.manifest WHERE base = {_literal(row.base)}")
        return bool(found and found[0][0] == 0)

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        self._execute(f"UPDATE {self._schema}.manifest SET bad_rows = {count} WHERE base = {_literal(row.base)}")

    def put_aside(self, aside: Aside, run: TransformedRun) -> TableLoad:
        """Redshift cannot read rows it has no table for: the manifest of rejected rows says where they lie."""
        loaded = TableLoad(f"{self._schema}.rejected_rows")
        for folder in aside.folders:
            count = folder.rows
            if count is None:
                count = sum(chunk.count(b"\n") for chunk in read_chunks(folder.files))
            values = [row_of(run).base, aside.model.name, aside.reason[:_LONGEST], folder.path, aside.model.to_json()]
            self._execute(
                f"INSERT INTO {self._schema}.rejected_rows (base, table_name, reason, folder, model, row_count, "
                f"rejected_tstamp) VALUES ({', '.join(map(_literal, values))}, {count}, GETDATE())"
            )
            loaded.rejected += count
        return loaded

    def rejected(self) -> list[Rejected]:
        found = self._query(
            f"SELECT base, model, folder, row_count FROM {self._schema}.rejected_rows ORDER BY base, model, folder"
        )
        return [
            Rejected(base, Model(*json.loads(model)), None, int(count), folder) for base, model, folder, count in found
        ]

    def retry(self, rejected: Rejected, copy: Copy, run: TransformedRun) -> TableLoad:
        assert rejected.folder is not None
        files = tuple(filesystem(rejected.base).list(rejected.base + rejected.folder))
        loaded = self.copy(replace(copy, folder=copy.folder._replace(files=files)), run)
        if loaded.rows + loaded.rejected != rejected.rows:
            raise LoadError(
                f"{rejected.base}{rejected.folder} held {rejected.rows:,} rows, and {loaded.rows:,} are there now"
            )
        self._execute(
            f"DELETE FROM {self._schema}.rejected_rows WHERE base = {_literal(rejected.base)} "
            f"AND folder = {_literal(rejected.folder)}"
        )
        return loaded

    def _execute(self, statement: str) -> None:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
        finally:
            cursor.close()

    def _query(self, statement: str) -> list[Any]:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            cursor.close()


def _manifest_row(values: dict[str, str | None]) -> ManifestRow:
    good = values["count_good"]
    return ManifestRow(
        base=values["base"] or "",
        types=values["types"] or "",
        shredding_started=values["shredding_started"] or "",
        shredding_completed=values["shredding_completed"] or "",
        min_collector_tstamp=values["min_collector_tstamp"],
        max_collector_tstamp=values["max_collector_tstamp"],
        compression=values["compression"] or "",
        processor_artifact=values["processor_artifact"] or "",
        processor_version=values["processor_version"] or "",
        count_good=None if good is None else int(good),
        run_identity=values.get("run_identity"),
    )


def _events_sql(schema: str, table: str) -> str:
    width = max(len(column.name) for column in redshift_columns())
    lines = [
        f"    {column.name.ljust(width)} {column.type}{_unique(column.name)}{_encode(column.name)}"
        + (" NOT NULL" if column.not_null else "")
        for column in redshift_columns()
    ]
    lines.append(f"    {LOAD_TSTAMP.ljust(width)} timestamp DEFAULT SYSDATE ENCODE AZ64 NULL")
    lines.append(f"    CONSTRAINT {_PRIMARY_KEY if table == 'events' else f'{table}_pk'} PRIMARY KEY (event_id)")
    return (
        f"CREATE TABLE IF NOT EXISTS {schema}.{table} (\n" + ",\n".join(lines) + "\n)\n"
        "DISTSTYLE KEY\nDISTKEY (event_id)\nSORTKEY (collector_tstamp)"
    )


def _s3(url: str) -> str:
    return f"s3://{url.partition('://')[2]}"


def _is_passing(reason: str) -> bool:
    """Whether the same load may succeed later. An error without a SQL state is a connection's, unless it says more."""
    code = reason.rpartition("SqlState: ")[2] if "SqlState: " in reason else None
    if code is not None and is_passing(code):
        return True
    if code == "23505" and '"pg_' in reason:  # two loaders made the same schema or table at once
        return True
    return code in (None, "unknown", "XX000") and not any(text in reason.lower() for text in _FATAL)


def _is_refusal(reason: str) -> bool:
    """Whether the server refuses this very statement, for a reason other than rights, space or memory."""
    lowered = reason.lower()
    code = reason.rpartition("SqlState: ")[2][:2]
    return (code in _REFUSALS or "invalid operation" in lowered) and not any(text in lowered for text in _ELSEWHERE)


def _driver() -> Connect:
    try:
        import redshift_connector
    except ImportError:
        raise ConfigError("loading into Redshift needs its driver: pip install 'snowetl[redshift]'") from None
    connect: Connect = redshift_connector.connect
    return connect


def _reason(error: Exception) -> str:
    """What the server said: the driver wraps it in a dict of protocol fields."""
    detail = error.args[0] if error.args else error
    if isinstance(detail, dict):
        return f"{detail.get('M', detail)} = SqlState: {detail.get('C', 'unknown')}"
    return str(detail).strip()


def _unique(column: str) -> str:
    return " UNIQUE" if column == "event_id" else ""


def _encode(column: str) -> str:
    return " ENCODE RAW" if column == "collector_tstamp" else " ENCODE ZSTD"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _value(value: str | int) -> str:
    return str(value) if isinstance(value, int) else _literal(value)


def _region() -> str:
    import boto3

    region = boto3.session.Session().region_name
    if region is None:
        raise ConfigError("--region is missing, and the AWS configuration names none")
    return str(region)
