"""Redshift: column types, encodings, CREATE TABLE and migrations (schema-ddl 0.18.2 ``redshift.generators``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

from snowetl.ddl import flat, names, tables
from snowetl.ddl.flat import Change, Leaf
from snowetl.ddl.names import qualified, quoted
from snowetl.ddl.schema import Schema, big_int, is_mixed, is_union
from snowetl.ddl.tables import Alterations, Dialect, Held, NoTable, Table, from_catalog, text_length
from snowetl.jvm import jsontext
from snowetl.jvm.strings import utf16_length
from snowetl.model.schema import SchemaKey

DEFAULT_VARCHAR = 4096
MAX_VARCHAR = 65535
MAX_CHAR = 4096
MAX_COLUMNS = 1600
MAX_NAME_BYTES = 127
_FIXED_SIZES = (
    ("ivp6", 39),
    ("ipv4", 15),
    ("email", 255),
)  # "ivp6" is the reference's spelling; the true one has no rule
_NOT_ALTERABLE = ("TEXT255", "RUNLENGTH", "BYTEDICT", "TEXT32K")


class Column(NamedTuple):
    """One column of a table; ``warning`` tells the schema's author why its type is so wide."""

    name: str
    type: str
    encoding: str
    not_null: bool
    warning: str | None = None


META_COLUMNS = (
    Column("schema_vendor", "VARCHAR(128)", "ZSTD", True),
    Column("schema_name", "VARCHAR(128)", "ZSTD", True),
    Column("schema_format", "VARCHAR(128)", "ZSTD", True),
    Column("schema_version", "VARCHAR(128)", "ZSTD", True),
    Column("root_id", "CHAR(36)", "RAW", True),
    Column("root_tstamp", "TIMESTAMP", "ZSTD", True),
    Column("ref_root", "VARCHAR(255)", "ZSTD", True),
    Column("ref_tree", "VARCHAR(1500)", "ZSTD", True),
    Column("ref_parent", "VARCHAR(255)", "ZSTD", True),
)


REJECTED_VALUES = (
    Column("root_id", "CHAR(36)", "RAW", True),
    Column("root_tstamp", "TIMESTAMP", "ZSTD", True),
    Column("schema_key", "VARCHAR(1024)", "ZSTD", True),
    Column("column_name", "VARCHAR(512)", "ZSTD", True),
    Column("reason", "VARCHAR(512)", "ZSTD", True),
    Column("value", "VARCHAR(65535)", "ZSTD", True),
)
"""The table of values that their columns cannot hold; ``value`` is JSON text, cut to 65,535 bytes."""


# --- types --------------------------------------------------------------------------------------------------------


def column_type(schema: Schema, varchar: int = DEFAULT_VARCHAR) -> str:
    """Type of a column: the first rule that matches; ``varchar`` is the length where none does."""
    for rule in _RULES:
        type_ = rule(schema)
        if type_ is not None:
            return type_
    return f"VARCHAR({varchar})"


def _mixed_enum(schema: Schema) -> str | None:
    if schema.enum is None or not is_mixed(schema.enum):
        return None
    lengths = [utf16_length(jsontext.dumps(member)) for member in schema.enum if member is not None]
    return f"VARCHAR({max(lengths, default=16)})"


def _union(schema: Schema) -> str | None:
    if not is_union(schema.type):
        return None
    return "VARCHAR(10)" if _concrete(schema) == {"boolean", "integer"} else "VARCHAR(4096)"


def _is_product(schema: Schema) -> bool:
    """Whether the rule of unions gives the type."""
    return is_union(schema.type) and (schema.enum is None or not is_mixed(schema.enum))


def _concrete(schema: Schema) -> frozenset[str]:
    assert isinstance(schema.type, frozenset)
    return schema.type - {"null"}


def _formatted(format_: str, type_: str) -> Callable[[Schema], str | None]:
    return lambda schema: type_ if schema.format == format_ and schema.is_only("string") else None


