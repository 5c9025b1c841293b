"""Snowflake: wide rows in JSON, copied from a stage into ``events`` (rdb-loader 5.6.3).

DDL commits there: schemas, tables, columns and stages are made before the transaction, each by a statement that does
nothing where it was done. The transaction then holds the copies and the manifest's row, and nothing else: a load that
dies leaves columns without values at most. An update of the one row of ``loader_lock`` keeps other loaders out of it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from snowetl.ddl import snowflake as ddl
from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.tables import Dialect, Held
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load import snowflake_faults as faults
from snowetl.load import snowflake_rows as rows
from snowetl.load.dbapi import is_driver_error
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, row_of
from snowetl.load.plan import Aside, Copy, Rejected
from snowetl.load.report import TableLoad
from snowetl.load.run import WIDE_JSON, Model, RowFolder, TransformedRun
from snowetl.load.s3_access import lent_keys
from snowetl.load.snowflake_login import EXAMPLE, SnowflakeLogin, login_of
from snowetl.load.snowflake_stage import HIDDEN, Source, Staged, staged, text
from snowetl.load.sql_script import statements_of
from snowetl.load.target import COPY_SECONDS, STATEMENT_SECONDS, checked_schema
from snowetl.load.warehouse import Capabilities, EntityColumn, Say, Statement, StatementFailed, Tables
from snowetl.storage import FileInfo

if TYPE_CHECKING:
    from snowetl.load.target import Target

Connect = Callable[..., Any]
T = TypeVar("T")

_GRANTS = (
    "the role needs USAGE on the database and on its virtual warehouse, and on the schema {schema} USAGE, CREATE "
    "TABLE and CREATE STAGE (to make it: CREATE SCHEMA on the database), and OWNERSHIP of the tables it alters"
)
_LOCK_SECONDS = 12 * 60 * 60
"""For how long a loader waits for another: as long as Snowflake lets it."""
_SESSION = {
    "TIMEZONE": "UTC",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "QUERY_TAG": "snowetl load",
    "CLIENT_TELEMETRY_ENABLED": False,
}
_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    base VARCHAR(512) NOT NULL PRIMARY KEY,
    types ARRAY NOT NULL,
    shredding_started TIMESTAMP_NTZ NOT NULL,
    shredding_completed TIMESTAMP_NTZ NOT NULL,
    min_collector_tstamp TIMESTAMP_NTZ,
    max_collector_tstamp TIMESTAMP_NTZ,
    ingestion_tstamp TIMESTAMP_NTZ NOT NULL,
    compression VARCHAR(16) NOT NULL,
    processor_artifact VARCHAR(64) NOT NULL,
    processor_version VARCHAR(32) NOT NULL,
    count_good INTEGER,
    run_identity VARCHAR(64),
    bad_rows INTEGER
)"""
_ADDED = {"run_identity": "VARCHAR(64)", "bad_rows": "INTEGER"}
"""Columns that the manifest of RDB Loader lacks."""
_REJECTED = """
CREATE TABLE IF NOT EXISTS {schema}.rejected_rows (
    base VARCHAR(512) NOT NULL,
    table_name VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    line VARCHAR,
    model VARCHAR NOT NULL,
    columns VARCHAR NOT NULL,
    rejected_tstamp TIMESTAMP_NTZ NOT NULL
)"""
_BAD_ROWS = """
CREATE TABLE IF NOT EXISTS {schema}.bad_rows (
    base VARCHAR(512) NOT NULL,
    type VARCHAR(128) NOT NULL,
    "SCHEMA" VARCHAR(512),
    failure_tstamp TIMESTAMP_NTZ,
    processor VARCHAR(1024),
    failure VARIANT,
    payload VARIANT
)"""
_LOCK = "CREATE TABLE IF NOT EXISTS {schema}.loader_lock AS SELECT SYSDATE() AS taken_tstamp"
"""With its one row from the start: of two loaders that make it, one does."""
_OURS = {"manifest": _MANIFEST, "rejected_rows": _REJECTED, "bad_rows": _BAD_ROWS, "loader_lock": _LOCK}
_TIME = "'YYYY-MM-DD HH24:MI:SS.FF6'"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnowflakeWarehouse:
    """A schema in a database of Snowflake. ``connect`` is the driver's function.

    ``copy_seconds`` and ``statement_seconds`` are the longest that a ``COPY`` and any other statement may take; 0: as
    long as Snowflake lets it. Raises ``ConfigError``.
    """

    name: ClassVar[str] = "snowflake"
    capabilities: ClassVar[Capabilities] = Capabilities(
        layouts=frozenset((WIDE_JSON,)),
        transformation="widerow-json",
        max_identifier=ddl.MAX_NAME_BYTES,
        reads_from=frozenset(("file", "s3", "s3a", "s3n")),
        bad_rows_table=True,
        failed_events=True,
        rejected_rows=True,
        ddl_in_transaction=False,
        stages=True,
        dbt_adapter="snowflake",
        extra="snowflake",
        modules=("snowflake.connector",),
        required=(("database",),),
        database_example=EXAMPLE,
    )
    login: SnowflakeLogin
    schema: str = "atomic"
    assume_role_arn: str | None = None
    copy_seconds: int = COPY_SECONDS
    statement_seconds: int = STATEMENT_SECONDS
    connect: Connect | None = field(default=None, repr=False)

    @classmethod
    def check(cls, target: Target) -> None:
        cls._of(target)
        _driver()

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[SnowflakeWarehouse]:
        yield cls._of(target)

    @classmethod
    def _of(cls, target: Target) -> SnowflakeWarehouse:
        login = login_of(target.database or "")
        if target.assume_role_arn and (login.stage or login.integration):
            raise ConfigError("--assume-role-arn, stage= and integration= are ways to read the same files: give one")
        return cls(
            login=login,
            schema=checked_schema(target.schema),
            assume_role_arn=target.assume_role_arn,
            copy_seconds=target.copy_seconds,
            statement_seconds=target.statement_seconds,
        )

    @property
    def dialect(self) -> Dialect:
        return ddl.SNOWFLAKE

    @contextmanager
    def session(self) -> Iterator[SnowflakeSession]:
        connect = self.connect or _driver()
        try:
            connection = connect(
                **self.login.keywords,
                autocommit=True,
                application="snowetl",
                client_session_keep_alive=True,
                enable_server_session_keep_alive_auto_detection=False,
                session_parameters=_SESSION,
            )
        except Exception as error:
            if not is_driver_error(error):
                raise
            reason = faults.words(error)
            lasting = faults.is_lasting_refusal(reason)
            raise TargetError(f"cannot connect to {self.login.shown}: {reason}", transient=not lasting) from None
        try:
            yield SnowflakeSession(connection, self)
        except (LoadError, StatementFailed):
            raise
        except Exception as error:
            if not is_driver_error(error):
                raise
            denied = "insufficient privileges" in str(error).lower() or "not authorized" in str(error).lower()
            remedy = f"; {_GRANTS.format(schema=self.schema)}" if denied else ""
            raise LoadError(
                f"{self.login.shown}: {faults.words(error)}{remedy}", transient=faults.is_passing(error)
            ) from error
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
        for name, sql in _OURS.items():
            if name not in there:
                statements.append(Statement(f"create {schema}.{name}", sql.format(schema=schema).strip()))
        for column, type_ in _ADDED.items():
            if "manifest" in there and column not in tables.columns["manifest"]:
                sql = f"ALTER TABLE {schema}.manifest ADD COLUMN IF NOT EXISTS {column} {type_}"
                statements.append(Statement(f"alter {schema}.manifest", sql))
        return statements

    def create_events(self, table: str) -> list[Statement]:
        return [Statement(f"create {self.schema}.{table}", ddl.create_events(self.schema, table))]

    def add_json_columns(self, table: str, columns: Sequence[EntityColumn]) -> list[Statement]:
        name = f"alter {self.schema}.{table}"
        return [Statement(name, ddl.add_column(self.schema, table, *column)) for column in columns]

    def add_load_tstamp(self, table: str, moment: datetime) -> Statement:
        """Rows that are there already get the time, too: it is the default, and stays it."""
        name = f"{self.schema}.{table}"
        sql = f"ALTER TABLE {name} ADD COLUMN {LOAD_TSTAMP} TIMESTAMP_NTZ DEFAULT '{moment}'::TIMESTAMP_NTZ"
        return Statement(f"alter {name}", sql, optional=True)

    def source(self, stage_url: str = "", keys: Mapping[str, str] | None = None) -> Source:
        """How rows on S3 are read. ``stage_url`` is the address of the stage of ``--database``."""
        return Source(self.login.stage, stage_url, self.login.integration, keys)

    def staging(self, run: TransformedRun, folder: str, files: Sequence[FileInfo]) -> list[Statement]:
        if not files or self.login.stage is not None:
            return []
        keys = dict.fromkeys(("AWS_KEY_ID", "AWS_SECRET_KEY", "AWS_TOKEN"), HIDDEN) if self.assume_role_arn else None
        return list(staged(self.schema, _stage(0), files, self.source(keys=keys)).statements)

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        """Where the stage of ``--database`` is named, only the server knows what of the folder lies below it."""
        name = f"copy {copy.folder.path} into {self.schema}.{copy.table}"
        place = f"@{self.schema}.{_stage(0)}/" if self.login.stage is None else f"@{self.login.stage}/{HIDDEN}/"
        files = [file.url.rpartition("/")[2] for file in copy.files]
        held = {column: Held("", False) for column in copy.columns}
        cells = rows.cells(copy.named, held)
        return Statement(name, rows.copy_rows(self.schema, copy.table, cells, copy.load_tstamp, place, files))

    def dbt_output(self) -> Mapping[str, Any]:
        given = self.login.keywords
        renamed = {"private_key_file": "private_key_path", "private_key_file_pwd": "private_key_passphrase"}
        taken = ("account", "user", "database", "warehouse", "role", "password", "token", "host", "port", *renamed)
        output = {renamed.get(key, key): given[key] for key in taken if key in given}
        return {"type": "snowflake", **output, **({"authenticator": "oauth"} if "token" in given else {})}

    def preflight(self) -> list[str]:
        try:
            return self._problems()
        except LoadError as error:
            raise TargetError(str(error), transient=error.transient) from error

    def _problems(self) -> list[str]:
        problems = []
        with self.session() as session:
            warehouse, database = session.query("SELECT CURRENT_WAREHOUSE(), CURRENT_DATABASE()")[0]
            if warehouse is None:
                problems.append(
                    "no virtual warehouse is in use: name one in --database (&warehouse=NAME) that the role may use"
                )
            if database is None:
                problems.append(f"there is no database {self.login.keywords['database']} that the role may use")
            if not problems:
                session.tables()
                session.stage_url()
        return problems


