"""Rows as BigQuery takes them: its fields for Arrow's types and back, and arrays without what it cannot hold.

An array has no nulls, and is never null itself: it is empty. An array inside of an array lies in a struct.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from snowetl.ddl.bigquery import NESTED, is_numeric

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST_DECIMAL = 38

Resource = Mapping[str, Any]
"""A field as BigQuery's API has it: name, type, mode, fields, precision, scale."""

_TYPES = {
    "string": "STRING", "bool": "BOOLEAN", "int32": "INTEGER", "int64": "INTEGER", "double": "FLOAT",
    "date32[day]": "DATE",
}  # fmt: skip


def field_of(name: str, type_: pa.DataType) -> dict[str, Any]:
    """The field of a column. Everything may be null."""
    import pyarrow.types as kind

    if kind.is_list(type_):
        inner = type_.value_type
        return field_of(name, _in_struct(inner) if kind.is_list(inner) else inner) | {"mode": "REPEATED"}
    return {"name": name, "mode": "NULLABLE"} | _type_of(type_)


def _type_of(type_: pa.DataType) -> dict[str, Any]:
    import pyarrow.types as kind

    if kind.is_struct(type_):
        return {"type": "RECORD", "fields": [field_of(member.name, member.type) for member in type_]}
    if kind.is_decimal(type_):
        plain = "NUMERIC" if is_numeric(type_) else "BIGNUMERIC"
        return {"type": plain, "precision": str(type_.precision), "scale": str(type_.scale)}
    if kind.is_timestamp(type_):
        return {"type": "TIMESTAMP"}
    return {"type": _TYPES.get(str(type_), "STRING")}


def schema_of(fields: Iterable[Resource]) -> pa.Schema:
    """The columns of a table, as rows in Parquet have them."""
    import pyarrow as pa

    return pa.schema([pa.field(field["name"], _arrow(field)) for field in fields])


def _arrow(field: Resource) -> pa.DataType:
    import pyarrow as pa

    if field.get("mode") == "REPEATED":
        return pa.list_(pa.field("element", _arrow({**field, "mode": "NULLABLE"})))
    if field["type"] in ("RECORD", "STRUCT"):
        members = list(field["fields"])
        if len(members) == 1 and members[0]["name"] == NESTED and members[0].get("mode") == "REPEATED":
            return _arrow(members[0])
        return pa.struct([pa.field(member["name"], _arrow(member)) for member in members])
    if field["type"] in ("NUMERIC", "BIGNUMERIC"):
        return _decimal(field)
    if field["type"] in ("INTEGER", "INT64"):
        return pa.int64()
    if field["type"] in ("FLOAT", "FLOAT64"):
        return pa.float64()
    if field["type"] in ("BOOLEAN", "BOOL"):
        return pa.bool_()
    if field["type"] == "DATE":
        return pa.date32()
    return pa.timestamp("us", "UTC") if field["type"] == "TIMESTAMP" else pa.string()


def _decimal(field: Resource) -> pa.DataType:
    """Without precision, a type holds all that it can; with it alone, whole numbers."""
    import pyarrow as pa

    if field.get("precision") is None:
        return pa.decimal128(38, 9) if field["type"] == "NUMERIC" else pa.decimal256(76, 38)
    digits, scale = int(field["precision"]), int(field.get("scale") or 0)
    return pa.decimal128(digits, scale) if digits <= _LONGEST_DECIMAL else pa.decimal256(digits, scale)


def fitted(rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Rows without what BigQuery cannot hold."""
    import pyarrow as pa

    schema = pa.schema([pa.field(field.name, fitted_type(field.type)) for field in rows.schema])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            columns = zip(batch.columns, schema, strict=True)
            arrays = [fitted_array(column).cast(field.type) for column, field in columns]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def fitted_type(type_: pa.DataType) -> pa.DataType:
    import pyarrow as pa
    import pyarrow.types as kind

    if kind.is_struct(type_):
        return pa.struct([pa.field(member.name, fitted_type(member.type)) for member in type_])
    if kind.is_list(type_):
        inner = fitted_type(type_.value_type)
        return pa.list_(pa.field("element", _in_struct(inner) if kind.is_list(inner) else inner))
    return type_


def _in_struct(type_: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return pa.struct([pa.field(NESTED, type_)])


def fitted_array(array: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kind

    if kind.is_struct(array.type):
        members = [fitted_array(member) for member in array.flatten()]
        fields = [pa.field(field.name, member.type) for field, member in zip(array.type, members, strict=True)]
        return pa.StructArray.from_arrays(members, fields=fields, mask=array.is_null())
    if not kind.is_list(array.type):
        return array
    values, lengths = array.flatten(), pc.fill_null(pc.list_value_length(array), 0)
    if values.null_count:
        there = values.is_valid()
        counts = Counter(pc.list_parent_indices(array).filter(there).to_pylist())
        values, lengths = values.filter(there), pa.array([counts[row] for row in range(len(array))], pa.int32())
    inner = fitted_array(values)
    if kind.is_list(inner.type):
        inner = pa.StructArray.from_arrays([inner], fields=[pa.field(NESTED, inner.type)])
    ends = pc.cumulative_sum(lengths).cast(pa.int32())
    return pa.ListArray.from_arrays(pa.concat_arrays([pa.array([0], pa.int32()), ends]), inner)