def _array(schema: Schema) -> str | None:
    return f"VARCHAR({MAX_VARCHAR})" if schema.is_only("array") else None


def _integer(schema: Schema) -> str | None:
    integer = schema.is_only("integer")
    if integer and schema.maximum is not None:
        return _integer_size(schema.maximum)
    if schema.enum is not None and (integer or schema.type is None):
        members = [big_int(member) for member in schema.enum]
        integers = [member for member in members if member is not None]
        if len(integers) < len(members) or not integers:
            return None
        return _integer_size(max(integers))
    if integer:
        return "BIGINT"
    if isinstance(schema.multiple_of, int):
        return "INT" if schema.maximum is None else _integer_size(schema.maximum)
    return None


def _integer_size(maximum: int | Decimal) -> str:
    if isinstance(maximum, Decimal):
        return "DECIMAL"
    if maximum <= 32767:
        return "SMALLINT"
    return "INT" if maximum <= 2147483647 else "BIGINT"


def _number(schema: Schema) -> str | None:
    if schema.is_only("number"):
        return "DECIMAL (36, 2)" if schema.multiple_of == Decimal("0.01") else "DOUBLE PRECISION"
    numeric = isinstance(schema.type, frozenset) and _concrete(schema) == {"integer", "number"}
    return "DOUBLE PRECISION" if numeric else None


def _boolean(schema: Schema) -> str | None:
    return "BOOLEAN" if schema.is_only("boolean") else None


def _fixed_length(schema: Schema) -> str | None:
    if schema.min_length is None or schema.min_length != schema.max_length or not schema.is_only("string"):
        return None
    return f"CHAR({schema.min_length})"


def _varchar(schema: Schema) -> str | None:
    if schema.is_only("string"):
        for format_, size in _FIXED_SIZES:
            if schema.format == format_:
                return f"VARCHAR({size})"
        if schema.max_length is not None and schema.enum is None:
            return f"VARCHAR({schema.max_length})"
    if not schema.enum:
        return None
    longest = max(_member_length(member) for member in schema.enum)
    return f"CHAR({longest})" if len(schema.enum) == 1 else f"VARCHAR({longest})"


def _member_length(member: Any) -> int:
    if member is None:
        return 0
    return utf16_length(member if isinstance(member, str) else jsontext.dumps(member))


_RULES: tuple[Callable[[Schema], str | None], ...] = (
    _mixed_enum,
    _union,
    _formatted("date-time", "TIMESTAMP"),
    _formatted("date", "DATE"),
    _array,
    _integer,
    _number,
    _boolean,
    _fixed_length,
    _formatted("uuid", "CHAR(36)"),
    _varchar,
)


def is_allowed(type_: str) -> bool:
    """Whether Redshift takes a type: strings have limits."""
    limits = {"VARCHAR": MAX_VARCHAR, "CHAR": MAX_CHAR}
    kind, _, rest = type_.partition("(")
    return kind not in limits or 0 < int(rest.rstrip(")")) <= limits[kind]


def encoding(schema: Schema, type_: str) -> str:
    """Compression of a column: short enums TEXT255, booleans RUNLENGTH, doubles RAW, all else ZSTD."""
    if schema.enum is not None and not _is_product(schema) and _varchar_size(type_) <= 255:
        return "TEXT255"
    return {"BOOLEAN": "RUNLENGTH", "DOUBLE PRECISION": "RAW"}.get(type_, "ZSTD")


def _varchar_size(type_: str) -> int:
    return int(type_[8:-1]) if type_.startswith("VARCHAR(") else MAX_VARCHAR + 1


def column(leaf: Leaf, varchar: int = DEFAULT_VARCHAR) -> Column:
    """The column of a leaf, with a warning where its type can hold anything."""
    type_ = column_type(leaf.schema, varchar)
    warning = None
    if _is_product(leaf.schema):
        shown = jsontext.dumps(sorted(leaf.schema.type or ()))
        warning = f"Product type {shown} encountered in {leaf.name}"
    return Column(leaf.name, type_, encoding(leaf.schema, type_), not leaf.nullable, warning)


