from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.ddl import bigquery, parquet
from snowetl.ddl.parquet import Array, Field, Struct
from snowetl.ddl.schema import Schema, parse
from snowetl.ddl.storage import for_storage, narrowed, widened


def read(document: Any) -> Schema:
    schema = parse(document)
    assert schema is not None
    return schema


def shown(document: Any) -> Any:
    type_, nullable = parquet.field_type(for_storage(read(document)))
    return parquet.as_json(type_), nullable


def obj(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


@pytest.mark.parametrize(
    ("document", "type_", "nullable"),
    [
        ({"type": "string"}, "string", False), ({"type": ["string", "null"]}, "string", True),
        ({"type": "string", "format": "date-time"}, "timestamp", False),
        ({"type": "string", "format": "date"}, "date", False),
        ({"type": "boolean"}, "boolean", False), ({"type": "integer"}, "long", False),
        ({"type": "number"}, "double", False),
        ({"type": "integer", "minimum": 0, "maximum": 5}, "integer", False),
        ({"type": "integer", "minimum": 0, "maximum": 3000000000}, "long", False),
        ({"type": "integer", "minimum": 0, "maximum": 10**30}, {"decimal": [38, 0]}, False),
        ({"type": "integer", "minimum": 0, "maximum": 10**40}, "double", False),
        ({"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 500}, {"decimal": [9, 2]}, False),
        ({"type": "number", "multipleOf": 0.01}, "double", False), ({"type": "number", "multipleOf": 5}, "long", False),
        ({"enum": ["a", None]}, "string", True), ({"enum": [1, 2]}, "integer", False),
        ({"enum": [1, 0.5]}, {"decimal": [9, 1]}, False),
        ({"enum": ["a", 1]}, "json", False), ({"enum": [3000000000]}, "long", False), ({}, "json", True),
        ({"type": ["string", "integer"]}, "json", False), ({"type": "object"}, "json", False),
        ({"type": "null"}, "json", True),
        ({"type": "array"}, {"array": "json", "element_nullable": True}, False),
        ({"type": "array", "items": {"type": "string"}}, {"array": "string", "element_nullable": False}, False),
    ],
)  # fmt: skip
def test_types(document: Any, type_: Any, nullable: bool) -> None:
    assert shown(document) == (type_, nullable)


def test_objects_are_structs_in_the_order_of_their_names() -> None:
    type_, _ = shown(obj(["b"], b={"type": "string"}, a={"type": "string"}, B={"type": ["string", "null"]}))
    assert [(field["name"], field["nullable"]) for field in type_["struct"]] == [("B", True), ("a", True), ("b", False)]


def test_alternatives_are_widened_into_one() -> None:
    one_of = {"oneOf": [obj(["a"], a={"type": "integer"}), obj(["a"], a={"type": "integer"}, b={"type": "string"})]}
    type_, _ = shown({"type": "object"} | one_of)
    assert [(field["name"], field["type"], field["nullable"]) for field in type_["struct"]] == [
        ("a", "long", False),
        ("b", "string", True),
    ]
    assert shown({"anyOf": [{"type": "string"}, {"type": "integer"}]}) == ("json", False)


def test_tuples_are_widened_into_one_item() -> None:
    document = {"type": "array", "items": [{"type": "integer"}, {"type": "null"}]}
    assert shown(document) == ({"array": "long", "element_nullable": True}, False)


def test_names_are_normalised_at_every_depth() -> None:
    nested = {"type": "array", "items": {"type": "array", "items": obj(someKey={"type": "string"})}}
    field = parquet.normalized(parquet.build("topField", read(obj(**{"in-ner": nested})), False))
    assert field.name == "top_field"
    (inner,) = field.type.fields  # type: ignore[union-attr]
    assert inner.name == "in_ner"
    assert inner.type.element.element.fields[0].name == "some_key"


def test_fields_with_equal_names_are_collapsed() -> None:
    schema = read(obj(some_key={"type": "string"}, someKey={"type": "integer"}))
    field = parquet.normalized(parquet.build("top", schema, False))
    (inner,) = field.type.fields  # type: ignore[union-attr]
    assert inner == Field("some_key", "long", True, frozenset(("some_key", "someKey")))


def field(type_: parquet.FieldType, nullable: bool = True) -> Field:
    return Field("top", type_, nullable)


def test_versions_merge() -> None:
    older = field(Struct((Field("a", "string", False), Field("gone", "long", False))))
    newer = field(Struct((Field("new", "long", False), Field("a", "string", True))))
    merge = parquet.merge(older, newer)
    assert merge.field == field(
        Struct((Field("new", "long", True), Field("a", "string", True), Field("gone", "long", True)))
    )
    assert sorted(merge.changes) == [
        "Changing required property to nullable at /a",
        "Key removal at /gone",
        "Schema key addition at /new",
    ]
    assert not merge.breaking


def test_other_types_break() -> None:
    older = field(Array(Struct((Field("a", "string", True), Field("b", "long", True))), False))
    newer = field(Array(Struct((Field("a", "long", True), Field("b", "double", True))), False))
    merge = parquet.merge(older, newer)
    assert merge.field is None
    assert merge.breaking
    assert sorted(merge.changes) == [
        "Incompatible type change Long to Double at /[arrayDown]/b",
        "Incompatible type change String to Long at /[arrayDown]/a",
    ]


def test_hashes_are_those_of_scala() -> None:
    name = "contexts_com_snowplowanalytics_snowplow_test_schema_broken_1"
    for inner, expected in (("b_field", 1837344102), ("a_field", 737559706)):
        struct = Struct((Field(inner, "string", True),))
        assert abs(parquet.structural_hash(Field(name, Array(struct, False), True))) == expected


SCHEMAS = st.recursive(
    st.sampled_from(
        [{"type": "string"}, {"type": "integer"}, {"type": ["number", "null"]}, {}, {"enum": [1, "a"]},
        {"type": "boolean"}]
    ),
    lambda inner: st.builds(lambda x: obj(**x), st.dictionaries(st.sampled_from("abc"), inner, max_size=3))
    | st.builds(lambda x: {"type": "array", "items": x}, inner)
    | st.builds(lambda x: {"oneOf": x}, st.lists(inner, min_size=1, max_size=3)),
    max_leaves=8,
)  # fmt: skip


@given(SCHEMAS, SCHEMAS)
def test_any_schemas_are_rewritten_and_merged(one: Any, other: Any) -> None:
    first, second = (parquet.build("top", read(document), False) for document in (one, other))
    merge = parquet.merge(first, second)
    assert (merge.field is None) == merge.breaking
    assert parquet.merge(first, first).field == first
    if merge.field is not None:
        again = parquet.merge(merge.field, second)
        assert again.field is not None
        assert not again.breaking


@given(SCHEMAS)
def test_widening_and_narrowing_with_itself_changes_no_type(document: Any) -> None:
    schema = replace(for_storage(read(document)), one_of=None, any_of=None)
    assert parquet.field_type(narrowed(schema, schema)) == parquet.field_type(schema)
    assert parquet.as_json(parquet.field_type(widened(schema, schema))[0]) == parquet.as_json(
        parquet.field_type(schema)[0]
    )


def test_bigquery_fields() -> None:
    document = obj(["id"], id={"type": "integer"}, at={"type": "string", "format": "date-time"},
                   tags={"type": "array", "items": {"type": ["string", "null"]}}, in_={"type": "object"})  # fmt: skip
    field_ = bigquery.normalized(bigquery.build("1topField", read(document), True))
    assert field_.to_dict() == {
        "name": "_1top_field",
        "type": "RECORD",
        "mode": "REQUIRED",
        "fields": [
            {"name": "id", "type": "INTEGER", "mode": "REQUIRED"},
            {"name": "at", "type": "TIMESTAMP", "mode": "NULLABLE"},
            {"name": "in_", "type": "STRING", "mode": "NULLABLE"},
            {"name": "tags", "type": "STRING", "mode": "REPEATED"},
        ],
    }


@pytest.mark.parametrize(
    ("document", "type_", "mode"),
    [
        ({"type": "number"}, "FLOAT", "REQUIRED"), ({"type": ["integer", "number"]}, "FLOAT", "REQUIRED"),
        ({"enum": [1, 2]}, "INTEGER", "REQUIRED"), ({"enum": [1, 0.5, None]}, "FLOAT", "NULLABLE"),
        ({"enum": ["a", 1]}, "STRING", "REQUIRED"), ({"type": ["boolean", "null"]}, "BOOLEAN", "NULLABLE"),
        ({"type": "string", "format": "date"}, "DATE", "REQUIRED"),
        ({"type": ["string", "object"]}, "STRING", "REQUIRED"),
    ],
)  # fmt: skip
def test_bigquery_scalars(document: Any, type_: str, mode: str) -> None:
    assert bigquery.build("f", read(document), True)[1:3] == (type_, mode)
