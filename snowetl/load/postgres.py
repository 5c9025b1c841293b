"""PostgreSQL: any server by URL, or the embedded one. ``COPY`` by psycopg 3, one transaction a run."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from snowetl.ddl import postgres as ddl
from snowetl.ddl.names import quoted
from snowetl.ddl.schema import Schema
from snowetl.load import atomic, badrows, rows
from snowetl.load.plan import LoadError, Migration, TablePlan
from snowetl.load.report import TableLoad
from snowetl.load.run import TransformedRun
from snowetl.model.schema import SchemaKey
from snowetl.storage import FileInfo

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_PASSWORD = re.compile(r"(//[^:/@]*:)[^@]*(@)|(password=)\S+")
_META = ("schema_vendor", "schema_name", "schema_format", "schema_version", "root_id", "root_tstamp")
_REFS = ("ref_root", "ref_tree", "ref_parent")

_EVENT_INDEXES = {
    "events_collector_tstamp_idx": "collector_tstamp",
    "events_derived_tstamp_idx": "derived_tstamp",
    "events_event_id_idx": "event_id",
    "events_domain_sessionid_idx": "domain_sessionid",
}
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
    "count_good" INT NULL
)"""
_REJECTED = """
CREATE TABLE IF NOT EXISTS {schema}.rejected_rows (
    "base" VARCHAR(512) NOT NULL,
    "table_name" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "line" TEXT NOT NULL
)"""


class PostgresWarehouse:
    """A schema in a PostgreSQL database (12 or later). ``url`` is a libpq connection URL.

    Raises ``LoadError`` for a schema name that is no plain identifier.
    """

    name = "postgres"

    def __init__(self, url: str, schema: str = "atomic") -> None:
        if not _IDENTIFIER.fullmatch(schema):
            raise LoadError(f"{schema!r} is no schema name: letters, digits and underscores only")
        self.url = url
        self.schema = schema
        self.dialect = PostgresDialect()

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return _PASSWORD.sub(r"\1\3***\2", self.url)

    @contextmanager
    def session(self) -> Iterator[PostgresSession]:
        import psycopg

        try:
            connection = psycopg.connect(self.url, autocommit=True, application_name="snowetl load")
        except psycopg.Error as error:
            reason = _PASSWORD.sub(r"\1\3***\2", str(error).strip())
            raise LoadError(f"cannot connect to {self.shown_url}: {reason}", transient=True) from None
        with connection:
            try:
                yield PostgresSession(connection, self.schema)
            except psycopg.Error as error:
                lost = isinstance(error, psycopg.OperationalError)
                raise LoadError(f"{self.shown_url}: {str(error).strip()}", transient=lost) from error

    def set_up(self) -> list[str]:
        columns = ",\n".join(
            f"    {column.name} {column.type}" + (" NOT NULL" if column.not_null else "")
            for column in atomic.postgres_columns()
        )
        return [
            f"CREATE SCHEMA IF NOT EXISTS {self.schema}",
            f"CREATE TABLE IF NOT EXISTS {self.schema}.events (\n{columns}\n)",
            *(
                f"CREATE INDEX IF NOT EXISTS {index} ON {self.schema}.events ({column})"
                for index, column in _EVENT_INDEXES.items()
            ),
            _MANIFEST.format(schema=self.schema),
            _REJECTED.format(schema=self.schema),
        ]


class PostgresDialect:
    """Entity tables as the Postgres loader makes them, with indexes for the documented joins."""

    max_identifier = ddl.MAX_NAME_BYTES

    def create_entity(self, schema: str, table: str, versions: Sequence[Schema], key: SchemaKey) -> list[str]:
        return ddl.create(schema, table, ddl.table(versions), key)

    def migrate_entity(
        self, schema: str, table: str, key: SchemaKey, versions: Sequence[Schema], current: int
    ) -> Migration:
        present = ddl.table(versions[: current + 1]).held()
        return Migration([], ddl.alter(schema, table, key, present, ddl.table(versions)).inside)


