"""``ddl.jsonl``: JSON Schema -> columns, types, statements of the warehouses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snowetl.ddl import bigquery, flat, names, parquet, postgres, recovery, redshift, versions
from snowetl.ddl.redshift_cells import cell
from snowetl.ddl.schema import Schema, parse
from snowetl.ddl.tables import Column, Table
from snowetl.jvm import jsontext
from snowetl.model.schema import SchemaKey, SchemaVer
from snowetl.transform import cells as row_values
from snowetl.transform import parquet as values
from tests.conformance.runner import Mismatch, Unsupported

_KEY = SchemaKey.parse("iglu:com.acme/event/jsonschema/1-0-0")

FILES = "ddl.jsonl"


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    kind = globals().get(f"_{case['kind']}")
    if kind is None:
        return Unsupported(f"kind {case['kind']}")
    got = kind(case["input"])
    expected = case["expected"]
    if isinstance(expected, dict) and isinstance(got, dict) and case["kind"] != "parquet_cast":
        return [Mismatch(name, expected[name], got.get(name)) for name in expected if got.get(name) != expected[name]]
    return [] if got == expected else [Mismatch(case["kind"], expected, got)]


def _read(document: Any) -> Schema:
    schema = parse(jsontext.loads_exact(jsontext.dumps(document)))
    assert schema is not None
    return schema


def _redshift_type(case: dict[str, Any]) -> Any:
    schema = _read(case["schema"])
    type_ = redshift.column_type(schema, case["varchar_default"])
    return {"type": type_, "encode": redshift.encoding(schema, type_)}


def _redshift_columns(case: dict[str, Any]) -> Any:
    leaves = flat.ordered([_read(schema) for schema in case["schemas"]])
    return [
        {"name": column.name, "type": column.type, "encode": column.encoding, "not_null": column.not_null}
        for column in redshift.columns(leaves, case["varchar_default"])
    ]


def _flat_leaves(case: dict[str, Any]) -> Any:
    schema = _read(case["schema"])
    found = flat.leaves(schema)
    return {
        "leaves": [{"path": list(path), "nullable": leaf.can_be_null} for path, leaf in found.items()],
        "required": sorted("/".join(path) for path in flat.required(schema)),
    }


def _column_order(case: dict[str, Any]) -> Any:
    return [leaf.name for leaf in flat.ordered([_read(schema) for schema in case["schemas"]])]


def _redshift_create_table(case: dict[str, Any]) -> Any:
    leaves = flat.ordered([_read(schema) for schema in case["schemas"]])
    columns = (Column(*column[:2], column.not_null, None, column.encoding) for column in redshift.columns(
        leaves, case["varchar_default"]
    ))  # fmt: skip
    return redshift.create(case["db_schema"], case["table"], Table(tuple(columns)), _KEY)[0]


def _redshift_migration(case: dict[str, Any]) -> Any:
    key = SchemaKey(case["vendor"], case["name"], "jsonschema", SchemaVer.parse(case["versions"][-1]))
    schemas = [_read(schema) for schema in case["schemas"]]
    name, (first, last) = names.table_name(key), (redshift.table(schemas[:1]), redshift.table(schemas))
    assert isinstance(first, Table)
    assert isinstance(last, Table)
    migration = redshift.alter(case["db_schema"], name, key, first.held(), last)
    comment = redshift.comment_on_table(case["db_schema"], name, key)
    return {
        "pre_transaction": [statement for statement in migration.before if statement != comment],
        "in_transaction": [statement for statement in migration.inside if statement != comment],
        "comment": (migration.inside or migration.before)[-1],
    }


def _snake_case(case: dict[str, Any]) -> Any:
    return names.snake_case(case["s"])


def _table_name(case: dict[str, Any]) -> Any:
    return names.table_name(SchemaKey(case["vendor"], case["name"], "jsonschema", SchemaVer(case["model"], 0, 0)))


def _parquet_name(case: dict[str, Any]) -> Any:
    return names.word(case["s"])


def _bigquery_name(case: dict[str, Any]) -> Any:
    return bigquery.column_name(case["s"])


def _flatten_plain(case: dict[str, Any]) -> Any:
    leaves = flat.ordered([_read(schema) for schema in case["schemas"]])
    data = jsontext.loads_exact(jsontext.dumps(case["data"]))
    row = [cell(value) for value in row_values.values(row_values.extractor([leaf.path for leaf in leaves]), data)]
    return ["" if cell == "\\N" else cell for cell in row]


def _schema_segments(case: dict[str, Any]) -> Any:
    found = versions.segments([SchemaVer.parse(version) for version in case["versions"]])
    return [[str(version) for version in segment] for segment in found]


def _schema_list_unambiguous(case: dict[str, Any]) -> Any:
    return versions.order([SchemaVer.parse(version) for version in case["versions"]]).value


def _postgres_type(case: dict[str, Any]) -> Any:
    return postgres.column_type(_read(case["schema"]))


def _type_name(type_: parquet.FieldType) -> Any:
    if isinstance(type_, parquet.DecimalType):
        return f"decimal({type_.digits},{type_.scale})"
    if isinstance(type_, parquet.Array):
        return {"array": _type_name(type_.element), "element_nullable": type_.element_nullable}
    if isinstance(type_, parquet.Struct):
        return {"struct": [_field(member) for member in type_.fields]}
    return type_


def _field(field: parquet.Field) -> Any:
    return {"name": field.name, "type": _type_name(field.type), "nullable": field.nullable}


def _parquet_type(case: dict[str, Any]) -> Any:
    type_, allows_null = parquet.field_type(_read(case["schema"]))
    return {"type": _type_name(type_), "json_null_allowed": allows_null}


def _parquet_field(case: dict[str, Any]) -> Any:
    field = parquet.build(case["name"], _read(case["schema"]), case["required"])
    return _field(parquet.normalized(field) if case.get("normalized") else field)


def _parquet_merge(case: dict[str, Any]) -> Any:
    source, target = (parquet.build("top", _read(case[side]), False) for side in ("source", "target"))
    merge = parquet.merge(source, target)
    return {
        "breaking": merge.breaking,
        "changes": sorted(merge.changes),
        "merged": None if merge.field is None else _field(merge.field),
    }


def _read_type(type_: Any) -> parquet.FieldType:
    if isinstance(type_, str) and type_.startswith("decimal("):
        digits, scale = type_[8:-1].split(",")
        return parquet.DecimalType(int(digits), int(scale))
    if isinstance(type_, dict) and "array" in type_:
        return parquet.Array(_read_type(type_["array"]), type_["element_nullable"])
    if isinstance(type_, dict):
        return parquet.Struct(tuple(_read_field(member) for member in type_["struct"]))
    return type_


def _read_field(member: dict[str, Any]) -> parquet.Field:
    accessors = frozenset(member.get("accessors", []))
    return parquet.Field(member["name"], _read_type(member["type"]), member["nullable"], accessors)


def _parquet_cast(case: dict[str, Any]) -> Any:
    field = parquet.Field("top", _read_type(case["type"]), case["nullable"])
    errors: list[values.CastError] = []
    value = values.caster(field)(jsontext.loads_exact(jsontext.dumps(case["value"])), errors)
    if errors:
        return {"error": "MissingInValue" if errors[0].key is not None else "WrongType"}
    return {"ok": values.as_json(field.type, value)}


def _bigquery_field(case: dict[str, Any]) -> Any:
    return bigquery.build(case["name"], _read(case["schema"]), case["required"]).to_dict()


def _model(case: dict[str, Any], version: str, schema: str) -> recovery.Model:
    key = SchemaKey(case["vendor"], case["name"], "jsonschema", SchemaVer.parse(version))
    return recovery.model(key, _read(case[schema]))


def _redshift_merge_v6(case: dict[str, Any]) -> Any:
    older, newer = _model(case, "1-0-0", "1-0-0"), _model(case, "1-0-1", "1-0-1")
    merged = recovery.merge(older, newer)
    if merged.model is None:
        return {"breaking": True, "errors": list(merged.errors), "recovery_table": newer.recovery_table}
    return {
        "breaking": False,
        "columns": [[column.name, column.type, column.not_null] for column in merged.model.columns],
        "varchar_extensions": [[column.name, column.type] for column in merged.widened],
        "additions": [column.name for column in merged.added],
    }


def _redshift_recovery_table_v6(case: dict[str, Any]) -> Any:
    model = _model(case, case["version"], "schema")
    return {"table": model.recovery_table, "hashed_text": model.text()}
