"""Wide rows in JSON as rows of Snowflake: the statements. Pure.

A ``COPY`` takes the whole of its files. Where it meets a value that a column does not hold it stops, whatever
``ON_ERROR`` says, for it transforms what it reads. The lines are copied as text then, and taken apart one by one: rows
that fit go to their table, the others are kept in ``rejected_rows`` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.names import index_name, quoted
from snowetl.ddl.snowflake import FIELD_TYPES, MAX_NAME_BYTES, identifier, table_name
from snowetl.ddl.tables import Held, text_length
from snowetl.load.warehouses.snowflake.stage import text

LINES = "snowetl_lines"
"""The temporary table of lines."""
FILES_AT_ONCE = 1000
"""Files that one ``COPY`` may name."""
_OPTIONS = "ON_ERROR = ABORT_STATEMENT FORCE = TRUE"
"""The manifest says what is loaded: Snowflake's own memory of files is not asked (it forgets after 64 days)."""
_TRIES = {
    "TIMESTAMP_NTZ": "TRY_TO_TIMESTAMP_NTZ({})",
    "NUMBER(38, 0)": "TRY_TO_NUMBER({}, 38, 0)",
    "NUMBER(18, 2)": "TRY_TO_NUMBER({}, 18, 2)",
    "DOUBLE": "TRY_TO_DOUBLE({})",
    "BOOLEAN": "TRY_TO_BOOLEAN({})",
}
"""Functions of a text that give null for what the type does not hold."""
_MEMBERS = {"ARRAY": "AS_ARRAY({})", "OBJECT": "AS_OBJECT({})"}


class Cell(NamedTuple):
    """A key of the rows, the column for its value, and what the column holds."""

    key: str
    column: str
    type: str
    not_null: bool = False
    length: int | None = None

    def of(self, row: str) -> str:
        """The value in ``row``, an expression for the object."""
        return f"{row}:{self.key if self.key == identifier(self.key) else quoted(self.key)}"


def cells(keys: Iterable[str], columns: Mapping[str, Held]) -> list[Cell]:
    """Those of the keys that the table has a column for."""
    found = []
    for key in keys:
        column = index_name(key, "", MAX_NAME_BYTES)
        held = columns.get(column)
        if held is None:
            continue
        entity = "ARRAY" if key.startswith("contexts_") else "OBJECT"
        type_ = FIELD_TYPES.get(key) or (held.type if held.type in (*_MEMBERS, "VARIANT") else entity)
        found.append(Cell(key, column, type_, held.not_null, text_length(held.type)))
    return found


def copy_rows(
    schema: str, table: str, found: Sequence[Cell], moment: datetime | None, place: str, files: Sequence[str]
) -> str:
    """All rows of files into their table. Texts are cut to their columns."""
    values = ", ".join([*(f"{cell.of('$1')}::{cell.type}" for cell in found), _moment(moment)])
    return (
        f"COPY INTO {table_name(schema, table)} ({_columns(found)}) FROM (SELECT {values} FROM {place}) "
        f"{_files(files)} FILE_FORMAT = (TYPE = JSON REPLACE_INVALID_CHARACTERS = TRUE) {_OPTIONS} "
        "TRUNCATECOLUMNS = TRUE"
    )


def create_lines(schema: str) -> str:
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {schema}.{LINES} (line VARCHAR)"


def copy_lines(schema: str, place: str, files: Sequence[str]) -> str:
    """The lines of files as texts, whatever is in them."""
    return (
        f"COPY INTO {schema}.{LINES} (line) FROM (SELECT $1 FROM {place}) {_files(files)} FILE_FORMAT = (TYPE = CSV "
        "FIELD_DELIMITER = NONE RECORD_DELIMITER = '\\n' NULL_IF = () EMPTY_FIELD_AS_NULL = FALSE "
        f"ESCAPE_UNENCLOSED_FIELD = NONE REPLACE_INVALID_CHARACTERS = TRUE) {_OPTIONS}"
    )


