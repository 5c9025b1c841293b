"""Which schemas are ones."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.iglu.validation import Validator, compile_schema

_IGLU = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"


def _issues(schema: Any) -> list[str]:
    compiled = compile_schema(schema)
    return [] if isinstance(compiled, Validator) else [issue["message"] for issue in compiled]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": _IGLU, "self": {"vendor": "v"}},
        {"$schema": "https://json-schema.org/draft-04/schema"},
        {"$schema": "https://json-schema.org/draft-04/schema#fragment"},
        {"$schema": "https://json-schema.org/draft-04/schema?query"},
        {"exclusiveMinimum": 5},
        {"multipleOf": 0},
        {"default": None, "unknown": [{"type": 5}]},
        {"id": "http://example.com/x"},
        {"id": "#word"},
    ],
)
def test_schemas(schema: Any) -> None:
    assert _issues(schema) == []


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ([], ["$: array found, object expected"]),
        ({"type": "x"}, [
            "$.type: does not have a value in the enumeration [array, boolean, integer, null, number, object, string]",
            "$.type: should be valid to any of the schemas array",
        ]),
        ({"minLength": -1}, ["$.minLength: must have a minimum value of 0"]),
        ({"maxItems": 1.0}, ["$.maxItems: number found, integer expected"]),
        ({"properties": {"a": {"required": []}}}, [
            "$.properties.a.required: there must be a minimum of 1 items in the array"
        ]),
        ({"allOf": [{}, 1]}, ["$.allOf[1]: integer found, object expected"]),
        ({"exclusiveMaximum": True}, ["$: has an error with dependencies {exclusiveMaximum=[maximum]}"]),
        ({"id": "foo"}, ["foo: null is an invalid segment for URI {2}"]),
        ({"id": "urn:a:b"}, ["urn:a:b: null is an invalid segment for URI {2}"]),
        ({"$schema": "http://json-schema.org/draft-04/schema#"},
         ["Unknown MetaSchema: http://json-schema.org/draft-04/schema#"]),
        ({"$schema": _IGLU[:-1]}, [f"Unknown MetaSchema: {_IGLU[:-1]}"]),
        ({"$schema": "http://a/b?q#f"}, ["Unknown MetaSchema: http://a/b"]),
        ({"$schema": "iglu:com.acme/x"}, ["Wrong MetaSchema URI: iglu:com.acme/x"]),
        ({"$schema": "a b"}, ["Wrong MetaSchema URI: a b"]),
        ({"$schema": "relative"}, ["Unknown MetaSchema: relative"]),
        ({"$schema": ""}, ["Unknown MetaSchema: "]),
    ],
)  # fmt: skip
def test_what_is_no_schema(schema: Any, expected: list[str]) -> None:
    assert _issues(schema) == expected