def columns(leaves: Sequence[Leaf], varchar: int = DEFAULT_VARCHAR) -> list[Column]:
    """Columns of the properties; the root itself has no column."""
    return [column(leaf, varchar) for leaf in leaves if leaf.path]


# --- statements ---------------------------------------------------------------------------------------------------


def column_lines(every: Sequence[Column], indent: int = 4) -> list[str]:
    """Column definitions, padded so that they stand under each other."""
    names = [quoted(column.name) + " " for column in every]
    encodings = [f" ENCODE {column.encoding}" for column in every]
    widths = [max(map(len, part), default=0) for part in (names, [column.type for column in every], encodings)]
    return [
        (
            " " * indent
            + name.ljust(widths[0])
            + column.type.ljust(widths[1])
            + encoded.ljust(widths[2])
            + (" NOT NULL" if column.not_null else "")
        ).rstrip()
        for name, column, encoded in zip(names, every, encodings, strict=True)
    ]


def comment_on_table(schema: str, table: str, key: SchemaKey) -> str:
    """The comment that tells which version of its model a table stands at."""
    return f"COMMENT ON TABLE {qualified(schema, table)} IS '{key.uri}'"


def is_widened(change: Change, varchar: int = DEFAULT_VARCHAR) -> bool:
    """Whether a migration alters the column's type."""
    type_ = column_type(change.after, varchar)
    grows = _longer_string(change) or _longer_enum(change)
    return grows and encoding(change.after, type_) not in _NOT_ALTERABLE


def _longer_string(change: Change) -> bool:
    before, after = change.before.max_length, change.after.max_length
    strings = change.before.is_only("string") and change.after.is_only("string")
    return strings and before is not None and after is not None and after > before


def _longer_enum(change: Change) -> bool:
    before, after = change.before.enum, change.after.enum
    if before is None or after is None or before == after:
        return False
    return _longest_string(after) > _longest_string(before)


def _longest_string(members: Sequence[Any]) -> int:
    return max((utf16_length(member) for member in members if isinstance(member, str)), default=0)


# --- tables a load can make -----------------------------------------------------------------------------------------