def insert_fitting(schema: str, table: str, found: Sequence[Cell], moment: datetime | None, source: str) -> str:
    """The lines of ``source`` (a table, maybe with a condition) that fit."""
    values = ", ".join([*(_tried(cell, "v") for cell in found), _moment(moment)])
    return (
        f"INSERT INTO {table_name(schema, table)} ({_columns(found)}) SELECT {values} "
        f"FROM (SELECT TRY_PARSE_JSON(line) AS v FROM {source}) AS lines WHERE {fault(found, 'v')} IS NULL"
    )


def insert_rejected(schema: str, found: Sequence[Cell], noted: Mapping[str, str]) -> str:
    """The others, with the reason. ``noted`` are further columns of ``rejected_rows``: values by name."""
    names, values = ", ".join(noted), ", ".join(text(value) for value in noted.values())
    return (
        f"INSERT INTO {schema}.rejected_rows (reason, line, rejected_tstamp, {names}) "
        f"SELECT reason, line, SYSDATE(), {values} FROM (SELECT {fault(found, 'v')} AS reason, line FROM "
        f"(SELECT TRY_PARSE_JSON(line) AS v, line FROM {schema}.{LINES}) AS lines) AS faults WHERE reason IS NOT NULL"
    )


def fault(found: Sequence[Cell], row: str) -> str:
    """An expression for why a row does not fit; null for one that does."""
    cases = [f"WHEN {row} IS NULL OR TYPEOF({row}) <> 'OBJECT' THEN 'the line is not a JSON object'"]
    for cell in found:
        given = f"{cell.of(row)}::VARCHAR"
        if cell.not_null:
            cases.append(f"WHEN {given} IS NULL THEN {text(f'{cell.key} is missing')}")
        if cell.type in _TRIES or cell.type in _MEMBERS:
            does_not_fit = text(f"{cell.key} is not of the type {cell.type}")
            cases.append(f"WHEN {given} IS NOT NULL AND {_tried(cell, row)} IS NULL THEN {does_not_fit}")
    return f"CASE {' '.join(cases)} END"


def _tried(cell: Cell, row: str) -> str:
    """The value, null where the column does not hold it; of a text what the column holds of it."""
    value = cell.of(row)
    if cell.type in _MEMBERS:
        return _MEMBERS[cell.type].format(value)
    if cell.type in _TRIES:
        return _TRIES[cell.type].format(f"{value}::VARCHAR")
    if cell.type == "VARIANT":
        return value
    return f"{value}::VARCHAR" if cell.length is None else f"LEFT({value}::VARCHAR, {cell.length})"


def insert_bad_rows(schema: str, base: str) -> str:
    """The lines as bad rows; what is none has the type ``unreadable``, and itself as payload."""
    failure, processor, name = "v:data.failure", "v:data.processor", "v:schema::VARCHAR"
    return (
        f'INSERT INTO {schema}.bad_rows (base, type, "SCHEMA", failure_tstamp, processor, failure, payload) '
        f"SELECT {text(base)}, COALESCE(NULLIF(LEFT(SPLIT_PART({name}, '/', 2), 128), ''), 'unreadable'), "
        f"LEFT({name}, 512), TRY_TO_TIMESTAMP_NTZ({failure}.timestamp::VARCHAR), "
        f"LEFT({processor}.artifact::VARCHAR || ' ' || {processor}.version::VARCHAR, 1024), {failure}, "
        f"CASE WHEN {name} IS NULL THEN TO_VARIANT(line) ELSE v:data.payload END "
        f"FROM (SELECT TRY_PARSE_JSON(line) AS v, line FROM {schema}.{LINES}) AS lines"
    )


def pieces(files: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many files as one ``COPY`` may name."""
    for start in range(0, len(files), FILES_AT_ONCE):
        yield files[start : start + FILES_AT_ONCE]


def _columns(found: Sequence[Cell]) -> str:
    return ", ".join([*(identifier(cell.column) for cell in found), LOAD_TSTAMP])


def _moment(moment: datetime | None) -> str:
    return "NULL" if moment is None else f"'{moment}'::TIMESTAMP_NTZ"


def _files(files: Sequence[str]) -> str:
    return f"FILES = ({', '.join(map(text, files))})"