class SnowflakeSession:
    """See :class:`snowetl.load.warehouse.StagingSession`."""

    def __init__(self, connection: Any, warehouse: SnowflakeWarehouse) -> None:
        self._connection = connection
        self._warehouse = warehouse
        self._schema = warehouse.schema
        self._in_transaction = False
        self._staged: dict[str, Staged] = {}
        """By the folder of the files."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._execute("BEGIN TRANSACTION")
        self._in_transaction = True
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            with suppress(Exception):  # the first error says what happened
                self._execute("ROLLBACK")
            raise
        finally:
            self._in_transaction = False

    def lock(self) -> None:
        """Held until the transaction ends; of a loader that died, Snowflake ends it when another one waits."""
        self._execute(f"UPDATE {self._schema}.loader_lock SET taken_tstamp = SYSDATE()", _LOCK_SECONDS)

    def execute(self, statement: Statement) -> str | None:
        if self._in_transaction:  # it would commit what was done so far
            reason = "Snowflake alters no table within a transaction; load a run to have it altered"
            if statement.optional:
                return reason
            raise StatementFailed(statement, reason)
        try:
            self._execute(statement.sql)
        except Exception as error:
            if not faults.is_refusal(error):
                raise
            if statement.optional:
                return faults.words(error)
            raise StatementFailed(statement, faults.words(error)) from error
        return None

    def tables(self) -> Tables:
        schema = text(self._schema.upper())
        exists = self.query(f"SELECT 1 FROM information_schema.schemata WHERE schema_name = {schema}")
        columns: dict[str, dict[str, Held]] = {}
        for table, column, type_, length, nullable in self.query(
            "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable "
            f"FROM information_schema.columns WHERE table_schema = {schema} ORDER BY table_name, ordinal_position"
        ):
            printed = f"VARCHAR({length})" if type_ == "TEXT" else type_
            columns.setdefault(table.lower(), {})[column.lower()] = Held(printed, nullable == "NO")
        return Tables(dict.fromkeys(columns), columns, bool(exists))

    def script(self, sql: str) -> None:
        """Statement by statement; ``BEGIN`` and ``COMMIT`` are the file's own."""
        for statement in statements_of(sql):
            self._execute(statement, self._warehouse.copy_seconds)

    def vacuum(self, table: str) -> None:
        """Snowflake does it by itself."""

    def number(self, query: str) -> int:
        return int(self.query(query)[0][0])

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        wanted = row_of(run)
        last = f"/{wanted.base.rstrip('/').rpartition('/')[2]}/"  # it may have been recorded by way of a link
        conditions = [
            f"base IN ({', '.join(map(text, addresses(run)))})",
            f"(shredding_started = {_value(wanted.shredding_started)} "
            f"AND shredding_completed = {_value(wanted.shredding_completed)})",
            f"RIGHT('/' || base, {len(last)}) = {text(last)}",
        ]
        if wanted.run_identity is not None:
            conditions.append(f"run_identity = {text(wanted.run_identity)}")
        found = self.query(
            f"SELECT {', '.join(map(_shown, COLUMNS))} FROM {self._schema}.manifest WHERE {' OR '.join(conditions)}"
        )
        return [ManifestRow.of_texts(row) for row in found]

    def note_loaded(self, row: ManifestRow) -> None:
        values = [f"PARSE_JSON({text(row.types)})::ARRAY" if name == "types" else _value(value)
                  for name, value in zip(COLUMNS, row, strict=True)]  # fmt: skip
        self._execute(
            f"INSERT INTO {self._schema}.manifest ({', '.join(COLUMNS)}, ingestion_tstamp) "
            f"SELECT {', '.join(values)}, SYSDATE()"
        )

    # --- rows ---------------------------------------------------------------------------------------------------------

    def stage(self, run: TransformedRun, folders: Sequence[RowFolder], bad_rows: Sequence[FileInfo]) -> None:
        self._execute(rows.create_lines(self._schema))
        source = self._warehouse.source(self.stage_url(), self._lent())
        for folder, files in _by_folder([*(file for each in folders for file in each.files), *bad_rows]).items():
            if folder not in self._staged:
                found = staged(self._schema, _stage(len(self._staged)), files, source)
                for statement in found.statements:
                    self._execute(statement.sql, self._warehouse.copy_seconds)
                self._staged[folder] = found

    def stage_url(self) -> str:
        """The address of the stage of ``--database``; empty where it names none. Raises ``LoadError``."""
        stage = self._warehouse.login.stage
        if stage is None:
            return ""
        described = {row[1]: row[3] for row in self.query(f"DESC STAGE {stage}")}
        urls = json.loads(described.get("URL") or "[]")
        if not urls:
            raise LoadError(f"{stage} is not an external stage: Snowflake tells no URL of it")
        return str(urls[0])

    def _lent(self) -> Mapping[str, str] | None:
        role = self._warehouse.assume_role_arn
        if role is None:
            return None
        keys = lent_keys(role)
        return {"AWS_KEY_ID": keys.key, "AWS_SECRET_KEY": keys.secret, "AWS_TOKEN": keys.token}

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """All rows at once; where some do not fit, those that do, and the others into ``rejected_rows``."""
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files))
        cells = rows.cells(copy.named, self.tables().columns[copy.table])
        for place, files in self._pieces(copy.files):
            sql = rows.copy_rows(self._schema, copy.table, cells, copy.load_tstamp, place, files)
            try:
                loaded.rows += self._copy(sql)
            except Exception as error:
                if not faults.is_about_rows(error):
                    raise
                self._copy_one_by_one(copy, run, cells, place, files, loaded)
        loaded.seconds = time.monotonic() - started
        return loaded

    def _copy_one_by_one(
        self, copy: Copy, run: TransformedRun, cells: Sequence[rows.Cell], place: str, files: Sequence[str],
        loaded: TableLoad,
    ) -> None:  # fmt: skip
        lines = f"{self._schema}.{rows.LINES}"
        self._execute(f"DELETE FROM {lines}")
        self._copy(rows.copy_lines(self._schema, place, files))
        loaded.rows += self._insert(rows.insert_fitting(self._schema, copy.table, cells, copy.load_tstamp, lines))
        noted = {
            "base": row_of(run).base,
            "table_name": copy.table,
            "model": copy.folder.model.to_json(),
            "columns": json.dumps([cell.key for cell in cells]),
        }
        loaded.rejected += self._insert(rows.insert_rejected(self._schema, cells, noted))

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.bad_rows", files=len(files))
        for place, names in self._pieces(files):
            self._execute(f"DELETE FROM {self._schema}.{rows.LINES}")
            self._copy(rows.copy_lines(self._schema, place, names))
            loaded.rows += self._insert(rows.insert_bad_rows(self._schema, row_of(run).base))
        loaded.seconds = time.monotonic() - started
        return loaded

    def _pieces(self, files: Sequence[FileInfo]) -> Iterator[tuple[str, Sequence[str]]]:
        """Places and the names of files in them, as many as one ``COPY`` takes."""
        for folder in _by_folder(files):
            found = self._staged[folder]
            for names in rows.pieces(found.names):
                yield found.place, names

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        found = self.query(f"SELECT bad_rows FROM {self._schema}.manifest WHERE base = {text(row.base)}")
        return bool(found) and found[0][0] is not None and int(found[0][0]) == 0

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        self._execute(f"UPDATE {self._schema}.manifest SET bad_rows = {count} WHERE base = {text(row.base)}")

    def put_aside(self, aside: Aside, run: TransformedRun) -> TableLoad:
        raise LoadError(f"{aside.model.schema}: {aside.reason}")  # wide rows have one table, which is there

    def rejected(self) -> list[Rejected]:
        found = self.query(
            f"SELECT base, model, columns, COUNT(*) FROM {self._schema}.rejected_rows GROUP BY base, model, columns "
            "ORDER BY base, model, columns"
        )
        return [
            Rejected(base, Model(*json.loads(model)), tuple(json.loads(columns)), int(count))
            for base, model, columns, count in found
        ]

    def retry(self, rejected: Rejected, copy: Copy, run: TransformedRun) -> TableLoad:
        """What fits now goes to its table; the rest stays where it is."""
        started = time.monotonic()
        keys = rejected.columns or ()
        cells = rows.cells(keys, self.tables().columns[copy.table])
        group = (
            f"{self._schema}.rejected_rows WHERE base = {text(rejected.base)} "
            f"AND model = {text(rejected.model.to_json())} AND columns = {text(json.dumps(list(keys)))}"
        )
        loaded = TableLoad(f"{self._schema}.{copy.table}")
        loaded.rows = self._insert(rows.insert_fitting(self._schema, copy.table, cells, copy.load_tstamp, group))
        self._execute(f"DELETE FROM {group} AND {rows.fault(cells, 'TRY_PARSE_JSON(line)')} IS NULL")
        loaded.rejected = rejected.rows - loaded.rows
        loaded.seconds = time.monotonic() - started
        return loaded

    # --- the connection -----------------------------------------------------------------------------------------------

    def query(self, sql: str) -> list[Any]:
        return self._run(sql, self._warehouse.statement_seconds, lambda cursor: list(cursor.fetchall()))

    def _execute(self, sql: str, seconds: int | None = None) -> None:
        self._run(sql, self._warehouse.statement_seconds if seconds is None else seconds, lambda cursor: None)

    def _insert(self, sql: str) -> int:
        """Rows that a statement adds."""
        return self._run(sql, self._warehouse.copy_seconds, lambda cursor: int(cursor.rowcount or 0))

    def _copy(self, sql: str) -> int:
        """Rows that a ``COPY`` loads: it answers with a row for each file."""

        def loaded(cursor: Any) -> int:
            names = [column[0].lower() for column in cursor.description]
            if "rows_loaded" not in names:  # it says that there was no file
                return 0
            return sum(int(row[names.index("rows_loaded")]) for row in cursor.fetchall())

        return self._run(sql, self._warehouse.copy_seconds, loaded)

    def _run(self, sql: str, seconds: int, answer: Callable[[Any], T]) -> T:
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, timeout=seconds or None)
            return answer(cursor)
        finally:
            cursor.close()


def _by_folder(files: Sequence[FileInfo]) -> dict[str, list[FileInfo]]:
    ordered = sorted(files, key=lambda file: file.url)
    return {folder: list(group) for folder, group in groupby(ordered, key=lambda file: file.url.rpartition("/")[0])}


def _stage(number: int) -> str:
    return f"snowetl_{number + 1}"


def _shown(column: str) -> str:
    if column == "types":
        return "TO_JSON(types)"
    return f"TO_VARCHAR({column}, {_TIME})" if column.endswith(("_tstamp", "started", "completed")) else column


def _value(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else text(value)


def _driver() -> Connect:
    try:
        import snowflake.connector
    except ImportError:
        raise ConfigError("loading into Snowflake needs its driver: pip install 'snowetl[snowflake]'") from None
    logging.getLogger("snowflake.connector").setLevel(logging.ERROR)
    connect: Connect = snowflake.connector.connect
    return connect
