"""Postgres: column types, CREATE TABLE and migrations (types: postgres-loader 0.3.3).

Unlike Redshift's rules, those for whole models are ours: a column holds the values of every published version of its
model, so types are joined over the versions and NOT NULL is said only where no version allows a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from snowetl.ddl import flat
from snowetl.ddl.flat import Path
from snowetl.ddl.names import column_name
from snowetl.ddl.redshift import is_mixed, quoted
from snowetl.ddl.schema import Schema, big_int, is_union
from snowetl.model.schema import SchemaKey

DEFAULT_VARCHAR = 4096
MAX_VARCHAR = 10485760
MAX_COLUMNS = 1600
MAX_NAME_BYTES = 63
_INT, _BIGINT = 2**31 - 1, 2**63 - 1


class Column(NamedTuple):
    """One column of a table."""

    name: str
    type: str
    not_null: bool


META_COLUMNS = (
    Column("schema_vendor", "VARCHAR(128)", True),
    Column("schema_name", "VARCHAR(128)", True),
    Column("schema_format", "VARCHAR(128)", True),
    Column("schema_version", "VARCHAR(128)", True),
    Column("root_id", "UUID", True),
    Column("root_tstamp", "TIMESTAMP", True),
    Column("ref_root", "VARCHAR(255)", True),
    Column("ref_tree", "VARCHAR(1500)", True),
    Column("ref_parent", "VARCHAR(255)", True),
)


# --- types --------------------------------------------------------------------------------------------------------


def column_type(schema: Schema) -> str:
    """Type of a column: the first rule that matches, else JSONB."""
    for rule in _RULES:
        type_ = rule(schema)
        if type_ is not None:
            return type_
    return "JSONB"


def _composite(schema: Schema) -> str | None:
    if schema.enum is not None and is_mixed(schema.enum):
        return "JSONB"
    return "JSONB" if is_union(schema.type) or schema.allows("array") else None


def _date_or_time(schema: Schema) -> str | None:
    if not schema.is_only("string"):
        return None
    return {"date-time": "TIMESTAMP", "date": "DATE"}.get(schema.format or "")


def _integer(schema: Schema) -> str | None:
    if schema.is_only("integer"):
        if schema.maximum is not None:
            return "BIGINT" if not isinstance(schema.maximum, Decimal) and schema.maximum > _INT else "INTEGER"
        return "BIGINT" if schema.enum is None else _integer_enum(schema.enum)
    if schema.type is None and schema.enum is not None:
        integers = [big_int(member) for member in schema.enum]
        return None if None in integers else _integer_enum(schema.enum)
    return "INTEGER" if isinstance(schema.multiple_of, int) else None


def _integer_enum(members: Iterable[Any]) -> str:
    integers = [big_int(member) for member in members]
    return "INTEGER" if all(member is None or -_INT - 1 <= member <= _INT for member in integers) else "BIGINT"


def _number(schema: Schema) -> str | None:
    numeric = isinstance(schema.type, frozenset) and schema.type - {"null"} == {"integer", "number"}
    return "DOUBLE PRECISION" if schema.is_only("number") or numeric else None


def _boolean(schema: Schema) -> str | None:
    return "BOOLEAN" if schema.is_only("boolean") else None


def _string(schema: Schema) -> str | None:
    if schema.is_only("string"):
        if schema.min_length is not None and schema.min_length == schema.max_length:
            return f"CHAR({schema.min_length})"
        if schema.format == "uuid":
            return "UUID"
        if schema.max_length is not None:
            return f"VARCHAR({schema.max_length})"
        if schema.enum is None:
            return f"VARCHAR({DEFAULT_VARCHAR})"
    if schema.enum is None:
        return None
    members = [member for member in schema.enum if member is not None]
    if not members or not all(isinstance(member, str) for member in members):
        return None
    return f"VARCHAR({max(map(len, members))})"


_RULES: tuple[Callable[[Schema], str | None], ...] = (_composite, _date_or_time, _integer, _number, _boolean, _string)


def storable(type_: str) -> str:
    """A type Postgres takes: strings longer than it allows, or of no length at all, become TEXT."""
    length = _length(type_)
    return "TEXT" if length is not None and not 0 < length <= MAX_VARCHAR else type_


def _length(type_: str) -> int | None:
    return int(type_[type_.index("(") + 1 : -1]) if type_.startswith(("VARCHAR(", "CHAR(")) else None


_WIDTHS = {"INTEGER": 0, "BIGINT": 1, "DOUBLE PRECISION": 2}


def joined(one: str, other: str) -> str:
    """The type that holds the values of two. ``BIGINT`` and ``DOUBLE PRECISION`` meet in ``NUMERIC``; else ``TEXT``."""
    if one == other:
        return one
    lengths = (_length(one), _length(other))
    if None not in lengths:
        return f"VARCHAR({max(lengths)})"  # type: ignore[type-var]
    if one in _WIDTHS and other in _WIDTHS:
        if {one, other} == {"BIGINT", "DOUBLE PRECISION"}:
            return "NUMERIC"
        return max(one, other, key=_WIDTHS.__getitem__)
    if "NUMERIC" in (one, other) and (one in _WIDTHS or other in _WIDTHS):
        return "NUMERIC"
    if {one, other} == {"DATE", "TIMESTAMP"}:
        return "TIMESTAMP"
    return "TEXT"


# --- tables ---------------------------------------------------------------------------------------------------------


def columns(versions: Sequence[Schema]) -> list[Column]:
    """Columns of a model, in the order of its shredded rows, fit for every version."""
    flattened = [flat.leaves(version) for version in versions]
    return [_column(leaf.path, flattened) for leaf in flat.ordered(versions) if leaf.path]


def _column(path: Path, flattened: Sequence[dict[Path, Schema]]) -> Column:
    found = [leaves[path] for leaves in flattened if path in leaves]
    type_ = column_type(found[0])
    for schema in found[1:]:
        type_ = joined(type_, column_type(schema))
    always = len(found) == len(flattened) and not any(schema.can_be_null for schema in found)
    return Column(column_name(path), storable(type_), always)


def create_table(schema: str, table: str, properties: Sequence[Column]) -> str:
    """``CREATE TABLE`` of a model's table, with the columns that lead to the event."""
    lines = [
        f"    {quoted(column.name)} {column.type}" + (" NOT NULL" if column.not_null else "")
        for column in (*META_COLUMNS, *properties)
    ]
    return f"CREATE TABLE IF NOT EXISTS {schema}.{table} (\n" + ",\n".join(lines) + "\n)"


