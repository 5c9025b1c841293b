"""A connection to Redshift that loads runs: see :class:`snowetl.load.warehouse.Session`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from snowetl.ddl.names import qualified
from snowetl.ddl.tables import Held
from snowetl.errors import LoadError
from snowetl.load.bad_row_files import sources
from snowetl.load.drivers import is_driver_error
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, canonical, row_of
from snowetl.load.plan import Aside, Copy, Rejected
from snowetl.load.report import TableLoad
from snowetl.load.rows import first_width, read_chunks
from snowetl.load.run import Model, TransformedRun
from snowetl.load.sql_script import statements_of
from snowetl.load.warehouse import Statement, StatementFailed, Tables
from snowetl.load.warehouses.redshift import bad_rows, faults
from snowetl.load.warehouses.redshift.sql import CopySql, literal, s3
from snowetl.storage import FileInfo, filesystem
from snowetl.storage.base import scheme_of

_LONGEST = 1_000


class RedshiftSession:
    """See :class:`snowetl.load.warehouse.Session`."""

    def __init__(self, connection: Any, copies: CopySql, copy_seconds: int, statement_seconds: int) -> None:
        self._connection = connection
        self._schema = copies.schema
        self._copies = copies
        self._copy_seconds = copy_seconds
        self._statement_seconds = statement_seconds
        self._connection.autocommit = True
        self.limit(statement_seconds)

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
        self.limit(self._statement_seconds)

    def execute(self, statement: Statement) -> str | None:
        try:
            self._execute(statement.sql)
        except Exception as error:
            reason = faults.words(error)
            if faults.widens_to_the_same(reason):
                return None
            if not is_driver_error(error) or not faults.is_refusal(reason):
                raise
            if statement.optional:
                return reason
            raise StatementFailed(statement, reason) from error
        return None

    def tables(self) -> Tables:
        schema = literal(self._schema)
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
        shown = ["NULL" if name == "run_identity" and not has_identity else name for name in COLUMNS]
        conditions = [
            f"base IN ({', '.join(map(literal, addresses(run)))})",
            f"(shredding_started = {literal(wanted.shredding_started)} "
            f"AND shredding_completed = {literal(wanted.shredding_completed)})",
        ]
        if has_identity and wanted.run_identity is not None:
            conditions.append(f"run_identity = {literal(wanted.run_identity)}")
        found = self._query(f"SELECT {', '.join(shown)} FROM {self._schema}.manifest WHERE {' OR '.join(conditions)}")
        return [ManifestRow.of_texts([None if cell is None else str(cell) for cell in row]) for row in found]

    def note_loaded(self, row: ManifestRow) -> None:
        values = ", ".join(map(literal, row))
        self._execute(
            f"INSERT INTO {self._schema}.manifest ({', '.join(COLUMNS)}, ingestion_tstamp) VALUES ({values}, GETDATE())"
        )

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """One ``COPY`` of the folder; where its files have rows of different widths, one of each file."""
        with TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files)).timed() as loaded:
            for source, columns in self._sources(copy, run):
                self._copy(self._copies.rows(copy, source, columns), loaded)
        return loaded

    def _copy(self, sql: str, loaded: TableLoad) -> None:
        with self._limited(self._copy_seconds):
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
        return [(s3(url), copy.columns[:width]) for url, width in widths.items()]

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        """By way of a temporary table, whose JSON the server takes apart. Lines that are not JSON are let pass."""
        with TableLoad(f"{self._schema}.{bad_rows.TABLE}", files=len(files)).timed() as loaded:
            elsewhere = [file.url for file in files if scheme_of(file.url) not in ("s3", "s3a", "s3n")]
            if elsewhere:
                raise LoadError(
                    f"Redshift reads bad rows from S3, not {elsewhere[0]}: copy them there, or leave --bad-rows out "
                    "(run: --no-load-bad-rows)"
                )
            if bad_rows.TABLE not in self.tables().comments:
                self._execute(bad_rows.CREATE.format(schema=self._schema))
            self._execute(bad_rows.CREATE_STAGE)
            for source in sources(files):
                self._copy(self._copies.json_lines(bad_rows.STAGE, s3(source.url), source.gzip), loaded)
            base = literal(row_of(run).base)
            self._execute(bad_rows.INSERT.format(schema=self._schema, base=base))
            self._execute(bad_rows.DROP_STAGE)
        return loaded

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        if "bad_rows" not in self.tables().columns["manifest"]:
            return False
        found = self._query(f"SELECT bad_rows FROM {self._schema}.manifest WHERE base = {literal(row.base)}")
        return bool(found and found[0][0] == 0)

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        self._execute(f"UPDATE {self._schema}.manifest SET bad_rows = {count} WHERE base = {literal(row.base)}")

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
                f"rejected_tstamp) VALUES ({', '.join(map(literal, values))}, {count}, GETDATE())"
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
            f"DELETE FROM {self._schema}.rejected_rows WHERE base = {literal(rejected.base)} "
            f"AND folder = {literal(rejected.folder)}"
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
