"""BigQuery fields of a schema (schema-ddl 0.18.2 ``bigquery``)."""

from __future__ import annotations

from typing import Any, NamedTuple

from snowetl.ddl.names import word
from snowetl.ddl.schema import Schema, big_int, is_number

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
