"""Vero: one e-mail or user event per JSON body (enrich 3.9.0 ``VeroAdapter``)."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import Members, clean_event, rewrite_objects
from snowetl.adapters.webhook import NO_BODY, EventTypes, parse_json, required_text
from snowetl.jvm.scala_maps import as_map
from snowetl.model.payload import CollectorPayload, RawEvent

EVENTS = {
    "bounced": "bounced",
    "clicked": "clicked",
    "delivered": "delivered",
    "opened": "opened",
    "sent": "sent",
    "unsubscribed": "unsubscribed",
    "user_created": "created",
    "user_updated": "updated",
}

_wrap = Wrapper("com.getvero-v1")


def build(setup: Setup) -> Adapt:
    types = EventTypes(EVENTS, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        if payload.body is None:
            return input_failure("body", None, NO_BODY)
        value = parse_json("body", payload.body)
        if isinstance(value, Failures):
            return value
        failures = Failures()
        event_type = required_text(value, "type", failures)
        if failures:
            return failures
        schema = types.schema(event_type)
        if not isinstance(schema, str):
            return Failures((schema,))
        event = clean_event(value, "type", event_type, (f"{event_type}_at", "triggered_at"))
        event = rewrite_objects(event, _rename_tags, frozenset(("_tags",)), lists=False)
        return [RawEvent(payload, _wrap(payload.parameters(), schema, event))]

    return adapt


def _rename_tags(pairs: Members, enter: list[Any]) -> Members:
    renamed = {}
    for key, value in pairs:
        if key == "_tags":
            key = "tags"
        elif isinstance(value, dict):
            enter.append(value)
        renamed[key] = value
    return list(as_map(renamed).items())


ADAPTER = Adapter(
    name="Vero",
    vendor="com.getvero",
    version="v1",
    build=build,
    content_type="any",
    group="vero",
    schemas=schema_uris("com.getvero", "1-0-0", *EVENTS.values()),
    events=EVENTS,
    cleaned="`<type>_at` and `triggered_at` (epoch seconds) become dates, `_tags` becomes `tags`, `type` is dropped.",
)
