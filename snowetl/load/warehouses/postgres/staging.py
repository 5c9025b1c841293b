"""Rows that PostgreSQL does not take as they are: texts are cut, values that do not fit go aside, then whole rows.

The rows of one chunk are staged as texts; the server casts them. Of a row with a value that does not fit, that value
goes to ``rejected_values``, and the row goes in without it, or with as much of a text as its column holds; where the
column needs a value, or a constraint is violated, the row goes to ``rejected_rows``. The cost is linear in the rows of
the chunk, whatever is wrong with them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from snowetl.ddl import postgres as ddl
from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.names import quoted
from snowetl.ddl.tables import from_catalog
from snowetl.load import rows, sqlstate
from snowetl.load.plan import Copy
from snowetl.load.report import TableLoad
from snowetl.load.warehouses.postgres.rejected import RejectedRow, RejectedRows

_SIZED = re.compile(r"character(?: varying)?\((\d+)\)")
_INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_NOT_ROWS = ("40", "53", "57", "58", "XX")
"""Errors that no row causes, by the beginning of their code."""
_IS_VALID = """
CREATE OR REPLACE FUNCTION pg_temp.snowetl_is_valid(value text, type text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT %L::%s', value, type);
    RETURN true;
EXCEPTION WHEN others THEN
    RETURN false;
END $$"""
_INSERT_EACH = """
CREATE OR REPLACE FUNCTION pg_temp.snowetl_insert_each(statement text) RETURNS TABLE(number bigint, reason text)
LANGUAGE plpgsql AS $$
BEGIN
    FOR number IN SELECT s.n FROM pg_temp.snowetl_staging s WHERE s.fatal = '' ORDER BY s.n LOOP
        BEGIN
            EXECUTE statement USING number;
            reason := NULL;
        EXCEPTION WHEN others THEN
            IF left(SQLSTATE, 2) IN ('40', '53', '57', '58', 'XX') THEN
                RAISE;
            END IF;
            reason := SQLERRM;
        END;
        IF reason IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$"""


class Staging:
    """The way round for the rows of one table, by its ``plan``. ``types`` are the types of its columns."""

    def __init__(self, connection: Any, schema: str, copy: Copy, base: str, types: Mapping[str, str]) -> None:
        self.types = types
        self._connection = connection
        self._schema = schema
        self.plan = copy
        self._base = base
        self._aside = RejectedRows(connection, schema)
        self._columns = [column for column in copy.columns if column]
        self._row_types = {column.name: column.type for column in copy.folder.columns or ()}
        self._is_made = False
        self._valid = ""
        self._required: frozenset[str] = frozenset()

    @property
    def takes_rows(self) -> bool:
        """Whether the table's columns take the cells as they are; else each must be cast."""
        return all(
            ddl.takes(from_catalog(self.types[name]), type_)
            for name, type_ in self._row_types.items()
            if name in self.types
        )

    def copy(self, chunk: bytes) -> TableLoad:
        """Insert what can be inserted; the counts say what could not."""
        if not self._is_made:
            self._make()
        loaded = TableLoad(f"{self._schema}.{self.plan.table}")
        lines = self._stage(chunk, loaded)
        self._judge()
        inserted = self._insert()
        refused = {} if inserted is not None else self._insert_each()
        fatal = dict(self._connection.execute("SELECT n, fatal FROM snowetl_staging WHERE fatal <> ''").fetchall())
        self._keep_values(refused, loaded)
        for number, reason in sorted({**fatal, **refused}.items()):
            self._keep_row(reason, lines[number], loaded)
        loaded.rows += sum(1 for line in lines if line is not None) - len(fatal) - len(refused)
        return loaded

    def close(self) -> None:
        if self._is_made:
            self._connection.execute("DROP TABLE IF EXISTS snowetl_staging")

    def _make(self) -> None:
        """A table of the cells as texts: one array, because a table has room for 1,600 columns only."""
        self._connection.execute("DROP TABLE IF EXISTS pg_temp.snowetl_staging")
        self._connection.execute(
            "CREATE TEMP TABLE snowetl_staging (n bigint, cells text[], fatal text DEFAULT '', faults text[]) "
            "ON COMMIT DROP"
        )
        if self._connection.info.server_version >= 160000:
            self._valid = "pg_input_is_valid"
        else:
            self._connection.execute(_IS_VALID)
            self._valid = "pg_temp.snowetl_is_valid"
        self._connection.execute(_INSERT_EACH)
        required = self._connection.execute(
            "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s AND a.attnotnull",
            [self._schema, self.plan.table],
        ).fetchall()
        self._required = frozenset(name for (name,) in required)
        self._is_made = True

    def _stage(self, chunk: bytes, loaded: TableLoad) -> list[str | None]:
        """The lines of the chunk; ``None`` for one with too many or too few cells, which is put aside at once."""
        self._connection.execute("TRUNCATE snowetl_staging")
        copy = self.plan
        whole = rows.padded(chunk, len(copy.columns), copy.fewest, copy.format.null)
        shaped = rows.shaped(whole, copy.columns, copy.fewest, copy.format).decode("utf-8", "replace")
        texts = chunk.replace(b"\x00", b"").decode("utf-8", "replace").split("\n")[:-1]
        lines: list[str | None] = list(texts)
        empty_is_null = not copy.format.null
        with self._connection.cursor() as cursor, cursor.copy("COPY snowetl_staging (n, cells) FROM STDIN") as out:
            for number, row in enumerate(shaped.split("\n")[:-1]):
                cells = row.split("\t")
                if len(cells) != len(self._columns):
                    lines[number] = None
                    continue
                values = [None if not cell and empty_is_null else rows.unescaped(cell) for cell in cells]
                out.write_row((number, values))
        for text, line in zip(texts, lines, strict=True):
            if line is None:
                found = text.count("\t") + 1
                self._keep_row(f"the row has {found:,} columns, not {len(self.plan.columns):,}", text, loaded)
        return lines

    def _judge(self) -> None:
        """Mark the rows with a column that needs a value and has none, and the values that do not fit."""
        fatal, faults = [], []
        for place, column in enumerate(self._columns, 1):
            cell = f"cells[{place}]"
            fits = self._fits(cell, column)
            name = _literal(column)
            if column in self._required:
                fatal.append(f"CASE WHEN {cell} IS NULL THEN 'column ' || {name} || ' needs a value' END")
                if fits:
                    fatal.append(f"CASE WHEN NOT ({fits}) THEN 'value does not fit column ' || {name} END")
            elif fits:
                faults.append(f"CASE WHEN NOT ({fits}) THEN {place} END")
            sized = _SIZED.fullmatch(self.types[column])
            if sized:
                faults.append(f"CASE WHEN length({cell}) > {sized[1]} THEN {place} END")
        sets = []
        if fatal:
            sets.append(f"fatal = array_to_string(ARRAY[{', '.join(fatal)}]::text[], ', ')")
        if faults:
            sets.append(f"faults = array_remove(ARRAY[{', '.join(faults)}]::text[], NULL)")
        if sets:
            self._connection.execute(f"UPDATE snowetl_staging SET {', '.join(sets)}")

    def _select(self) -> str:
        names = ", ".join(map(quoted, self._columns))
        values = ", ".join(self._cast(f"cells[{place}]", column) for place, column in enumerate(self._columns, 1))
        if self.plan.load_tstamp is not None:
            names, values = f"{names}, {LOAD_TSTAMP}", f"{values}, timestamp '{self.plan.load_tstamp}'"
        return (
            f"INSERT INTO {self._schema}.{quoted(self.plan.table)} ({names}) "
            f"SELECT {values} FROM pg_temp.snowetl_staging WHERE fatal = ''"
        )

    def _cast(self, cell: str, column: str) -> str:
        type_, row_type = self.types[column], self._row_types.get(column)
        if type_ == "jsonb" and row_type is not None and row_type != "JSONB":  # widened since: this is not JSON text
            value = ddl.recast(cell, row_type, "JSONB")
            return f"CASE WHEN {self._valid}({cell}, {_literal(row_type)}) THEN {value} END"
        return _cast(cell, type_, self._valid)

    def _fits(self, cell: str, column: str) -> str | None:
        """The condition under which a text can be a value of the column; ``None`` where every text can."""
        if _takes_all(self.types[column]):
            return None
        return f"{cell} IS NULL OR ({self._cast(cell, column)}) IS NOT NULL"

    def _insert(self) -> int | None:
        """Insert all that is left at once; ``None`` where a constraint, or a value, forbids it."""
        from psycopg import Error

        try:
            with self._connection.transaction():
                return int(self._connection.execute(self._select()).rowcount)
        except Error as error:
            if not sqlstate.caused_by_rows(error.sqlstate):
                raise
            return None

    def _insert_each(self) -> dict[int, str]:
        """Insert row by row, on the server. Returns those that it refused, and why."""
        statement = _literal(self._select() + " AND n = $1")
        return dict(self._connection.execute(f"SELECT * FROM pg_temp.snowetl_insert_each({statement})").fetchall())

    def _keep_values(self, refused: Mapping[int, str], loaded: TableLoad) -> None:
        found = self._connection.execute(
            "SELECT n, faults, cells FROM snowetl_staging WHERE fatal = '' AND cardinality(faults) > 0"
        ).fetchall()
        for number, faults, cells in found:
            if number in refused:
                continue
            named = dict(zip(self._columns, cells, strict=True))
            for place in faults:
                column = self._columns[int(place) - 1]
                reason = _reason(self.types[column])
                self._aside.keep_value(self.plan, named, column, reason, cells[int(place) - 1])
                loaded.values += 1

    def _keep_row(self, reason: str, line: str | None, loaded: TableLoad) -> None:
        assert line is not None
        self._aside.keep(self._rejected(reason, line))
        loaded.rejected += 1

    def _rejected(self, reason: str, line: str) -> RejectedRow:
        model = self.plan.folder.model
        return RejectedRow(self._base, self.plan.table, reason, line, model, json.dumps(list(self.plan.columns)))


def _reason(type_: str) -> str:
    sized = _SIZED.fullmatch(type_)
    if sized:
        return f"longer than {sized[1]} characters"
    return f"not {'an' if type_[:1] in 'aeiou' else 'a'} {type_}"


def _literal(text: str) -> str:
    """A string literal, whatever ``standard_conforming_strings`` says."""
    return " E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _takes_all(type_: str) -> bool:
    return _SIZED.fullmatch(type_) is not None or type_ in ("text", "character varying", "jsonb", "json")


def _cast(cell: str, type_: str, valid: str) -> str:
    """The expression for a text as ``type_``: cut where it is too long, null where it is not one."""
    sized = _SIZED.fullmatch(type_)
    if sized:
        return f"left({cell}, {sized[1]})"
    if type_ in ("text", "character varying"):
        return cell
    if type_ in ("jsonb", "json"):  # text that is not JSON is a JSON string; jsonb has no NUL character
        clean = f"regexp_replace({cell}, E'(?<!\\\\\\\\)((?:\\\\\\\\\\\\\\\\)*)\\\\\\\\u0000', E'\\\\1', 'g')"
        return f"CASE WHEN {valid}({clean}, '{type_}') THEN ({clean})::{type_} ELSE to_{type_}({cell}) END"
    of_type = f"{valid}({cell}, {_literal(type_)})"
    if type_ in _INTEGERS:  # 5.0 is an integer in JSON Schema
        bound = _INTEGERS[type_]
        number = f"({cell})::numeric"
        whole = f"{number} = trunc({number}) AND {number} BETWEEN {-bound} AND {bound - 1}"
        return (
            f"CASE WHEN {of_type} THEN ({cell})::{type_} WHEN {valid}({cell}, 'numeric') "
            f"THEN CASE WHEN {whole} THEN ({number})::{type_} END END"
        )
    if type_.startswith("timestamp"):
        plausible = f"{cell} ~ E'^\\\\d{{4}}-' AND {cell} !~ '^0000'"
        if "without" in type_:
            zoned = f"(({cell})::timestamptz AT TIME ZONE 'UTC')"
            return f"CASE WHEN {plausible} AND {valid}({cell}, 'timestamptz') THEN {zoned} END"
        return f"CASE WHEN {plausible} AND {of_type} THEN ({cell})::{type_} END"
    return f"CASE WHEN {of_type} THEN ({cell})::{type_} END"
