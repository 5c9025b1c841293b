"""Postgres: column types, tables and what alters them (types: postgres-loader 0.3.3).

The reference's types do not hold every valid value (``{"multipleOf": 1}`` may be text, a string without ``maxLength``
may be long), and it has no rules for whole models. Ours hold what is valid under any published version: types are
widened, joined over the versions, and NOT NULL is said only where no version allows a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from snowetl.ddl import flat, names
from snowetl.ddl.flat import Path
from snowetl.ddl.names import qualified, quoted
from snowetl.ddl.schema import Schema, big_int, is_mixed, is_union
from snowetl.ddl.tables import Alterations, Column, Dialect, Held, Table, from_catalog, text_length
from snowetl.model.schema import SchemaKey

DEFAULT_VARCHAR = 4096
MAX_VARCHAR = 10485760
MAX_NAME_BYTES = 63
INT_MAX, BIGINT_MAX = 2**31 - 1, 2**63 - 1

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
REJECTED_VALUES = (
    Column("root_id", "UUID", True),
    Column("root_tstamp", "TIMESTAMP", True),
    Column("schema_key", "TEXT", True),
    Column("column_name", "TEXT", True),
    Column("reason", "TEXT", True),
    Column("value", "TEXT", True),
)
"""The table of values that their columns cannot hold; ``value`` is JSON text."""

_SYSTEM_COLUMNS = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
_OVERFLOW = Column("_overflow", "JSONB", False)
_RESERVED = frozenset((*(column.name for column in META_COLUMNS), *_SYSTEM_COLUMNS, _OVERFLOW.name))
_MOST_PROPERTIES = 1500
"""Of the 1,600 columns Postgres allows; columns that were once dropped by hand count too."""


# --- types of the reference -----------------------------------------------------------------------------------------


def column_type(schema: Schema) -> str:
    """The reference's type of a column: the first rule that matches, else JSONB."""
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
            return "BIGINT" if not isinstance(schema.maximum, Decimal) and schema.maximum > INT_MAX else "INTEGER"
        return "BIGINT" if schema.enum is None else _integer_enum(schema.enum)
    if schema.type is None and schema.enum is not None:
        integers = [big_int(member) for member in schema.enum]
        return None if None in integers else _integer_enum(schema.enum)
    return "INTEGER" if isinstance(schema.multiple_of, int) else None


def _integer_enum(members: Iterable[Any]) -> str:
    integers = [big_int(member) for member in members]
    return "INTEGER" if all(member is None or -INT_MAX - 1 <= member <= INT_MAX for member in integers) else "BIGINT"


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


# --- types that hold what is valid ----------------------------------------------------------------------------------


def holding_type(schema: Schema) -> str:
    """The reference's type, or a wider one where a valid value would not fit it."""
    type_ = column_type(schema)
    if type_ in ("INTEGER", "BIGINT"):
        return _whole(schema, type_)
    if type_ == f"VARCHAR({DEFAULT_VARCHAR})" and schema.max_length is None and schema.enum is None:
        return "TEXT"
    return storable(type_)


def _whole(schema: Schema, type_: str) -> str:
    members = [member for member in schema.enum or () if member is not None]
    types = schema.type if isinstance(schema.type, frozenset) else {schema.type}
    only_numbers = types - {"null"} and types <= {"integer", "number", "null"}  # no type is the type null, if optional
    if not all(big_int(member) is not None for member in members) or not (members or only_numbers):
        return "JSONB"
    bounds: list[int | Decimal | None] = [schema.minimum, schema.maximum, *map(big_int, members)]
    largest = max((Decimal(bound).copy_abs() for bound in bounds if bound is not None), default=Decimal(0))
    if largest > BIGINT_MAX:
        return "NUMERIC"
    unbounded = (
        schema.maximum is None and not members
    )  # {"multipleOf": 1} is, for the reference, an INTEGER all the same
    return "BIGINT" if unbounded or largest > INT_MAX else type_


