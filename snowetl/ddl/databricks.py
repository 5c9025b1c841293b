"""Databricks' names of types, and its statements about Delta tables of wide rows (rdb-loader 5.6.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from snowetl.ddl.atomic import EVENT_FIELDS, LOAD_TSTAMP

if TYPE_CHECKING:
    import pyarrow as pa

MAX_NAME_BYTES = 255
DAY = "collector_tstamp_date"
"""Column of the day of ``collector_tstamp``, by which events lie apart, as RDB Loader has it."""
_TYPES = {
    "str": "STRING", "ts": "TIMESTAMP", "int": "INT", "txn": "INT", "float": "DOUBLE", "dec": "DECIMAL(18, 2)",
    "bool": "BOOLEAN",
}  # fmt: skip
_NOT_NULL = frozenset(("collector_tstamp", "event_id", "v_collector", "v_etl"))
_PLAIN = {
    "string": "STRING", "bool": "BOOLEAN", "int32": "INT", "int64": "BIGINT", "double": "DOUBLE", "date32[day]": "DATE",
}  # fmt: skip
_TOKEN = re.compile(r"`((?:[^`]|``)*)`|'(?:[^']|'')*'|(\w+)|([<>(),:])")
_ARROW = {
    "STRING": "string", "VARCHAR": "string", "CHAR": "string", "BOOLEAN": "bool_", "INT": "int32", "INTEGER": "int32",
    "SMALLINT": "int32", "TINYINT": "int32", "BIGINT": "int64", "LONG": "int64", "DOUBLE": "float64",
    "FLOAT": "float32", "DATE": "date32",
}  # fmt: skip
"""Arrow's types of those of a table; a smaller whole number is taken for the least that rows have."""


def create_events(schema: str, table: str) -> str:
    """The table of events, before any entity was met.

    Readers and writers of the same events exclude each other (``Serializable``), so that of two loads of one run that
    are at work at once, the second fails.
    """
    columns = ",\n".join(f"    {line}" for line in _event_columns())
    return (
        f"CREATE TABLE IF NOT EXISTS {qualified(schema, table)} (\n{columns}\n)\nUSING DELTA\n"
        f"PARTITIONED BY ({DAY}, event_name)\nTBLPROPERTIES ('delta.isolationLevel' = 'Serializable', "
        f"'delta.dataSkippingStatsColumns' = 'collector_tstamp,{LOAD_TSTAMP},event_id,app_id')"
    )


def _event_columns() -> Iterator[str]:
    for field in EVENT_FIELDS:
        type_ = "DOUBLE" if field.name == "se_value" else _TYPES[field.type]
        yield f"{field.name} {type_}" + (" NOT NULL" if field.name in _NOT_NULL else "")
    yield f"{LOAD_TSTAMP} TIMESTAMP"
    yield f"{DAY} DATE GENERATED ALWAYS AS (CAST(collector_tstamp AS DATE))"


def add_column(schema: str, table: str, path: Sequence[str], type_: pa.DataType) -> str:
    """``path`` leads to a column, or to a field inside of one; ``element`` stands for the members of an array."""
    where = ".".join(name if name == "element" else quoted(name) for name in path)
    return f"ALTER TABLE {qualified(schema, table)} ADD COLUMNS ({where} {sql_type(type_)})"


def sql_type(type_: pa.DataType) -> str:
    import pyarrow.types as kind

    if kind.is_struct(type_):
        return f"STRUCT<{', '.join(f'{quoted(member.name)}: {sql_type(member.type)}' for member in type_)}>"
    if kind.is_list(type_):
        return f"ARRAY<{sql_type(type_.value_type)}>"
    if kind.is_decimal(type_):
        return f"DECIMAL({type_.precision}, {type_.scale})"
    if kind.is_timestamp(type_):
        return "TIMESTAMP"
    return _PLAIN.get(str(type_), "STRING")


def arrow_type(printed: str) -> pa.DataType:
    """A type as Databricks prints it (``ARRAY<STRUCT<a: INT>>``), as Arrow has it; text for one of no other use."""
    type_, _ = _parsed([_word(match) for match in _TOKEN.finditer(printed)], 0)
    return type_


def _word(match: re.Match[str]) -> str:
    return match[1].replace("``", "`") if match[1] is not None else match[0]


def _parsed(tokens: list[str], at: int) -> tuple[pa.DataType, int]:
    """The type that begins at a token, and the place behind it."""
    import pyarrow as pa

    name, at = tokens[at].upper(), at + 1
    if name == "ARRAY":
        element, at = _parsed(tokens, at + 1)
        return pa.list_(pa.field("element", element)), at + 1
    if name == "STRUCT":
        fields = []
        at += 1
        while tokens[at] != ">":
            field = tokens[at]
            type_, at = _parsed(tokens, at + (2 if tokens[at + 1] == ":" else 1))
            fields.append(pa.field(field, type_))
            while tokens[at] not in (",", ">"):  # NOT NULL, a comment
                at += 1
            at += tokens[at] == ","
        return pa.struct(fields), at + 1
    sizes = []
    if at < len(tokens) and tokens[at] == "(":
        end = tokens.index(")", at)
        sizes, at = [int(token) for token in tokens[at:end] if token.isdecimal()], end + 1
    if name in ("DECIMAL", "DEC", "NUMERIC"):
        return pa.decimal128(*(sizes or (10, 0))), at
    if name.startswith("TIMESTAMP"):
        return pa.timestamp("us", "UTC"), at
    return getattr(pa, _ARROW.get(name, "string"))(), at


def converted(value: str, rows: pa.DataType, table: pa.DataType, depth: int = 0) -> str:
    """An expression of the table's type for a value of the rows' type: structs get the fields they lack, in order."""
    import pyarrow.types as kind

    if rows == table:
        return value
    if kind.is_list(table) and kind.is_list(rows):
        member = f"x{depth}"
        return f"TRANSFORM({value}, {member} -> {converted(member, rows.value_type, table.value_type, depth + 1)})"
    if kind.is_struct(table) and kind.is_struct(rows):
        there = {member.name: member.type for member in rows}
        fields = ", ".join(
            f"{text(member.name)}, " + _member(value, there, member.name, member.type, depth) for member in table
        )
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE NAMED_STRUCT({fields}) END"
    return f"CAST({value} AS {sql_type(table)})"


def _member(value: str, there: Mapping[str, pa.DataType], name: str, type_: pa.DataType, depth: int) -> str:
    if name not in there:
        return f"CAST(NULL AS {sql_type(type_)})"
    return converted(f"{value}.{quoted(name)}", there[name], type_, depth)


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def qualified(schema: str, table: str) -> str:
    return f"{schema}.{table}"


def text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