class PostgresSession:
    def __init__(self, connection: Any, schema: str) -> None:
        self._connection = connection
        self._schema = schema
        self._base = ""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._connection.transaction():
            yield

    def lock(self) -> None:
        self._connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"snowetl {self._schema}"])

    def run(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self._connection.execute(statement)

    def table_comments(self) -> dict[str, str | None]:
        return dict(
            self._connection.execute(
                "SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind IN ('r', 'p')",
                [self._schema],
            ).fetchall()
        )

    def is_loaded(self, base: str) -> bool:
        self._base = base
        query = f"SELECT 1 FROM {self._schema}.manifest WHERE base = %s"
        return self._connection.execute(query, [base]).fetchone() is not None

    def note_loaded(self, run: TransformedRun, types: str) -> None:
        self._connection.execute(
            f"INSERT INTO {self._schema}.manifest VALUES "
            "(%s, %s, %s, %s, %s, %s, (now() AT TIME ZONE 'UTC'), %s, %s, %s, %s)",
            [
                run.base,
                types,
                _utc(run.started),
                _utc(run.completed),
                _utc(run.min_collector_tstamp),
                _utc(run.max_collector_tstamp),
                run.compression,
                *run.processor,
                run.good,
            ],
        )

    def copy_events(self, files: list[FileInfo]) -> TableLoad:
        self._require("events", set(atomic.EVENT_COLUMNS))
        chunks = (rows.copy_text(chunk, null_is_empty=True) for chunk in rows.read_chunks(files))
        return self._copy("events", atomic.EVENT_COLUMNS, files, chunks, null="")

    def copy_entities(self, plan: TablePlan, files: list[FileInfo]) -> TableLoad:
        has_refs = "ref_root" in self._columns(plan.table)
        columns = (*_META, *(_REFS if has_refs else ()), *plan.properties)
        self._require(plan.table, set(columns))
        name = plan.model.name
        chunks = (
            rows.copy_text(chunk if has_refs else rows.without_refs(chunk, name), null_is_empty=False)
            for chunk in rows.read_chunks(files)
        )
        return self._copy(plan.table, columns, files, chunks, null="\\N")

    def copy_bad_rows(self, files: list[FileInfo]) -> TableLoad:
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{badrows.TABLE}", files=len(files))
        self.run([badrows.CREATE.format(schema=self._schema)])
        names = ", ".join(quoted(column) for column in badrows.COLUMNS)
        with self._connection.cursor() as cursor:
            with cursor.copy(f"COPY {loaded.table} ({names}) FROM STDIN") as copy:
                for record in badrows.read_bad_rows(files):
                    copy.write_row((self._base, *record))
            loaded.rows = cursor.rowcount
        loaded.seconds = time.monotonic() - started
        return loaded

    def _copy(
        self, table: str, columns: Sequence[str], files: list[FileInfo], chunks: Iterator[bytes], null: str
    ) -> TableLoad:
        """Copy straight into the table; where a row does not fit, once more by way of a table of texts."""
        import psycopg

        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{table}", files=len(files))
        names = ", ".join(quoted(column) for column in columns)
        null_option = f"NULL '{null}'"
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                with cursor.copy(f"COPY {loaded.table} ({names}) FROM STDIN WITH ({null_option})") as copy:
                    for chunk in chunks:
                        copy.write(chunk)
                loaded.rows = cursor.rowcount
        except (psycopg.DataError, psycopg.IntegrityError):
            fallback = _Fallback(self._connection, self._schema, table, columns, null, self._base)
            loaded.rows, loaded.rejected = fallback.copy(files, drop_refs=null != "" and "ref_root" not in columns)
        loaded.seconds = time.monotonic() - started
        return loaded

    def _columns(self, table: str) -> dict[str, str]:
        """Names and types of a table's columns."""
        return dict(
            self._connection.execute(
                "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
                "WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped",
                [f"{self._schema}.{table}"],
            ).fetchall()
        )

    def _require(self, table: str, wanted: set[str]) -> None:
        missing = sorted(wanted - set(self._columns(table)))
        if missing:
            raise LoadError(
                f"{self._schema}.{table} lacks the column {', '.join(missing)}; add it "
                f"(ALTER TABLE {self._schema}.{table} ADD COLUMN …) or move the table out of the way"
            )


def _utc(instant: str | None) -> str | None:
    return None if instant is None else instant.rstrip("Z")


class _Fallback:
    """Rows that a table does not take as they are: texts are cut to the column, the rest is kept in rejected_rows."""

    def __init__(self, connection: Any, schema: str, table: str, columns: Sequence[str], null: str, base: str) -> None:
        self._connection = connection
        self._schema = schema
        self._table = table
        self._columns = columns
        self._null = null
        self._base = base

    def copy(self, files: list[FileInfo], drop_refs: bool) -> tuple[int, int]:
        """Returns how many rows went in and how many were put aside."""
        types = PostgresSession(self._connection, self._schema)._columns(self._table)
        self._make_staging()
        misshapen = self._fill_staging(files, drop_refs)
        valid = self._validity()
        target = f"{self._schema}.{self._table}"
        names = ", ".join(quoted(column) for column in self._columns)
        values, checks = [], []
        for place, column in enumerate(self._columns):
            value, check = _cast(f"c{place}", types[column], valid)
            values.append(value)
            if check:
                checks.append((column, check))
        faulty = " OR ".join(f"NOT ({check})" for _, check in checks) or "false"
        reasons = " ".join(f"WHEN NOT ({check}) THEN {_literal(column)}" for column, check in checks)
        reason = f"'value does not fit column ' || CASE {reasons} END" if checks else "''"
        inserted = self._connection.execute(
            f"INSERT INTO {target} ({names}) SELECT {', '.join(values)} FROM snowetl_staging WHERE NOT ({faulty})"
        ).rowcount
        rejected = self._connection.execute(
            f"INSERT INTO {self._schema}.rejected_rows "
            f"SELECT %s, %s, {reason}, line FROM snowetl_staging WHERE {faulty}",
            [self._base, self._table],
        ).rowcount
        self._connection.execute("DROP TABLE snowetl_staging")
        return inserted, rejected + misshapen

    def _make_staging(self) -> None:
        columns = ", ".join(f"c{place} text" for place in range(len(self._columns)))
        self._connection.execute(f"CREATE TEMP TABLE snowetl_staging ({columns}, line text) ON COMMIT DROP")

    def _fill_staging(self, files: list[FileInfo], drop_refs: bool) -> int:
        """Stage every row of the right shape with its own text beside it; put the others aside."""
        width = len(self._columns)
        name = self._table
        misshapen: list[str] = []
        with self._connection.cursor() as cursor, cursor.copy("COPY snowetl_staging FROM STDIN") as copy:
            for chunk in rows.read_chunks(files):
                for line in chunk.decode("utf-8", "replace").replace("\x00", "").split("\n")[:-1]:
                    fields = line.split("\t")
                    if drop_refs:
                        del fields[6:9]
                    if len(fields) != width:
                        misshapen.append(line)
                        continue
                    copy.write_row([*(None if field == self._null else field for field in fields), line])
        for line in misshapen:
            self._connection.execute(
                f"INSERT INTO {self._schema}.rejected_rows VALUES (%s, %s, %s, %s)",
                [self._base, name, f"the row has not {width} columns", line],
            )
        return len(misshapen)

    def _validity(self) -> str:
        """Name of a function (value, type) that tells whether a text can be cast; made where the server has none."""
        if self._connection.info.server_version >= 160000:
            return "pg_input_is_valid"
        self._connection.execute(
            "CREATE OR REPLACE FUNCTION pg_temp.snowetl_is_valid(value text, type text) RETURNS boolean AS $$ "
            "BEGIN EXECUTE format('SELECT %L::%s', value, type); RETURN true; "
            "EXCEPTION WHEN others THEN RETURN false; END $$ LANGUAGE plpgsql"
        )
        return "pg_temp.snowetl_is_valid"


_SIZED = re.compile(r"character(?: varying)?\((\d+)\)")


def _cast(staged: str, type_: str, valid: str) -> tuple[str, str | None]:
    """The expression for a staged text as ``type_``, and the condition under which it holds."""
    sized = _SIZED.fullmatch(type_)
    if sized:
        return f"left({staged}, {sized.group(1)})", None
    if type_ in ("text", "character varying"):
        return staged, None
    if type_ == "jsonb":  # jsonb has no NUL character
        staged = f"replace({staged}, '\\u0000', '')"
    return f"({staged})::{type_}", f"{staged} IS NULL OR {valid}({staged}, {_literal(type_)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
