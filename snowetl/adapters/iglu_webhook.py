"""Iglu webhook: any data under a schema that is named in the query string or in the body (enrich 3.9.0
``IgluAdapter``). The data is validated later, as any event is."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure
from snowetl.adapters.events import Wrapper, without_envelope
from snowetl.adapters.webhook import FORM, parse_json
from snowetl.jvm.querystring import QuerystringError, parse_form
from snowetl.jvm.scala_maps import as_map
from snowetl.model import badrow
from snowetl.model.payload import CollectorPayload, Parameters, RawEvent
from snowetl.model.schema import ParseError, SchemaKey, self_describing

_JSON_TYPES = ("application/json", "application/json; charset=utf-8")
_EXPECTED_JSON = f"expected one of {', '.join(_JSON_TYPES)}"
_EXPECTED_ANY = f"{_EXPECTED_JSON}, {FORM}"

_wrap = Wrapper("com.snowplowanalytics.iglu-v1", "app")
_wrap_form = Wrapper("com.snowplowanalytics.iglu-v1", "srv")


def adapt(payload: CollectorPayload) -> Outcome:
    query = payload.parameters()
    schema = query.get("schema")
    if payload.body is not None and payload.content_type is None:
        return input_failure("contentType", None, _EXPECTED_ANY)
    if schema is not None:
        return _under_schema(payload, query, schema)
    if payload.body is None:
        return Failures(
            (
                badrow.input_data("schema", None, "empty `schema` field"),
                badrow.input_data("body", None, "empty body"),
            )
        )
    if payload.content_type not in _JSON_TYPES:
        return input_failure("contentType", payload.content_type, _EXPECTED_JSON)
    return _self_describing_body(payload, query, payload.body)


def _self_describing_body(payload: CollectorPayload, query: Parameters, body: str) -> Outcome:
    value = parse_json("body", body)
    if isinstance(value, Failures):
        return value
    try:
        key, data = self_describing(value)
    except ParseError as error:
        return Failures((badrow.not_iglu(value, error.code),))
    return [RawEvent(payload, _wrap(query, key.uri, data))]


def _under_schema(payload: CollectorPayload, query: Parameters, schema: str) -> Outcome:
    try:
        SchemaKey.parse(schema)
    except ParseError as error:
        return input_failure("schema", schema, error.code)
    if payload.body is None:
        event = {name: value or None for name, value in without_envelope(query).items() if name != "schema"}
        return [RawEvent(payload, _wrap(query, schema, event))]
    if payload.content_type in _JSON_TYPES:
        return _json_body(payload, query, schema, payload.body)
    if payload.content_type == FORM:
        return _form_body(payload, query, schema, payload.body)
    return input_failure("contentType", payload.content_type, _EXPECTED_ANY)


def _json_body(payload: CollectorPayload, query: Parameters, schema: str, body: str) -> Outcome:
    value: Any = parse_json("body", body)
    if isinstance(value, Failures):
        return value
    if isinstance(value, list):
        if not value:
            return input_failure("body", body, "empty array of events")
        return [RawEvent(payload, _wrap(query, schema, event)) for event in value]
    if not isinstance(value, dict) or not value:
        return input_failure("body", body, "has no key-value pairs")
    return [RawEvent(payload, _wrap(query, schema, value))]


def _form_body(payload: CollectorPayload, query: Parameters, schema: str, body: str) -> Outcome:
    try:
        pairs = parse_form(body)
    except QuerystringError as error:
        return input_failure("body", body, str(error))
    return [RawEvent(payload, _wrap_form(query, schema, as_map(dict(pairs))))]


def build(setup: Setup) -> Adapt:
    return adapt


ADAPTER = Adapter(
    name="Iglu webhook",
    vendor="com.snowplowanalytics.iglu",
    version="v1",
    build=build,
    method="GET or POST",
    content_type=f"{', '.join(_JSON_TYPES)}, {FORM}",
    cleaned="The schema comes from parameter `schema`, or from a self-describing JSON body. "
    "In a GET empty values become null; a JSON array gives one event per element.",
)
