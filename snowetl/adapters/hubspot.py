"""HubSpot: a JSON array of CRM changes (enrich 3.9.0 ``HubSpotAdapter``)."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import long_of
from snowetl.adapters.webhook import JSON, EventTypes, adapt_items, body_fault, parse_json
from snowetl.jvm import timestamps
from snowetl.model.payload import CollectorPayload

_OBJECTS = ("contact", "company", "deal")
_CHANGES = {"creation": "creation", "deletion": "deletion", "propertyChange": "change"}
EVENTS = {f"{kind}.{change}": f"{kind}_{key}" for kind in _OBJECTS for change, key in _CHANGES.items()}

_wrap = Wrapper("com.hubspot-v1")


def build(setup: Setup) -> Adapt:
    types = EventTypes(EVENTS, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        if payload.body is None:
            return input_failure("body", None, "empty body: not events to process")
        fault = body_fault(payload, JSON)
        if fault is not None:
            return fault
        items = items_of(payload.body)
        if isinstance(items, Failures):
            return items
        return adapt_items(payload, enumerate(items), types, "subscriptionType", _wrap, cleaned)

    return adapt


def items_of(body: str) -> list[Any] | Failures:
    items = parse_json("body", body)
    return items if isinstance(items, list) else input_failure("body", body, "not a json array")


def cleaned(event: dict[str, Any]) -> dict[str, Any]:
    """Without the type; epoch milliseconds in ``occurredAt`` as a date."""
    del event["subscriptionType"]
    millis = long_of(event.get("occurredAt"))
    if millis is not None:
        event["occurredAt"] = timestamps.to_iso(millis)
    return event


ADAPTER = Adapter(
    name="HubSpot",
    vendor="com.hubspot",
    version="v1",
    build=build,
    group="hubspot",
    schemas=schema_uris("com.hubspot", "1-0-0", *EVENTS.values()),
    events=EVENTS,
    cleaned="`subscriptionType` is dropped, `occurredAt` (epoch milliseconds) becomes a date.",
)
