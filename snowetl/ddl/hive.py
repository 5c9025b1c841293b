"""Types of nested columns in Hive's words, which Spark, Athena, the Glue catalog and Redshift Spectrum share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from snowetl.ddl.parquet import Array, DecimalType, Field, FieldType, Struct

_PLAIN_TYPES = {
    "string": "string",
    "json": "string",
    "boolean": "boolean",
    "integer": "int",
    "long": "bigint",
    "double": "double",
    "date": "date",
    "timestamp": "timestamp",
}


def quoted(name: str) -> str:
    """A name in backticks: any name can stand in them."""
    return "`" + name.replace("`", "``") + "`"


def type_text(type_: FieldType, name: Callable[[str], str] = str) -> str:
    """``array<struct<id:string,price:decimal(9,2)>>``. ``name`` words the names of a struct's fields."""
    if isinstance(type_, DecimalType):
        return f"decimal({type_.digits},{type_.scale})"
    if isinstance(type_, Array):
        return f"array<{type_text(type_.element, name)}>"
    if isinstance(type_, Struct):
        return f"struct<{','.join(f'{name(field.name)}:{type_text(field.type, name)}' for field in type_.fields)}>"
    return _PLAIN_TYPES[type_]


def column_list(fields: Sequence[Field]) -> str:
    """``fields`` as the columns of a Spark schema, every name in backticks."""
    return ", ".join(f"{quoted(field.name)} {type_text(field.type, quoted)}" for field in fields)
