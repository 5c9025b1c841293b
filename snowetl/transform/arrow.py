"""Wide rows as Arrow: the types of Parquet's columns, and rows packed into batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from snowetl.ddl.parquet import Array, DecimalType, Field, FieldType, Struct

if TYPE_CHECKING:
    import pyarrow as pa

_PLAIN_TYPES = {
    "string": "string",
    "json": "string",
    "boolean": "bool_",
    "integer": "int32",
    "long": "int64",
    "double": "float64",
    "date": "date32",
}


def arrow_schema(fields: Sequence[Field]) -> pa.Schema:
    """Columns as Arrow types. JSON is text; timestamps are UTC microseconds."""
    import pyarrow as pa

    return pa.schema([pa.field(field.name, _arrow_type(field.type), field.nullable) for field in fields])


def _arrow_type(type_: FieldType) -> pa.DataType:
    import pyarrow as pa

    if isinstance(type_, DecimalType):
        return pa.decimal128(type_.digits, type_.scale)
    if isinstance(type_, Array):
        return pa.list_(pa.field("element", _arrow_type(type_.element), type_.element_nullable))
    if isinstance(type_, Struct):
        return pa.struct([pa.field(field.name, _arrow_type(field.type), field.nullable) for field in type_.fields])
    if type_ == "timestamp":
        return pa.timestamp("us", tz="UTC")
    return getattr(pa, _PLAIN_TYPES[type_])()


def record_batch(schema: pa.Schema, rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """Rows of cast values (``transform.parquet``), each in the order of the schema, as one batch."""
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [_array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(values, type=type_)
    except UnicodeEncodeError:
        return pa.array([_clean(value) for value in values], type=type_)


def _clean(value: Any) -> Any:
    """Text without lone surrogates, which no Parquet file can hold."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value
