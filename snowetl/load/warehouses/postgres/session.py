"""A connection to PostgreSQL that loads runs: see :class:`snowetl.load.warehouse.ReadingSession`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from snowetl.ddl.names import qualified, quoted
from snowetl.ddl.tables import Held
from snowetl.load import bad_rows, sqlstate
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, end_of_address, row_of
from snowetl.load.plan import Aside, Copy, Rejected
from snowetl.load.report import TableLoad
from snowetl.load.run import TransformedRun
from snowetl.load.warehouse import Statement, StatementFailed, Tables
from snowetl.load.warehouses.postgres.copier import Copier, columns_of
from snowetl.load.warehouses.postgres.driver import driver, words
from snowetl.load.warehouses.postgres.rejected import RejectedRows
from snowetl.storage import FileInfo

if TYPE_CHECKING:
    import pyarrow as pa


_READ_ROWS = 10_000


class PostgresSession:
    """See :class:`snowetl.load.warehouse.Session`."""

    def __init__(self, connection: Any, schema: str) -> None:
        self.connection = connection
        self._schema = schema
        self._copier = Copier(connection, schema)

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
        psycopg = driver()
        try:
            with self.connection.transaction():
                self.connection.execute(statement.sql)
        except psycopg.Error as error:
            if sqlstate.is_passing(error.sqlstate) or error.sqlstate.startswith(("53", "58", "XX")):
                raise
            if statement.optional:
                return words(error)
            if error.sqlstate == sqlstate.INSUFFICIENT_PRIVILEGE:
                raise
            raise StatementFailed(statement, words(error)) from error
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
            values += [len(end_of_address(run)), end_of_address(run)]
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

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        psycopg = driver()
        with TableLoad(f"{self._schema}.{bad_rows.TABLE}", files=len(files)).timed() as loaded:
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

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        return self._copier.copy(copy, run)

    def retry(self, rejected: Rejected, copy: Copy, run: TransformedRun) -> TableLoad:
        return self._copier.retry(rejected, copy)

    def _columns(self, table: str) -> dict[str, str]:
        return columns_of(self.connection, self._schema, table)