def storable(type_: str) -> str:
    """A type Postgres takes: strings longer than it allows, or of no length at all, become TEXT."""
    length = text_length(type_)
    return "TEXT" if length is not None and not 0 < length <= MAX_VARCHAR else type_


_WIDTHS = {"INTEGER": 0, "BIGINT": 1, "DOUBLE PRECISION": 2}


def joined(one: str, other: str) -> str:
    """The type that holds the values of two.

    ``BIGINT`` and ``DOUBLE PRECISION`` meet in ``NUMERIC``, whatever meets ``JSONB`` becomes it, all else ``TEXT``.
    """
    if one == other:
        return one
    if "JSONB" in (one, other):
        return "JSONB"
    lengths = (text_length(one), text_length(other))
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


def takes(held: str, rows: str) -> bool:
    """Whether ``COPY`` puts cells made for the type ``rows`` into a column of type ``held`` as they are, or refuses a
    cell that does not fit.

    JSON makes other values of texts, and times drop what they do not know: such cells must be cast.
    """
    if held == rows:
        return True
    if held == "JSONB":
        return False
    return _is_text(held) or (_is_number(held) and _is_number(rows)) or joined(held, rows) == held


def _is_text(type_: str) -> bool:
    return type_ == "TEXT" or text_length(type_) is not None


def _is_number(type_: str) -> bool:
    return type_ in (*_WIDTHS, "SMALLINT") or type_.startswith("NUMERIC")


def recast(expression: str, rows: str, held: str) -> str:
    """SQL that converts a cell for the type ``rows`` (as text) to a value of the type ``held``."""
    if held == "JSONB" and rows != "JSONB":
        return f"to_jsonb(({expression})::{rows})"
    return f"({expression})::{held}"


# --- tables ---------------------------------------------------------------------------------------------------------


def table(versions: Sequence[Schema]) -> Table:
    """The table of a model, fit for every version. There always is one: what is too much goes to ``overflow``."""
    flattened = [flat.leaves(version) for version in versions]
    paths = list(dict.fromkeys(leaf.path for leaf in flat.ordered(versions) if leaf.path))
    named = zip(paths, names.column_names(paths, MAX_NAME_BYTES, _RESERVED), strict=True)
    columns = tuple(_column(name, path, versions, flattened) for path, name in named)
    if len(columns) > _MOST_PROPERTIES:
        return Table((*columns[:_MOST_PROPERTIES], _OVERFLOW), columns[_MOST_PROPERTIES:], _ROW_BYTES)
    if sum(_widest(column.type) for column in columns) > _ROW_BYTES:
        return Table((*columns, _OVERFLOW), (), _ROW_BYTES)
    return Table(columns)


_ROW_BYTES = 7_000
"""Of the 8,160 a row may take in its page; the rest is for its head and the columns that lead to the event."""
_FIXED = {"BOOLEAN": 1, "INTEGER": 8, "DATE": 8, "BIGINT": 16, "DOUBLE PRECISION": 16, "TIMESTAMP": 16, "UUID": 16}
_OUT_OF_LINE = 24


def _widest(type_: str) -> int:
    """Bytes of a row its cell takes at most, blanks for alignment counted; what is longer is stored out of line."""
    return _FIXED.get(type_, _OUT_OF_LINE)


def cell_width(type_: str, text: str) -> int:
    """As :func:`_widest`, of one cell."""
    return _FIXED.get(type_) or min(_OUT_OF_LINE, 1 + len(text.encode("utf-8", "replace")))


_NEVER_REFUSED = ("BOOLEAN", "TEXT")


def _column(name: str, path: Path, versions: Sequence[Schema], flattened: Sequence[dict[Path, Schema]]) -> Column:
    found = [leaves[path] for leaves in flattened if path in leaves]
    type_ = holding_type(found[0])
    for schema in found[1:]:
        type_ = joined(type_, holding_type(schema))
    if any(
        path not in leaves and flat.node(version, path) for version, leaves in zip(versions, flattened, strict=True)
    ):
        type_ = "JSONB"  # an object in another version, whose properties have columns of their own besides
    type_ = storable(type_)
    total = type_ in _NEVER_REFUSED or text_length(type_) is not None
    always = total and len(found) == len(versions) and all(flat.is_always_there(version, path) for version in versions)
    return Column(name, type_, always, path)


