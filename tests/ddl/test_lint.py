"""What is wrong with schemas, alone and as a table."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.ddl.lint import ERROR, INFO, WARNING, Issue, lint
from snowetl.ddl.lint_model import lint_model
from snowetl.ddl.schema import Schema, parse
from snowetl.model.schema import SchemaKey, SchemaVer

META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
NAME = {"type": ["string", "null"], "maxLength": 10, "description": "A name"}


def read(**document: Any) -> Schema:
    whole = {"$schema": META, "description": "x", "type": "object", "properties": {"name": NAME}} | document
    schema = parse(whole)
    assert schema is not None
    return schema


def found(issues: list[Issue]) -> set[tuple[str, str, str]]:
    return {issue[:3] for issue in issues}


def test_nothing_is_wrong() -> None:
    assert lint(read(required=["name"], additionalProperties=False)) == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"type": "string"}, (WARNING, "rootObject", "")),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, (ERROR, "schemaUri", "")),
        ({"properties": {"a": {"type": "integer", "minimum": 5, "maximum": 4}}},
         (ERROR, "numericMinimumMaximum", "/properties/a")),
        ({"properties": {"a": {"type": "string", "minLength": 5, "maxLength": 4}}},
         (ERROR, "stringMinMaxLength", "/properties/a")),
        ({"properties": {"a": {"type": "array", "minItems": 5, "maxItems": 4}}},
         (ERROR, "arrayMinMaxItems", "/properties/a")),
        ({"properties": {"a": {"type": "string", "maximum": 4}}}, (ERROR, "numericProperties", "/properties/a")),
        ({"properties": {"a": {"type": "integer", "maxLength": 4}}}, (ERROR, "stringProperties", "/properties/a")),
        ({"properties": {"a": {"type": "string", "maxItems": 4}}}, (ERROR, "arrayProperties", "/properties/a")),
        ({"properties": {"a": {"type": "string", "required": ["x"]}}}, (ERROR, "objectProperties", "/properties/a")),
        ({"required": ["nme"], "additionalProperties": False}, (ERROR, "requiredPropertiesExist", "")),
        ({"properties": {"a": {"type": "string", "maxLength": 70000}}},
         (WARNING, "stringMaxLengthRange", "/properties/a")),
        ({"properties": {"a": {"type": "string", "format": "colour"}}}, (WARNING, "unknownFormats", "/properties/a")),
        ({"properties": {"a": {"type": "number"}}}, (WARNING, "numericMinMax", "/properties/a")),
        ({"properties": {"a": {"type": "string"}}}, (WARNING, "stringLength", "/properties/a")),
        ({"properties": {"a": {"type": "boolean"}}, "required": []}, (INFO, "optionalNull", "")),
        ({"description": None}, (INFO, "description", "")),
        ({"properties": {"a/~": {"type": "array", "items": {"type": "number"}}}},
         (WARNING, "numericMinMax", "/properties/a~1~0/items")),
        ({"properties": {"a": {"type": "array", "items": [{}, {"type": "string"}]}}},
         (WARNING, "stringLength", "/properties/a/items/1")),
        ({"patternProperties": {"^x": {"type": "string"}}}, (WARNING, "stringLength", "/patternProperties/^x")),
        ({"additionalProperties": {"type": "string"}}, (WARNING, "stringLength", "/additionalProperties")),
    ],
)  # fmt: skip
def test_each_rule(document: dict[str, Any], expected: tuple[str, str, str]) -> None:
    whole = {key: value for key, value in document.items() if value is not None}
    schema = read(**whole)
    if document.get("description", "") is None:
        schema = parse({"$schema": META, "type": "object", "properties": {"name": NAME}}) or schema
    assert expected in found(lint(schema))


def test_an_issue_reads_as_a_line() -> None:
    issue = Issue(ERROR, "nameLength", "/properties/a", "too long")
    assert str(issue) == "error: too long (nameLength, at /properties/a)"
    assert "at /" in str(Issue(ERROR, "x", "", "y"))


# --- a model --------------------------------------------------------------------------------------------------------


def versions(*schemas: dict[str, Any], first: str = "1-0-0", name: str = "event") -> list[tuple[SchemaKey, Schema]]:
    start = SchemaVer.parse(first)
    keys = [
        SchemaKey("com.acme", name, "jsonschema", SchemaVer(start.model, start.revision, start.addition + number))
        for number in range(len(schemas))
    ]
    return [(key, read(**schema)) for key, schema in zip(keys, schemas, strict=True)]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (versions({}, first="1-0-1"), (ERROR, "firstVersion", "")),
        (versions({"properties": {"aB": NAME, "a_b": NAME}}), (WARNING, "sameColumn", "/properties/a_b")),
        (versions({"properties": {"root_id": NAME}}), (WARNING, "sameColumn", "/properties/root_id")),
        (versions({"properties": {"x" * 128: NAME}}), (WARNING, "nameLength", f"/properties/{'x' * 128}")),
        (versions({}, name="e" * 127), (WARNING, "nameLength", "")),
        (versions({"properties": {"a": {"type": "string", "maxLength": 0}}}),
         (WARNING, "columnLength", "/properties/a")),
        (versions({"properties": {f"p{number}": NAME for number in range(1600)}}), (ERROR, "columnCount", "")),
        (versions({"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"type": "boolean"}}}),
         (ERROR, "typeChange", "/properties/a")),
        (versions({"properties": {"name": {"type": "string"}}, "required": ["name"]}, {}),
         (ERROR, "madeOptional", "/properties/name")),
        (versions({"properties": {}}, {"properties": {"a": {"type": "boolean"}}, "required": ["a"]}),
         (WARNING, "lateRequired", "/properties/a")),
    ],
)  # fmt: skip
def test_each_rule_of_models(model: list[tuple[SchemaKey, Schema]], expected: tuple[str, str, str]) -> None:
    assert expected in found(lint_model(model))


def test_gaps_and_good_models() -> None:
    model = versions({}, {}, {})
    assert lint_model(model) == []
    assert found(lint_model([model[0], model[2]])) == {(WARNING, "versionGap", "")}


def test_a_text_may_grow() -> None:
    longer = NAME | {"maxLength": 30}
    assert lint_model(versions({}, {"properties": {"name": longer}})) == []


def test_postgres_migrates_types_and_cuts_names_sooner() -> None:
    changed = versions({"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"type": "boolean"}}})
    assert lint_model(changed, "postgres") == []
    long = versions({"properties": {"x" * 64: NAME}})
    assert found(lint_model(long, "postgres")) == {(WARNING, "nameLength", f"/properties/{'x' * 64}")}
    wide = versions({"properties": {f"p{number}": NAME for number in range(1600)}})
    assert found(lint_model(wide, "postgres")) == {(WARNING, "columnCount", "")}
    assert lint_model(long) == []
