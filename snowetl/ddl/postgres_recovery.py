"""Which versions break a table of Postgres, where recovery tables are wanted.

Postgres could widen a column to anything, up to ``TEXT`` and ``JSONB``. That writes the whole table anew, and whoever
reads the column finds another kind of value in it. So a version breaks the table if it changes the kind of a column:
text, number, time, boolean, UUID or JSON. Lengths, sizes of numbers, new columns and missing values break nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from snowetl.ddl import postgres
from snowetl.ddl.flat import Path
from snowetl.ddl.schema import Schema
from snowetl.ddl.tables import Table, text_length
from snowetl.jvm.map_order import java_hash_size
from snowetl.model.schema import SchemaKey

_KINDS = {
    "TEXT": "text", "INTEGER": "number", "BIGINT": "number", "DOUBLE PRECISION": "number", "NUMERIC": "number",
    "DATE": "time", "TIMESTAMP": "time",
}  # fmt: skip


def breaking(versions: Sequence[tuple[SchemaKey, Schema]]) -> dict[SchemaKey, str]:
    """The versions (in publishing order) that have tables of their own, and how the names of these end."""
    found: dict[SchemaKey, str] = {}
    merged = [versions[0][1]]
    kinds = _kinds(postgres.table(merged))
    for key, schema in versions[1:]:
        wider = _kinds(postgres.table([*merged, schema]))
        if any(wider.get(path) != kind for path, kind in kinds.items()):
            found[key] = _end(key, schema)
        else:
            merged.append(schema)
            kinds = wider
    return found


def _kinds(table: Table) -> dict[Path, str]:
    columns = (*table.columns, *table.overflow)
    return {column.path: _kind(column.type) for column in columns if column.path is not None}


def _kind(type_: str) -> str:
    return "text" if text_length(type_) is not None else _KINDS.get(type_, type_)


def _end(key: SchemaKey, schema: Schema) -> str:
    """As on Redshift: revision, addition, and a number made of the list of columns."""
    columns = (*postgres.META_COLUMNS, *postgres.table([schema]).columns)
    text = ",\n".join(f"{column.name} {column.type}{' NOT NULL' if column.not_null else ''}" for column in columns)
    return f"_{key.version.revision}_{key.version.addition}_recovered_{java_hash_size(text)}"
