"""A connection to Snowflake that loads runs: see :class:`snowetl.load.warehouse.StagingSession`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import Any, TypeVar

from snowetl.ddl.tables import Held
from snowetl.errors import LoadError
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, end_of_address, row_of
from snowetl.load.plan import Copy, Rejected
from snowetl.load.report import TableLoad
from snowetl.load.run import Model, RowFolder, TransformedRun
from snowetl.load.s3_access import lent_keys
from snowetl.load.sql_script import statements_of
from snowetl.load.warehouse import NothingAside, Statement, StatementFailed, Tables
from snowetl.load.warehouses.snowflake import faults, rows
from snowetl.load.warehouses.snowflake.login import SnowflakeLogin
from snowetl.load.warehouses.snowflake.stage import Staged, source_of, stage_name, staged, text
from snowetl.storage import FileInfo

T = TypeVar("T")


_LOCK_SECONDS = 12 * 60 * 60
"""For how long a loader waits for another: as long as Snowflake lets it."""
_TIME = "'YYYY-MM-DD HH24:MI:SS.FF6'"


class SnowflakeSession(NothingAside):
    """See :class:`snowetl.load.warehouse.StagingSession`."""

    def __init__(
        self,
        connection: Any,
        schema: str,
        login: SnowflakeLogin,
        assume_role_arn: str | None,
        copy_seconds: int,
        statement_seconds: int,
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._login = login
        self._assume_role_arn = assume_role_arn
        self._copy_seconds = copy_seconds
        self._statement_seconds = statement_seconds
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
            self._execute(statement, self._copy_seconds)

    def vacuum(self, table: str) -> None:
        """Snowflake does it by itself."""

    def number(self, query: str) -> int:
        return int(self.query(query)[0][0])

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        wanted = row_of(run)
        end = end_of_address(run)
        conditions = [
            f"base IN ({', '.join(map(text, addresses(run)))})",
            f"(shredding_started = {_value(wanted.shredding_started)} "
            f"AND shredding_completed = {_value(wanted.shredding_completed)})",
            f"RIGHT('/' || base, {len(end)}) = {text(end)}",
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
        source = source_of(self._login, self.stage_url(), self._lent())
        for folder, files in _by_folder([*(file for each in folders for file in each.files), *bad_rows]).items():
            if folder not in self._staged:
                found = staged(self._schema, stage_name(len(self._staged)), files, source)
                for statement in found.statements:
                    self._execute(statement.sql, self._copy_seconds)
                self._staged[folder] = found

    def stage_url(self) -> str:
        """The address of the stage of ``--database``; empty where it names none. Raises ``LoadError``."""
        stage = self._login.stage
        if stage is None:
            return ""
        described = {row[1]: row[3] for row in self.query(f"DESC STAGE {stage}")}
        urls = json.loads(described.get("URL") or "[]")
        if not urls:
            raise LoadError(f"{stage} is not an external stage: Snowflake tells no URL of it")
        return str(urls[0])

    def _lent(self) -> Mapping[str, str] | None:
        role = self._assume_role_arn
        if role is None:
            return None
        keys = lent_keys(role)
        return {"AWS_KEY_ID": keys.key, "AWS_SECRET_KEY": keys.secret, "AWS_TOKEN": keys.token}

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """All rows at once; where some do not fit, those that do, and the others into ``rejected_rows``."""
        with TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files)).timed() as loaded:
            cells = rows.cells(copy.named, self.tables().columns[copy.table])
            for place, files in self._pieces(copy.files):
                sql = rows.copy_rows(self._schema, copy.table, cells, copy.load_tstamp, place, files)
                try:
                    loaded.rows += self._copy(sql)
                except Exception as error:
                    if not faults.is_about_rows(error):
                        raise
                    self._copy_one_by_one(copy, run, cells, place, files, loaded)
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
        with TableLoad(f"{self._schema}.bad_rows", files=len(files)).timed() as loaded:
            for place, names in self._pieces(files):
                self._execute(f"DELETE FROM {self._schema}.{rows.LINES}")
                self._copy(rows.copy_lines(self._schema, place, names))
                loaded.rows += self._insert(rows.insert_bad_rows(self._schema, row_of(run).base))
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
        keys = rejected.columns or ()
        cells = rows.cells(keys, self.tables().columns[copy.table])
        group = (
            f"{self._schema}.rejected_rows WHERE base = {text(rejected.base)} "
            f"AND model = {text(rejected.model.to_json())} AND columns = {text(json.dumps(list(keys)))}"
        )
        with TableLoad(f"{self._schema}.{copy.table}").timed() as loaded:
            loaded.rows = self._insert(rows.insert_fitting(self._schema, copy.table, cells, copy.load_tstamp, group))
            self._execute(f"DELETE FROM {group} AND {rows.fault(cells, 'TRY_PARSE_JSON(line)')} IS NULL")
            loaded.rejected = rejected.rows - loaded.rows
        return loaded

    # --- the connection -----------------------------------------------------------------------------------------------

    def query(self, sql: str) -> list[Any]:
        return self._run(sql, self._statement_seconds, lambda cursor: list(cursor.fetchall()))

    def _execute(self, sql: str, seconds: int | None = None) -> None:
        self._run(sql, self._statement_seconds if seconds is None else seconds, lambda cursor: None)

    def _insert(self, sql: str) -> int:
        """Rows that a statement adds."""
        return self._run(sql, self._copy_seconds, lambda cursor: int(cursor.rowcount or 0))

    def _copy(self, sql: str) -> int:
        """Rows that a ``COPY`` loads: it answers with a row for each file."""

        def loaded(cursor: Any) -> int:
            names = [column[0].lower() for column in cursor.description]
            if "rows_loaded" not in names:  # it says that there was no file
                return 0
            return sum(int(row[names.index("rows_loaded")]) for row in cursor.fetchall())

        return self._run(sql, self._copy_seconds, loaded)

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


def _shown(column: str) -> str:
    if column == "types":
        return "TO_JSON(types)"
    return f"TO_VARCHAR({column}, {_TIME})" if column.endswith(("_tstamp", "started", "completed")) else column


def _value(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else text(value)
