"""Bad rows: every failure of the pipeline as one self-describing JSON (snowplow-badrows 2.1.2).

A failure message is a plain ``dict`` in the key order of the bad row; the small builders below name its kinds.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, NamedTuple

from snowetl.jvm import jsontext, timestamps
from snowetl.jvm.json_number import JsonNumber
from snowetl.jvm.map_order import map_order
from snowetl.model.event import EMPTY, EnrichedEvent
from snowetl.model.fields import FIELDS
from snowetl.model.payload import CollectorPayload, RawEvent

_VENDOR = "com.snowplowanalytics.snowplow.badrows"

Message = dict[str, Any]


class Origin(NamedTuple):
    """Who reports a failure, and when: the processor's name and version, and the run's time in epoch milliseconds.

    The time is the run's, not the clock's, so that the same input gives the same bad rows byte for byte.
    """

    artifact: str
    version: str
    timestamp: int

    @property
    def processor(self) -> dict[str, str]:
        return {"artifact": self.artifact, "version": self.version}

    @property
    def instant(self) -> str:
        return timestamps.to_instant(self.timestamp)


class BadRow:
    """One failure, self-describing. ``data`` is the parsed JSON under ``schema_key``."""

    __slots__ = ("data", "schema_key")

    def __init__(self, schema_key: str, data: dict[str, Any]) -> None:
        self.schema_key = schema_key
        self.data = data

    @property
    def type(self) -> str:
        """Name of the bad row's schema, such as ``schema_violations``."""
        return self.schema_key.split("/", 2)[1]

    def to_dict(self) -> dict[str, Any]:
        return {"schema": self.schema_key, "data": self.data}

    def to_json(self) -> str:
        """The row as one line of compact JSON, without line end."""
        return jsontext.dumps(self.to_dict())

    def __repr__(self) -> str:
        return f"BadRow({self.to_json()})"


# --- failure messages ---------------------------------------------------------------------------------------------


def input_data(field: str, value: str | None, expectation: str) -> Message:
    """InputData: a value that is not what it should be."""
    return {"field": field, "value": value, "expectation": expectation}


def not_json(field: str, value: str | None, error: str) -> Message:
    """NotJson: ``error`` is the parser's text with its ``invalid json: `` prefix."""
    return {"field": field, "value": value, "error": error}


def not_iglu(json: Any, code: str) -> Message:
    """NotIglu: JSON that is not self-describing."""
    return {"json": json, "error": code}


def schema_mapping(actual: str | None, expected_mapping: dict[str, str], expectation: str) -> Message:
    """SchemaMapping: an event type no schema belongs to."""
    return {"actual": actual, "expectedMapping": expected_mapping, "expectation": expectation}


def iglu_error(schema_key: str, error: Message) -> Message:
    """IgluError: ``error`` is the Iglu client's error object (a ResolutionError or ValidationError)."""
    return {"schemaKey": schema_key, "error": error}


def criterion_mismatch(schema_key: str, criterion: str) -> Message:
    """CriterionMismatch: a schema that is valid but not the one expected here."""
    return {"schemaKey": schema_key, "schemaCriterion": criterion}


def payload_field(field: str, value: str | None, expectation: str) -> Message:
    """A wrong field of a collector record."""
    return {"payloadField": field, "value": value, "expectation": expectation}


def simple_error(text: str) -> Message:
    return {"error": text}


def enrichment_message(message: Message, schema_key: str | None = None, identifier: str = "") -> Message:
    """An element of enrichment failures; without ``schema_key`` it comes from a built-in step."""
    enrichment = None if schema_key is None else {"schemaKey": schema_key, "identifier": identifier}
    return {"enrichment": enrichment, "message": message}


# --- bad rows -----------------------------------------------------------------------------------------------------


def format_violation(origin: Origin, loader: str, message: Message, record: str | bytes) -> BadRow:
    """A record no loader can read. Bytes are shown as standard base64, text as it is."""
    payload = base64.b64encode(record).decode("ascii") if isinstance(record, bytes) else record
    failure = {"timestamp": origin.instant, "loader": loader, "message": message}
    return _bad_row("collector_payload_format_violation/jsonschema/1-0-0", origin, failure, payload)


def adapter_failure(origin: Origin, payload: CollectorPayload, messages: list[Message]) -> BadRow:
    """``tracker_protocol_violations`` for tp2 paths of the tracker protocol, ``adapter_failures`` for all others."""
    failure = {
        "timestamp": origin.instant,
        "vendor": payload.vendor,
        "version": payload.version,
        "messages": messages,
    }
    tracker = payload.version == "tp2" and payload.vendor in ("com.snowplowanalytics.snowplow", "r")
    schema = "tracker_protocol_violations/jsonschema/1-0-1" if tracker else "adapter_failures/jsonschema/1-0-0"
    return _bad_row(schema, origin, failure, collector_payload_json(payload))