# --- statements -----------------------------------------------------------------------------------------------------


def create(
    schema: str, name: str, table: Table, key: SchemaKey, events: str = "events", partitioned: bool = False
) -> list[str]:
    """What makes a model's table: the columns that lead to the event, those of the properties, index and comment.

    A ``partitioned`` one has no partition yet, and takes no row.

    No row refers to ``events`` by a foreign key: loads would wait for it.
    """
    parts = partition_by("root_tstamp") if partitioned else ""
    return [
        create_table(schema, name, (*META_COLUMNS, *table.columns)) + parts,
        create_index(schema, name),
        create_time_index(schema, name),
        comment_on_table(schema, name, key),
    ]


def create_table(schema: str, name: str, columns: Sequence[Column]) -> str:
    lines = [
        f"    {quoted(column.name)} {column.type}" + (" NOT NULL" if column.not_null else "") for column in columns
    ]
    return f"CREATE TABLE IF NOT EXISTS {qualified(schema, name)} (\n" + ",\n".join(lines) + "\n)"


def partition_by(column: str) -> str:
    """What makes a table one of partitions by time, at the end of its statement."""
    return f" PARTITION BY RANGE ({column})"


def create_rejected_values(schema: str) -> list[str]:
    """What makes the table of values that did not fit their columns."""
    return [create_table(schema, "rejected_values", REJECTED_VALUES), create_index(schema, "rejected_values")]


def create_index(schema: str, name: str) -> str:
    """The index that joins rows to their event."""
    index = names.index_name(name, "_root_idx", MAX_NAME_BYTES)
    return f"CREATE INDEX IF NOT EXISTS {quoted(index)} ON {qualified(schema, name)} (root_id, root_tstamp)"


def create_time_index(schema: str, name: str) -> str:
    """The index for ranges of time. Rows come in the order of time, near enough: blocks tell where to look, in some
    kilobytes where an entry for each row takes as much as a tenth of the table."""
    index = names.index_name(name, "_time_idx", MAX_NAME_BYTES)
    return (
        f"CREATE INDEX IF NOT EXISTS {quoted(index)} ON {qualified(schema, name)} USING brin (root_tstamp) "
        "WITH (autosummarize = on)"
    )


def comment_on_table(schema: str, name: str, key: SchemaKey) -> str:
    """The comment that tells which version of its model a table stands at."""
    return f"COMMENT ON TABLE {qualified(schema, name)} IS '{key.uri}'"


def alter(schema: str, name: str, key: SchemaKey, present: Mapping[str, Held], table: Table) -> Alterations:
    """Bring a table to what rows need: columns are added, types widened, NOT NULL dropped, nothing else.

    A column of a type we never make (someone altered it by hand) stays as it is.
    """
    target = f"ALTER TABLE {qualified(schema, name)}"
    statements = []
    for column in table.columns:
        held = present.get(column.name)
        if held is None:
            statements.append(f"{target} ADD COLUMN {quoted(column.name)} {column.type}")
        else:
            statements += [f"{target} ALTER COLUMN {quoted(column.name)} {change}" for change in _changes(held, column)]
    return Alterations([], [*statements, comment_on_table(schema, name, key)])


def _changes(held: Held, column: Column) -> list[str]:
    changes = []
    type_ = from_catalog(held.type)
    wide = storable(joined(type_, column.type)) if _is_ours(type_) else type_
    if wide != type_:
        using = f" USING to_jsonb({quoted(column.name)})" if wide == "JSONB" else ""
        changes.append(f"TYPE {wide}{using}")
    if held.not_null and not column.not_null:
        changes.append("DROP NOT NULL")
    return changes


def _is_ours(type_: str) -> bool:
    return type_ in _FIXED or type_ in ("NUMERIC", "TEXT", "JSONB") or text_length(type_) is not None


POSTGRES = Dialect("postgres", MAX_NAME_BYTES, table, create, alter)
