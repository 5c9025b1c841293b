"""Is a schema one at all? The draft-4 meta-schema as the reference has it, and its check of ``$schema``."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

from snowetl.iglu.validation.codegen import predicate
from snowetl.iglu.validation.keywords import VOCABULARY
from snowetl.iglu.validation.schema import Document, State

_KNOWN = (
    "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
    "https://json-schema.org/draft-04/schema",
)
_NOT_IN_URI = frozenset(' "<>\\^`{|}')

Issue = dict[str, str]


def _meta_schema() -> dict[str, Any]:
    """Draft 4 without ``exclusiveMinimum``, which the reference left out, and with zero for a divisor."""
    itself = {"$ref": "#"}
    text, number, flag = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
    size, size_or_none = {"$ref": "#/definitions/positiveInteger"}, {"$ref": "#/definitions/positiveIntegerDefault0"}
    schemas, names = {"$ref": "#/definitions/schemaArray"}, {"$ref": "#/definitions/stringArray"}
    simple = {"$ref": "#/definitions/simpleTypes"}
    by_name = {"type": "object", "additionalProperties": itself}
    flag_or_schema = {"anyOf": [flag, itself]}
    distinct: dict[str, Any] = {"minItems": 1, "uniqueItems": True}
    return {
        "id": "http://json-schema.org/draft-04/schema#",
        "definitions": {
            "schemaArray": {"type": "array", "minItems": 1, "items": itself},
            "positiveInteger": {"type": "integer", "minimum": 0},
            "positiveIntegerDefault0": {"allOf": [size, {}]},
            "simpleTypes": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]},
            "stringArray": {"type": "array", "items": text, **distinct},
        },
        "type": "object",
        "properties": {
            "id": text,
            "$schema": text,
            "title": text,
            "description": text,
            "default": {},
            "multipleOf": {"type": "number", "minimum": 0},
            "maximum": number,
            "exclusiveMaximum": flag,
            "minimum": number,
            "maxLength": size,
            "minLength": size_or_none,
            "pattern": text,
            "additionalItems": flag_or_schema,
            "items": {"anyOf": [itself, schemas]},
            "maxItems": size,
            "minItems": size_or_none,
            "uniqueItems": flag,
            "maxProperties": size,
            "minProperties": size_or_none,
            "required": names,
            "additionalProperties": flag_or_schema,
            "definitions": by_name,
            "properties": by_name,
            "patternProperties": by_name,
            "dependencies": {"type": "object", "additionalProperties": {"anyOf": [itself, names]}},
            "enum": {"type": "array", **distinct},
            "type": {"anyOf": [simple, {"type": "array", "items": simple, **distinct}]},
            "format": text,
            "allOf": schemas,
            "anyOf": schemas,
            "oneOf": schemas,
            "not": itself,
        },
        "dependencies": {"exclusiveMaximum": ["maximum"]},
    }


@cache
def _meta() -> tuple[Document, Any]:
    document = Document(_meta_schema(), VOCABULARY)
    return document, predicate(document)


def issues(schema: Any) -> list[Issue]:
    """What keeps ``schema`` from being used, in the reference's words; empty if nothing does."""
    document, fits = _meta()
    if not fits(schema):
        reports = document.root.reports(schema, "$", State())
        found = [{"path": report.path, "message": report.message} for report in reports]
        if found:
            return found
    complaint = _dialect_fault(schema["$schema"]) if "$schema" in schema else None
    return [issue(complaint)] if complaint else []


def issue(message: str) -> Issue:
    """A fault of the schema as a whole."""
    return {"path": "$", "message": message}


def _dialect_fault(uri: str) -> str | None:
    """The URI counts without its query and fragment, but with a final ``#``."""
    if not _is_hierarchical(uri):
        return f"Wrong MetaSchema URI: {uri}"
    parts = urlsplit(uri)
    scheme = uri[: len(parts.scheme)] + ":" if parts.scheme else ""
    authority = f"//{parts.netloc}" if parts.netloc else ""
    normal = scheme + authority + parts.path + ("#" if uri.endswith("#") else "")
    return None if normal in _KNOWN else f"Unknown MetaSchema: {normal}"


def _is_hierarchical(uri: str) -> bool:
    if any(char in _NOT_IN_URI or not char.isprintable() for char in uri):
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return not parts.scheme or uri[len(parts.scheme) + 1 :].startswith("/")