_RESERVED = frozenset(
    (
        *(column.name for column in META_COLUMNS),
        *("oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "insertxid", "deletexid"),
    )
)
_WHOLE = ("SMALLINT", "INT", "BIGINT")


def table(versions: Sequence[Schema]) -> Table | NoTable:
    """The table of a model. Columns have the reference's types, wide enough for all versions, and distinct names.

    Unlike the reference's, a column is of a type Redshift takes, and NOT NULL only where every version always has a
    value that the column holds (a value it does not hold is put aside, and leaves a null).
    """
    columns = row_columns(versions)
    if len(columns) + len(META_COLUMNS) > MAX_COLUMNS:
        return NoTable(f"{len(columns)} properties: a table of Redshift has {MAX_COLUMNS} columns at most")
    return Table(tuple(columns))


def row_columns(versions: Sequence[Schema]) -> list[tables.Column]:
    """The columns of a model's rows, in their order, also where they are too many for a table."""
    leaves = [leaf for leaf in flat.ordered(versions) if leaf.path]
    named = names.column_names([leaf.path for leaf in leaves], MAX_NAME_BYTES, _RESERVED)
    flattened = [flat.leaves(version) for version in versions]
    return [_table_column(name, leaf, versions, flattened) for name, leaf in zip(named, leaves, strict=True)]


def _table_column(
    name: str, leaf: Leaf, versions: Sequence[Schema], flattened: Sequence[dict[flat.Path, Schema]]
) -> tables.Column:
    found = [schemas[leaf.path] for schemas in flattened if leaf.path in schemas]
    type_ = storable(reduce(joined, map(column_type, found)))
    always = not leaf.nullable and all(flat.is_always_there(version, leaf.path) for version in versions)
    always = always and all(_is_always_held(schema, type_) for schema in found)
    return tables.Column(name, type_, always, leaf.path, encoding(leaf.schema, type_))


_RANGES = {"SMALLINT": 2**15, "INT": 2**31, "BIGINT": 2**63}


def _is_always_held(schema: Schema, type_: str) -> bool:
    """Whether a column holds every valid value, so that none is put aside and leaves a null."""
    if type_ in _RANGES and (schema.enum or schema.is_only("integer")):
        bounds = [big_int(bound) for bound in schema.enum or (schema.minimum, schema.maximum)]
        return all(bound is not None and -_RANGES[type_] <= bound < _RANGES[type_] for bound in bounds)
    return type_.startswith("VARCHAR") or (type_ == "BOOLEAN" and schema.is_only("boolean"))


def joined(one: str, other: str) -> str:
    """The type that holds the values of both, if one does; else the first, as in the reference."""
    lengths = text_length(one), text_length(other)
    if None not in lengths and one != other:
        return f"VARCHAR({max(lengths)})"  # type: ignore[type-var]
    if one in _WHOLE and other in _WHOLE:
        return max(one, other, key=_WHOLE.index)
    if "DOUBLE PRECISION" in (one, other) and (one in _WHOLE or other in _WHOLE):
        return "DOUBLE PRECISION"
    return one


def storable(type_: str) -> str:
    """A type Redshift takes: no string is longer than it allows, or of no length at all."""
    length = text_length(type_)
    return type_ if length is None or is_allowed(type_) else f"VARCHAR({min(max(length, 1), MAX_VARCHAR)})"


def create(schema: str, name: str, table: Table, key: SchemaKey, events: str = "events") -> list[str]:
    """What makes a model's table, and the comment that says which version it stands at."""
    properties = [Column(column.name, column.type, column.encoding, column.not_null) for column in table.columns]
    lines = column_lines((*META_COLUMNS, *properties))
    lines.append(f"    FOREIGN KEY (root_id) REFERENCES {schema}.{events}(event_id)")
    statement = (
        f"CREATE TABLE IF NOT EXISTS {qualified(schema, name)} (\n"
        + ",\n".join(lines)
        + "\n)\nDISTSTYLE KEY\nDISTKEY (root_id)\nSORTKEY (root_tstamp)"
    )
    return [statement, comment_on_table(schema, name, key)]


def create_rejected_values(schema: str) -> str:
    """What makes the table of values that did not fit their columns."""
    return (
        f"CREATE TABLE IF NOT EXISTS {qualified(schema, 'rejected_values')} (\n"
        + ",\n".join(column_lines(REJECTED_VALUES))
        + "\n)\nDISTSTYLE KEY\nDISTKEY (root_id)\nSORTKEY (root_tstamp)"
    )


def alter(schema: str, name: str, key: SchemaKey, present: Mapping[str, Held], table: Table) -> Alterations:
    """Bring a table to what rows need: columns are added, strings widened (which Redshift does outside transactions).

    No other type of a column can be altered in Redshift. Of a column whose encoding forbids it (TEXT255, as short enums
    have it) the server says so: its texts are cut then, and whoever reads the load's report knows.
    """
    target = f"ALTER TABLE {qualified(schema, name)}"
    widened, added = [], []
    for column in table.columns:
        held = present.get(column.name)
        if held is None:
            added.append(f"{target} ADD COLUMN {quoted(column.name)} {column.type} ENCODE {column.encoding}")
        elif _is_longer(column.type, from_catalog(held.type)):
            widened.append(f"{target} ALTER {quoted(column.name)} TYPE {column.type}")
    comment = comment_on_table(schema, name, key)
    return Alterations(widened, [*added, comment]) if added else Alterations([*widened, comment], [])


def _is_longer(wanted: str, held: str) -> bool:
    lengths = text_length(wanted), text_length(held)
    return held.startswith("VARCHAR") and None not in lengths and lengths[0] > lengths[1]  # type: ignore[operator]


REDSHIFT = Dialect("redshift", MAX_NAME_BYTES, table, create, alter)
