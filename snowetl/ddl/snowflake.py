"""Snowflake's types of the columns of ``events``, and its statements about that table (rdb-loader 5.6.3). Pure.

Names are written bare, so that Snowflake takes them in any case; it keeps them in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from snowetl.ddl.atomic import EVENT_FIELDS, LOAD_TSTAMP, snowflake_columns
from snowetl.ddl.names import quoted
from snowetl.ddl.schema import Schema
from snowetl.ddl.tables import Alterations, Dialect, Held, NoTable, Table, text_length
from snowetl.model.schema import SchemaKey

if TYPE_CHECKING:
    import pyarrow as pa

MAX_NAME_BYTES = 255
ENTITY_TYPES: Mapping[str, str] = {"SELF_DESCRIBING_EVENT": "OBJECT", "CONTEXT": "ARRAY"}
"""Types of entities' columns, by what the column holds."""
VALUE_TYPES: Mapping[str, str] = {
    "str": "VARCHAR", "ts": "TIMESTAMP_NTZ", "int": "NUMBER(38, 0)", "txn": "NUMBER(38, 0)", "float": "DOUBLE",
    "dec": "NUMBER(18, 2)", "bool": "BOOLEAN",
}  # fmt: skip
"""What the value of a key of wide rows is read as, by the kind of its field."""
FIELD_TYPES: Mapping[str, str] = {
    field.name: "DOUBLE" if field.name == "se_value" else VALUE_TYPES[field.type] for field in EVENT_FIELDS
}
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def identifier(name: str) -> str:
    """A name as SQL takes it. One that SQL would not take bare is quoted in capitals: the same name to Snowflake."""
    return name if _PLAIN.fullmatch(name) else quoted(name.upper())


def table_name(schema: str, table: str) -> str:
    return f"{schema}.{identifier(table)}"


def create_events(schema: str, table: str) -> str:
    """The table of events, without columns of entities. The primary key is for readers; Snowflake checks none."""
    columns = [
        (column.name, f"{column.type}{' NOT NULL' if column.not_null else ''}") for column in snowflake_columns()
    ]
    columns.append((LOAD_TSTAMP, "timestamp_ntz"))
    lines = [f"{name} {type_}" for name, type_ in columns]
    lines.append(f"CONSTRAINT {'event_id_pk' if table == 'events' else f'{table}_pk'} PRIMARY KEY (event_id)")
    body = ",\n".join(f"    {line}" for line in lines)
    return f"CREATE TABLE IF NOT EXISTS {table_name(schema, table)} (\n{body}\n)"


def add_column(schema: str, table: str, column: str, entity: str) -> str:
    """``entity`` is a key of :data:`ENTITY_TYPES`."""
    return (
        f"ALTER TABLE {table_name(schema, table)} ADD COLUMN IF NOT EXISTS {identifier(column)} {ENTITY_TYPES[entity]}"
    )


def add_column_for(schema: str, table: str, column: str, type_: pa.DataType) -> str:
    """As :func:`add_column`, for what has this type in Parquet."""
    import pyarrow.types as kind

    return add_column(schema, table, column, "CONTEXT" if kind.is_list(type_) else "SELF_DESCRIBING_EVENT")


def _create(schema: str, name: str, table: Table, key: SchemaKey, events: str = "events") -> list[str]:
    raise NotImplementedError("entities have columns in Snowflake, no tables")


def _table(versions: Sequence[Schema]) -> NoTable:
    return NoTable("entities are columns of events in Snowflake")


def _alter(schema: str, name: str, key: SchemaKey, present: Mapping[str, Held], table: Table) -> Alterations:
    """Texts are widened; what is there otherwise stays."""
    target = f"ALTER TABLE {table_name(schema, name)} ALTER COLUMN"
    return Alterations(
        [
            f"{target} {identifier(column.name)} SET DATA TYPE {column.type}"
            for column in table.columns
            if (text_length(column.type) or 0) > (text_length(present[column.name].type) or 0)
        ],
        [],
    )


SNOWFLAKE = Dialect("snowflake", MAX_NAME_BYTES, _table, _create, _alter)
"""Of which only ``alter`` is ever asked: the rows are wide."""
