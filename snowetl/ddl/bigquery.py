"""BigQuery fields of a schema (schema-ddl 0.18.2 ``bigquery``), and tables of wide rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from snowetl.ddl.atomic import EVENT_FIELDS
from snowetl.ddl.names import word
from snowetl.ddl.schema import Schema, big_int, is_number

if TYPE_CHECKING:
    import pyarrow as pa

_PLAIN = (("boolean", "BOOLEAN"), ("string", "STRING"), ("integer", "INTEGER"))
_MODES = ("REQUIRED", "NULLABLE", "REPEATED")


class Field(NamedTuple):
    """A field of a table: ``type`` is a BigQuery type, ``RECORD`` for nested ``fields``."""

    name: str
    type: str
    mode: str
    fields: tuple[Field, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The field as BigQuery's API takes it."""
        nested = {"fields": [member.to_dict() for member in self.fields]} if self.type == "RECORD" else {}
        return {"name": self.name, "type": self.type, "mode": self.mode} | nested


def build(name: str, schema: Schema, required: bool) -> Field:
    """The field of a schema; names are still the schema's."""
    if schema.is_only("object") and schema.properties:
        members = [build(key, member, key in (schema.required or ())) for key, member in schema.properties.items()]
        members.sort(key=lambda member: (_MODES.index(member.mode), member.name.encode("utf-16-be", "surrogatepass")))
        return Field(name, "RECORD", "REQUIRED" if required else "NULLABLE", tuple(members))
    if schema.is_only("array") and isinstance(schema.items, Schema):
        return build(name, schema.items, False)._replace(mode="REPEATED")
    type_, nullable = ("STRING", schema.allows("null"))
    if not (schema.is_only("object") or schema.is_only("array")):
        type_, nullable = _scalar(schema)
    return Field(name, type_, "REQUIRED" if required and not nullable else "NULLABLE")


def _scalar(schema: Schema) -> tuple[str, bool]:
    nullable = schema.allows("null")
    if schema.is_only("string") and schema.format in ("date", "date-time"):
        return "DATE" if schema.format == "date" else "TIMESTAMP", nullable
    for name, type_ in _PLAIN:
        if schema.is_only(name):
            return type_, nullable
    if schema.is_only("number") or (
        isinstance(schema.type, frozenset) and schema.type - {"null"} == {"integer", "number"}
    ):
        return "FLOAT", nullable
    if schema.enum is not None:
        return _enum([member for member in schema.enum if member is not None]), None in schema.enum
    return "STRING", nullable


def _enum(members: list[Any]) -> str:
    if all(isinstance(member, str) for member in members):
        return "STRING"
    if all(is_number(member) and big_int(member) is not None for member in members):
        return "INTEGER"
    return "FLOAT" if all(is_number(member) for member in members) else "STRING"


def column_name(name: str) -> str:
    """A property's name as a field name: snake case, only letters, digits and underscores, no digit first."""
    plain = word(name)
    return "_" + plain if plain[:1].isdigit() else plain


def normalized(field: Field) -> Field:
    """The field with column names throughout."""
    return field._replace(name=column_name(field.name), fields=tuple(normalized(member) for member in field.fields))


# --- tables of wide rows --------------------------------------------------------------------------------------------

_ATOMIC_TYPES = {
    "str": "STRING", "ts": "TIMESTAMP", "int": "INT64", "txn": "INT64", "float": "FLOAT64", "dec": "NUMERIC(18, 2)",
    "bool": "BOOL",
}  # fmt: skip
_NOT_NULL = frozenset(("collector_tstamp", "event_id", "v_collector", "v_etl"))
_PLAIN_TYPES = {
    "string": "STRING", "bool": "BOOL", "int32": "INT64", "int64": "INT64", "double": "FLOAT64", "date32[day]": "DATE",
}  # fmt: skip
NESTED = "nested_array"
"""The one field of the structs in which arrays lie inside of arrays: BigQuery has no arrays of arrays."""
_NUMERIC_SCALE, _NUMERIC_WHOLE_DIGITS = 9, 29
"""Most digits after, and before, the point of a ``NUMERIC``."""


def create_events(schema: str, table: str) -> str:
    """The table of events, before any entity was met: a partition for each day of loads."""
    columns = [f"    {line}" for line in (*_event_columns(), "load_tstamp TIMESTAMP")]
    return (
        f"CREATE TABLE IF NOT EXISTS {qualified(schema, table)} (\n" + ",\n".join(columns) + "\n)\n"
        "PARTITION BY TIMESTAMP_TRUNC(load_tstamp, DAY)\nCLUSTER BY event_name"
    )


def _event_columns() -> Iterator[str]:
    for field in EVENT_FIELDS:
        type_ = "FLOAT64" if field.name == "se_value" else _ATOMIC_TYPES[field.type]
        yield f"{field.name} {type_}" + (" NOT NULL" if field.name in _NOT_NULL else "")


def add_column(schema: str, table: str, name: str, type_: pa.DataType) -> str:
    return f"ALTER TABLE {qualified(schema, table)} ADD COLUMN IF NOT EXISTS {quoted(name)} {sql_type(type_)}"


def sql_type(type_: pa.DataType) -> str:
    """The type of a column for Parquet's."""
    import pyarrow.types as kind

    if kind.is_struct(type_):
        return f"STRUCT<{', '.join(f'{quoted(member.name)} {sql_type(member.type)}' for member in type_)}>"
    if kind.is_list(type_):
        element = sql_type(type_.value_type)
        return f"ARRAY<STRUCT<{quoted(NESTED)} {element}>>" if kind.is_list(type_.value_type) else f"ARRAY<{element}>"
    if kind.is_decimal(type_):
        return f"{'NUMERIC' if is_numeric(type_) else 'BIGNUMERIC'}({type_.precision}, {type_.scale})"
    if kind.is_timestamp(type_):
        return "TIMESTAMP"
    return _PLAIN_TYPES.get(str(type_), "STRING")


def is_numeric(type_: pa.DataType) -> bool:
    """Whether a decimal fits ``NUMERIC``, else it is a ``BIGNUMERIC``."""
    return bool(type_.scale <= _NUMERIC_SCALE and type_.precision - type_.scale <= _NUMERIC_WHOLE_DIGITS)


def quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def qualified(schema: str, table: str) -> str:
    return f"{quoted(schema)}.{quoted(table)}"
