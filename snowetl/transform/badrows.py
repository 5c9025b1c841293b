"""Bad rows of the transformer (RDB Loader 5.6.3, snowplow-badrows 2.2.0)."""

from __future__ import annotations

from typing import Any

from snowetl.jvm import jsontext
from snowetl.model.badrow import BadRow, Message, Origin
from snowetl.model.schema import SchemaKey
from snowetl.transform.event import Event
from snowetl.transform.eventjson import payload

_PREFIX = "iglu:com.snowplowanalytics.snowplow.badrows"
META_SCHEMA = "iglu:com.snowplowanalyics.self-desc/schema/jsonschema/1-0-0"
"""Key under which an unusable schema is reported; the vendor is misspelt in the original and so in people's data."""


def parsing_error(origin: Origin, failure: Message, line: str) -> BadRow:
    """A line that is not an enriched event."""
    return _bad_row("loader_parsing_error/jsonschema/2-0-0", origin, failure, line)


def iglu_error(origin: Origin, failures: list[Message], event: Event) -> BadRow:
    """An event with a schema that cannot be found, or with data that its columns cannot hold."""
    return _bad_row("loader_iglu_error/jsonschema/2-0-0", origin, failures, payload(event))


def invalid_event(origin: Origin, errors: list[str], event: Event) -> BadRow:
    """An event that does not pass the validations of the configuration."""
    failure = {"timestamp": origin.instant, "errors": errors}
    return _bad_row("generic_error/jsonschema/1-0-0", origin, failure, jsontext.dumps(payload(event)))


def _bad_row(schema: str, origin: Origin, failure: Any, content: Any) -> BadRow:
    return BadRow(f"{_PREFIX}/{schema}", {"processor": origin.processor, "failure": failure, "payload": content})


# --- failures of loader_iglu_error --------------------------------------------------------------------------------


def schema_not_found(key: SchemaKey, error: Message) -> Message:
    return {"schemaKey": key.uri, "error": error}


def list_not_found(vendor: str, name: str, model: int, error: Message) -> Message:
    return {"schemaCriterion": f"iglu:{vendor}/{name}/jsonschema/{model}-*-*", "error": error}


def unusable_schema(uri: str, message: str) -> Message:
    return {"schemaKey": uri, "message": message}


def wrong_type(uri: str, value: Any, expected: str) -> Message:
    return {"schemaKey": uri, "value": value, "expected": expected}


def missing_in_value(uri: str, key: str, value: Any) -> Message:
    return {"schemaKey": uri, "key": key, "value": value}
