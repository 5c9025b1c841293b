from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.ddl import flat, names
from snowetl.ddl.schema import Schema, parse
from snowetl.model.schema import SchemaKey


def read(document: dict[str, Any]) -> Schema:
    schema = parse(document)
    assert schema is not None
    return schema


def obj(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


def columns(*documents: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(leaf.name, leaf.nullable) for leaf in flat.ordered([read(document) for document in documents])]


STRING = {"type": "string"}


def test_required_ones_first_each_half_by_name() -> None:
    document = obj(["z", "b"], z=STRING, a=STRING, b=STRING, C={"type": ["string", "null"]})
    assert columns(document) == [("b", False), ("z", False), ("a", True), ("c", True)]


def test_nested_properties_are_required_if_all_above_are() -> None:
    document = obj(["in"], **{"in": obj(["x"], x=STRING, y=STRING), "out": obj(["x"], x=STRING)})
    assert columns(document) == [("in.x", False), ("in.y", True), ("out.x", True)]


def test_null_in_type_or_enum_makes_a_column_nullable() -> None:
    assert columns(obj(["a", "b"], a={"enum": ["x", None]}, b={"type": ["string", "null"]})) == [
        ("a", True),
        ("b", True),
    ]


def test_unions_are_one_column_and_their_children_none() -> None:
    document = obj(a={"type": ["string", "object"], "properties": {"x": STRING}})
    assert columns(document) == [("a", True)]


def test_a_node_without_type_is_a_column_and_so_are_its_children() -> None:
    assert columns(obj(a={"properties": {"x": STRING}})) == [("a", True), ("a.x", True)]


def test_one_of_with_different_types_is_one_column() -> None:
    document = obj(a={"type": "object", "properties": {"x": STRING}, "oneOf": [{"type": "string"}, {"type": "object"}]})
    assert ("a", True) in columns(document)


def test_items_and_patterns_are_not_descended_into() -> None:
    document = obj(
        a={"type": "array", "items": obj(x=STRING)},
        b={"type": "object", "patternProperties": {".*": STRING}, "additionalProperties": STRING},
    )
    assert columns(document) == [("a", True), ("b", True)]


@pytest.mark.parametrize("document", [{}, {"type": "object"}, {"type": "string"}, obj()])
def test_a_schema_without_properties_has_no_columns(document: dict[str, Any]) -> None:
    assert columns(document) == []


def test_later_versions_append() -> None:
    first = obj(["b"], b=STRING, a=STRING)
    second = obj(["b", "z"], b=STRING, a=STRING, z=STRING, c=STRING)
    third = obj(["b"], b=STRING, a=STRING, z=STRING, c=STRING, aa=STRING)
    assert columns(first, second, third) == [("b", False), ("a", True), ("z", False), ("c", True), ("aa", True)]


def test_removed_columns_stay_and_come_twice_when_they_come_back() -> None:
    with_b, without = obj(a=STRING, b=STRING), obj(a=STRING)
    assert columns(with_b, without) == [("a", True), ("b", True)]
    assert [name for name, _ in columns(with_b, without, with_b)] == ["a", "b", "b"]


def test_differences_are_those_of_successive_versions() -> None:
    short, long = ({"type": "string", "maxLength": length} for length in (1, 2))
    difference = flat.difference([read(obj(a=short)), read(obj(a=long)), read(obj(a=long, b=STRING))])
    assert [leaf.name for leaf in difference.added] == ["b"]
    assert [(change.path, change.before.max_length, change.after.max_length) for change in difference.changed] == [
        (("a",), 1, 2)
    ]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("test1Test2TEST3", "test1_test2_test3"), ("URLPath", "url_path"), ("userIDs", "user_i_ds"),
        ("HTML5Video", "html5_video"),
        ("a-b", "a_b"), ("already_snake", "already_snake"), ("ÉcoleÉ", "écoleé"), ("", ""),
        ("with space.dot", "with space.dot"),
    ],
)  # fmt: skip
def test_column_names(name: str, column: str) -> None:
    assert names.snake_case(name) == column


@pytest.mark.parametrize(
    ("uri", "table"),
    [
        ("iglu:com.acme/PascalCase/jsonschema/13-0-0", "com_acme_pascal_case_13"),
        ("iglu:com.AcmeCorp/event-name/jsonschema/1-0-0", "com_acmecorp_event_name_1"),
    ],
)
def test_table_names(uri: str, table: str) -> None:
    assert names.table_name(SchemaKey.parse(uri)) == table


PROPERTIES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([STRING, obj(x=STRING), {"type": "array"}, {}]))


@given(st.lists(PROPERTIES, min_size=1, max_size=4))
def test_columns_of_earlier_versions_keep_their_places(versions: list[dict[str, Any]]) -> None:
    documents = [obj(**properties) for properties in versions]
    for count in range(1, len(documents)):
        before = columns(*documents[:count])
        assert columns(*documents[: count + 1])[: len(before)] == before