def schema_violations(origin: Origin, event: EnrichedEvent, raw: RawEvent, messages: list[Message]) -> BadRow:
    failure = {"timestamp": origin.instant, "messages": messages}
    payload = {"enriched": enriched_json(event), "raw": raw_event_json(raw)}
    return _bad_row("schema_violations/jsonschema/2-0-1", origin, failure, payload)


def enrichment_failures(origin: Origin, event: EnrichedEvent, raw: RawEvent, messages: list[Message]) -> BadRow:
    failure = {"timestamp": origin.instant, "messages": messages}
    payload = {"enriched": enriched_json(event), "raw": raw_event_json(raw)}
    return _bad_row("enrichment_failures/jsonschema/2-0-1", origin, failure, payload)


def size_violation(origin: Origin, maximum: int, actual: int, expectation: str, payload: str) -> BadRow:
    failure = {
        "timestamp": origin.instant,
        "maximumAllowedSizeBytes": maximum,
        "actualSizeBytes": actual,
        "expectation": expectation,
    }
    return _bad_row("size_violation/jsonschema/1-0-0", origin, failure, payload)


def generic_error(origin: Origin, errors: Iterable[str], record: str | bytes) -> BadRow:
    """An exception nobody foresaw, with the record it happened on (text as UTF-8), in base64."""
    raw = record if isinstance(record, bytes) else record.encode("utf-8", "replace")
    failure = {"timestamp": origin.instant, "errors": list(errors)}
    return _bad_row("generic_error/jsonschema/1-0-0", origin, failure, base64.b64encode(raw).decode("ascii"))


def recovery_error(origin: Origin, error: str, bad_row: Any, recoveries: int) -> BadRow:
    """A bad row that could not be mended: the row itself, and how often that was tried."""
    row = _bad_row("recovery_error/jsonschema/1-0-1", origin, {"error": error, "configName": None}, bad_row)
    row.data["recoveries"] = recoveries
    return row


def _bad_row(schema: str, origin: Origin, failure: Any, payload: Any) -> BadRow:
    data = {"processor": origin.processor, "failure": failure, "payload": payload}
    return BadRow(f"iglu:{_VENDOR}/{schema}", data)


# --- payloads -----------------------------------------------------------------------------------------------------


def _name_values(pairs: Iterable[tuple[str, str | None]]) -> list[dict[str, str | None]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _timestamp(millis: int | None) -> str | None:
    return None if millis is None else timestamps.to_iso(millis)


def collector_payload_json(payload: CollectorPayload) -> dict[str, Any]:
    """The collector payload in the key order of bad rows."""
    return {
        "vendor": payload.vendor,
        "version": payload.version,
        "querystring": _name_values(payload.querystring),
        "contentType": payload.content_type,
        "body": payload.body,
        "collector": payload.collector,
        "encoding": payload.encoding,
        "hostname": payload.hostname,
        "timestamp": _timestamp(payload.timestamp),
        "ipAddress": payload.ip_address,
        "useragent": payload.useragent,
        "refererUri": payload.referer_uri,
        "headers": list(payload.headers),
        "networkUserId": payload.network_userid,
    }


def raw_event_json(raw: RawEvent) -> dict[str, Any]:
    """The raw event in the key order of bad rows; parameters in the reference's map order."""
    payload = raw.payload
    return {
        "vendor": payload.vendor,
        "version": payload.version,
        "parameters": _name_values((name, raw.parameters[name]) for name in map_order(raw.parameters)),
        "contentType": payload.content_type,
        "loaderName": payload.collector,
        "encoding": payload.encoding,
        "hostname": payload.hostname,
        "timestamp": _timestamp(payload.timestamp),
        "ipAddress": payload.ip_address,
        "useragent": payload.useragent,
        "refererUri": payload.referer_uri,
        "headers": list(payload.headers),
        "userId": payload.network_userid,
    }


def enriched_json(event: EnrichedEvent) -> dict[str, Any]:
    """All 131 columns, typed as bad rows type them, as they stand at the moment of failure."""
    return {field.name: _typed(field.type, value) for field, value in zip(FIELDS, event.texts, strict=True)}


def _typed(type_: str, value: str) -> Any:
    if not value:
        return "" if value is EMPTY else None
    if type_ in ("int", "bool"):
        return int(value)
    if type_ == "float":
        return JsonNumber(value)
    return value
