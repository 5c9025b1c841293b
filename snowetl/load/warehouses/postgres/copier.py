"""``COPY`` into PostgreSQL: a whole file at once while all its rows fit, else chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from snowetl.ddl.atomic import EVENT_COLUMNS, LOAD_TSTAMP
from snowetl.ddl.names import quoted
from snowetl.errors import LoadError
from snowetl.load import rows, sqlstate
from snowetl.load.manifest import row_of
from snowetl.load.plan import Copy, Rejected
from snowetl.load.report import TableLoad
from snowetl.load.run import TransformedRun
from snowetl.load.warehouses.postgres.driver import driver
from snowetl.load.warehouses.postgres.first_rows import first_rows
from snowetl.load.warehouses.postgres.partitions import Partitions, months, months_in
from snowetl.load.warehouses.postgres.rejected import RejectedRows
from snowetl.load.warehouses.postgres.staging import Staging


class Copier:
    """Copies rows into tables of entities and of events. What does not fit is put aside: see :class:`Staging`."""

    def __init__(self, connection: Any, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """Copy file by file; of one with a row that does not fit, the good rows. Into an empty table, all at once."""
        with TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files)).timed() as loaded:
            partitions = Partitions(self._connection, self._schema, copy.table)
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
        return loaded

    @contextmanager
    def _staging(self, copy: Copy, base: str) -> Iterator[Staging]:
        types = columns_of(self._connection, self._schema, copy.table)
        if LOAD_TSTAMP not in types:  # the server did not let it be added
            copy = replace(copy, load_tstamp=None)
        _require_columns(f"{self._schema}.{copy.table}", copy, types)
        staging = Staging(self._connection, self._schema, copy, base, types)
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
        psycopg = driver()
        if len(parts) > 1:
            return None
        part = parts[0] if parts else None
        try:
            with self._connection.transaction(), first_rows(self._connection, self._schema, copy.table, part) as frozen:
                into = replace(copy, table=part or copy.table)
                return self._write(into, copy.pieces(copy.files), types, frozen=True) if frozen else None
        except psycopg.Error as error:
            if sqlstate.caused_by_rows(error.sqlstate):
                return None
            raise

    def _copy_plainly(self, copy: Copy, chunks: Iterator[bytes], types: Mapping[str, str]) -> int | None:
        """The number of rows; ``None`` where one of them does not fit, and none is in."""
        psycopg = driver()
        try:
            with self._connection.transaction():
                return self._write(copy, chunks, types)
        except psycopg.Error as error:
            if sqlstate.caused_by_rows(error.sqlstate):
                return None
            raise

    def _write(self, copy: Copy, chunks: Iterator[bytes], types: Mapping[str, str], frozen: bool = False) -> int:
        times = [] if copy.format.escaped else [n for n, name in enumerate(copy.columns) if _is_time(name, types)]
        with self._connection.cursor() as cursor:
            with cursor.copy(copy_sql(self._schema, copy, frozen)) as out:
                for chunk in chunks:
                    if not copy.is_ready:
                        chunk = _shaped(chunk, copy, times)
                    out.write(rows.stamped(chunk, copy.load_tstamp))
            return int(cursor.rowcount)

    def retry(self, rejected: Rejected, copy: Copy) -> TableLoad:
        """Copy the lines that were put aside; what still does not fit is put aside anew."""
        aside = RejectedRows(self._connection, self._schema)
        loaded = TableLoad(f"{self._schema}.{copy.table}")
        partitions = Partitions(self._connection, self._schema, copy.table)
        with self._staging(copy, rejected.base) as staging:
            for chunk in aside.lines(rejected):
                if partitions.is_partitioned:
                    partitions.make(months_in([chunk], copy.columns))
                self._copy_chunk(chunk, staging, loaded)
        aside.forget(rejected)
        return loaded


def columns_of(connection: Any, schema: str, table: str) -> dict[str, str]:
    """Names and types of a table's columns."""
    return dict(
        connection.execute(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
            "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped",
            [schema, table],
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
        raise driver().errors.DatetimeFieldOverflow
    chunk = rows.in_utc(chunk, times) if times else chunk
    return rows.shaped(chunk, copy.columns, copy.fewest, copy.format)


def copy_sql(schema: str, copy: Copy, frozen: bool = False) -> str:
    columns = ", ".join(quoted(column) for column in copy.columns if column)
    columns += f', "{LOAD_TSTAMP}"' if copy.load_tstamp else ""
    options = [*([] if copy.format.null else ["NULL ''"]), *(["FREEZE"] if frozen else [])]
    options_sql = f" WITH ({', '.join(options)})" if options else ""
    return f"COPY {schema}.{quoted(copy.table)} ({columns}) FROM STDIN{options_sql}"