def create_index(schema: str, table: str) -> str:
    """The index that joins rows to their event."""
    return f"CREATE INDEX IF NOT EXISTS {quoted(index_name(table))} ON {schema}.{table} (root_id, root_tstamp)"


def index_name(table: str) -> str:
    """Name of a table's join index, within the length Postgres keeps."""
    return table.encode()[: MAX_NAME_BYTES - 9].decode("utf-8", "ignore") + "_root_idx"


def comment_on_table(schema: str, table: str, key: SchemaKey) -> str:
    """The comment that tells which version of its model a table stands at."""
    return f"COMMENT ON TABLE {schema}.{table} IS '{key.uri}'"


def migrate(schema: str, table: str, key: SchemaKey, before: Sequence[Schema], after: Sequence[Schema]) -> list[str]:
    """Bring a table made for the versions ``before`` to ``after`` (the same and later ones), whose last key is ``key``.

    All statements may run in one transaction. Columns are never dropped, types only widened.
    """
    target = f"ALTER TABLE {schema}.{table}"
    present = columns(before)
    wanted = columns(after)
    statements = []
    for old, new in zip(present, wanted, strict=False):
        name = quoted(old.name)
        if old.type != new.type:
            statements.append(f"{target} ALTER COLUMN {name} TYPE {new.type}")
        if old.not_null and not new.not_null:
            statements.append(f"{target} ALTER COLUMN {name} DROP NOT NULL")
    statements += [f"{target} ADD COLUMN {quoted(column.name)} {column.type}" for column in wanted[len(present) :]]
    return [*statements, comment_on_table(schema, table, key)]
