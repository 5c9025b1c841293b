"""DuckDB's names of types, and its statements about tables of wide rows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from snowetl.ddl.atomic import EVENT_FIELDS
from snowetl.ddl.names import qualified, quoted

if TYPE_CHECKING:
    import pyarrow as pa

_TYPES = {
    "str": "VARCHAR", "ts": "TIMESTAMP", "int": "INTEGER", "txn": "INTEGER", "float": "DOUBLE",
    "dec": "DECIMAL(18, 2)", "bool": "BOOLEAN",
}  # fmt: skip
_NOT_NULL = frozenset(("collector_tstamp", "event_id", "v_collector", "v_etl"))
_PLAIN = {
    "string": "VARCHAR", "bool": "BOOLEAN", "int32": "INTEGER", "int64": "BIGINT", "double": "DOUBLE",
    "date32[day]": "DATE",
}  # fmt: skip


def create_events(schema: str, table: str) -> str:
    """The table of events, before any entity was met; ``load_tstamp`` is the last of its columns."""
    columns = ",\n".join(f"    {line}" for line in (*_event_columns(), "load_tstamp TIMESTAMP"))
    return f"CREATE TABLE IF NOT EXISTS {qualified(schema, table)} (\n{columns}\n)"


def _event_columns() -> Iterator[str]:
    for field in EVENT_FIELDS:
        type_ = "DOUBLE" if field.name == "se_value" else _TYPES[field.type]
        yield f"{field.name} {type_}" + (" NOT NULL" if field.name in _NOT_NULL else "")


def add_column(schema: str, table: str, path: Sequence[str], type_: pa.DataType) -> str:
    """``path`` leads to a column, or to a field inside of one; ``element`` stands for the members of an array."""
    where = ".".join(quoted(name) for name in path)
    return f"ALTER TABLE {qualified(schema, table)} ADD COLUMN {where} {sql_type(type_)}"


def sql_type(type_: pa.DataType) -> str:
    """Times are in UTC, without a zone."""
    import pyarrow.types as kind

    if kind.is_struct(type_):
        return f"STRUCT({', '.join(f'{quoted(member.name)} {sql_type(member.type)}' for member in type_)})"
    if kind.is_list(type_):
        return f"{sql_type(type_.value_type)}[]"
    if kind.is_decimal(type_):
        return f"DECIMAL({type_.precision}, {type_.scale})"
    if kind.is_timestamp(type_):
        return "TIMESTAMP"
    return _PLAIN.get(str(type_), "VARCHAR")
