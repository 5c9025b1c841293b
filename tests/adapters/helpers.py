"""Payloads for the adapters, and short views of what they make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from snowetl.adapters.registry import AdapterRegistry
from snowetl.adapters.remote import RemoteAdaptersConfig
from snowetl.model.badrow import BadRow, Message, Origin
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.schema import SchemaKey

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ORIGIN = Origin("snowetl", "1.0.0", 1_772_668_800_000)
UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"


class AllValid:
    """Stands for the schema registry where data is valid under every schema; notes what was checked."""

    def __init__(self, fault: Message | None = None) -> None:
        self.fault = fault
        self.checked: list[tuple[str, Any]] = []

    def checker(self, uri: str) -> _Checker:
        return _Checker(self, uri)

    def known(self, uri: str) -> None:
        return None


class _Checker:
    def __init__(self, schemas: AllValid, uri: str) -> None:
        self._schemas = schemas
        self._uri = uri

    @property
    def key(self) -> SchemaKey:
        return SchemaKey.parse(self._uri)

    def fits(self, data: Any, /) -> bool:
        return self.check(data) is None

    def check(self, data: Any) -> Message | None:
        self._schemas.checked.append((self._uri, data))
        return self._schemas.fault


def payload(
    path: str,
    body: str | None = None,
    content_type: str | None = None,
    query: Mapping[str, str | None] | list[tuple[str, str | None]] = (),
    **context: Any,
) -> CollectorPayload:
    vendor, version = path.rsplit("/", 1)
    pairs = list(query.items() if isinstance(query, Mapping) else query)
    defaults: dict[str, Any] = {
        "collector": "ssc-3.0.0-test",
        "encoding": "UTF-8",
        "hostname": "collector.example.com",
        "timestamp": 1_772_600_000_000,
        "ip_address": "198.18.0.9",
        "useragent": "Hookshot/2.1",
        "referer_uri": None,
        "headers": ["Accept: */*"],
        "network_userid": None,
    }
    return CollectorPayload(vendor, version, pairs, content_type, body, **(defaults | context))


def registry(
    iglu: Any = None,
    schemas: Mapping[str, Mapping[str, str]] | None = None,
    remote: RemoteAdaptersConfig | None = None,
) -> AdapterRegistry:
    return AdapterRegistry(iglu or AllValid(), ORIGIN, schemas=schemas, remote=remote)


_PLAIN = registry()


def adapt(given: CollectorPayload, using: AdapterRegistry = _PLAIN) -> list[RawEvent]:
    """The events, which there must be."""
    result = using.adapt(given)
    assert not isinstance(result, BadRow), result
    return result


def parameters(given: CollectorPayload, using: AdapterRegistry = _PLAIN) -> list[dict[str, str | None]]:
    return [event.parameters for event in adapt(given, using)]


def event(given: CollectorPayload, using: AdapterRegistry = _PLAIN) -> tuple[str, Any]:
    """Schema and data of the only event."""
    [only] = events(given, using)
    return only


def events(given: CollectorPayload, using: AdapterRegistry = _PLAIN) -> list[tuple[str, Any]]:
    found = []
    for made in parameters(given, using):
        envelope = json.loads(made["ue_pr"] or "")
        assert envelope["schema"] == UNSTRUCT
        assert made["e"] == "ue"
        found.append((envelope["data"]["schema"].removeprefix("iglu:"), envelope["data"]["data"]))
    return found


def entities(made: dict[str, str | None], name: str = "co") -> list[tuple[str, Any]]:
    envelope = json.loads(made[name] or "")
    return [(entity["schema"].removeprefix("iglu:"), entity["data"]) for entity in envelope["data"]]


def refusal(given: CollectorPayload, using: AdapterRegistry = _PLAIN) -> BadRow:
    result = using.adapt(given)
    assert isinstance(result, BadRow), result
    return result


def failures(given: CollectorPayload, using: AdapterRegistry = _PLAIN) -> list[Message]:
    messages: list[Message] = refusal(given, using).data["failure"]["messages"]
    return messages


def input_data(field: str, value: str | None, expectation: str) -> Message:
    return {"field": field, "value": value, "expectation": expectation}


def not_json(field: str, value: str | None, error: str) -> Message:
    return {"field": field, "value": value, "error": f"invalid json: {error}"}


NO_BODY = input_data("body", None, "empty body: no events to process")


def no_type(expected: str) -> Message:
    return input_data("contentType", None, f"no content type: expected {expected}")


def other_type(given: str | None, expected: str) -> Message:
    return input_data("contentType", given, f"expected {expected}")


def unknown_type(messages: list[Message]) -> list[tuple[str | None, str]]:
    """What SchemaMapping messages say: the type, and why there is no schema for it."""
    assert all(set(message) == {"actual", "expectedMapping", "expectation"} for message in messages)
    return [(message["actual"], message["expectation"]) for message in messages]
