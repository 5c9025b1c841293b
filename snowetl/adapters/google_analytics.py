"""Google Analytics Measurement Protocol: one hit per line of the body (enrich 3.9.0 ``GoogleAnalyticsAdapter``).

A hit becomes an event, entities from plain parameters, and entities from parameters with numbers in their names
(:mod:`snowetl.adapters.google_analytics_composite`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import UNSTRUCT_OPEN, contexts_text, self_describing_text
from snowetl.adapters.google_analytics_composite import composite_entities
from snowetl.adapters.google_analytics_fields import (
    COMPOSITE,
    DIRECT,
    DIRECT_OF_TRANSACTION,
    ENTITIES,
    HIT_TYPES,
    OTHER_VENDOR,
    Fields,
)
from snowetl.adapters.google_analytics_values import Refused, Sent, convert
from snowetl.adapters.schemas import schema_key_hash
from snowetl.adapters.webhook import MAX_MESSAGES, EventTypes
from snowetl.jvm.querystring import QuerystringError, parse_form
from snowetl.jvm.scala_maps import as_map, ordered_by_hash
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.payload import CollectorPayload, Parameters, RawEvent

TRACKER = "com.google.analytics.measurement-protocol-v1"

_LINE_END = re.compile("\r?\n|\f")
_ENTITY_OF = {parameter: schema for schema, fields in ENTITIES.items() for parameter in fields}
_EVENTS = {hit_type: schema for hit_type, (schema, _) in HIT_TYPES.items()}


def build(setup: Setup) -> Adapt:
    types = EventTypes(_EVENTS, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        if not payload.body:
            return input_failure("body", None, "empty body")
        events: list[RawEvent] = []
        failures = Failures()
        for line in lines_of(payload.body):
            parameters = _hit(line, types, setup.schemas)
            if isinstance(parameters, Failures):
                failures.extend(parameters)
                if len(failures) >= MAX_MESSAGES:
                    break
            else:
                events.append(RawEvent(payload, parameters))
        return failures or events

    return adapt


def lines_of(body: str) -> list[str]:
    """Lines end with LF, CR LF or form feed; what ends the last one adds no line."""
    lines = _LINE_END.split(body)
    if not lines[-1]:
        lines.pop()
    return lines


def _hit(line: str, types: EventTypes, schemas: Mapping[str, str]) -> Parameters | Failures:
    """The event parameters of one hit."""
    try:
        parameters = as_map(dict(parse_form(line)))
    except QuerystringError as error:
        return input_failure("body", line, str(error))
    hit_type = parameters.get("t")
    if hit_type is None:
        return input_failure("body", line, "no t parameter provided: cannot determine hit type")
    sent: Sent = {name: value for name, value in parameters.items() if value is not None}
    failures = Failures()
    schema = types.schema(hit_type)
    if not isinstance(schema, str):
        failures += [badrow.input_data("t", hit_type, "no matching hit type"), schema]
    entities = _plain_entities(sent, schemas, failures)
    composite = composite_entities(sent, schemas)
    if isinstance(composite, dict):
        failures.append(composite)
    if failures or isinstance(composite, dict) or not isinstance(schema, str):
        return failures
    event = _event(sent, HIT_TYPES[hit_type][1])
    if isinstance(event, Failures):
        return event
    if hit_type == "pageview":
        entities.pop("page_view", None)
    return _parameters(hit_type, parameters, schema, event, entities, composite, schemas)


def _parameters(
    hit_type: str,
    parameters: Parameters,
    schema: str,
    event: dict[str, Any],
    entities: dict[str, dict[str, Any]],
    composite: list[tuple[str, dict[str, Any]]],
    schemas: Mapping[str, str],
) -> Parameters:
    texts = [self_describing_text(schemas[key], data) for key, data in [*entities.items(), *composite]]
    result: Parameters = {"co": contexts_text(texts)} if texts else {}
    direct = DIRECT_OF_TRANSACTION if hit_type == "transaction" else DIRECT
    result |= {direct[name]: value for name, value in parameters.items() if name in direct}
    result |= {
        "e": "ue",
        "ue_pr": f"{UNSTRUCT_OPEN}{self_describing_text(schema, event)}}}",
        "tv": TRACKER,
        "p": "srv",
    }
    return result


def _plain_entities(sent: Sent, schemas: Mapping[str, str], failures: Failures) -> dict[str, dict[str, Any]]:
    """Entities by schema key, in the reference's order; adds every failure to ``failures``."""
    found: dict[str, dict[str, Any]] = {}
    for parameter, text in sent.items():
        schema = _ENTITY_OF.get(parameter)
        if schema is not None:
            field = ENTITIES[schema][parameter]
            try:
                value = convert(field, text)
            except Refused as refusal:
                value = refusal
            found.setdefault(schema, {})[field.name] = value
    order = ordered_by_hash(found, lambda key: schema_key_hash(schemas[key]))
    entities = {schema: as_map(found[schema]) for schema in order}
    failures += [
        value.message for members in entities.values() for value in members.values() if isinstance(value, Refused)
    ]
    return entities


def _event(sent: Sent, fields: Fields) -> dict[str, Any] | Failures:
    """The event's data, or the first failure."""
    faults: dict[str, Message] = {}
    event: dict[str, Any] = {}
    for parameter, text in sent.items():
        field = fields.get(parameter)
        if field is not None:
            try:
                event[field.name] = convert(field, text)
            except Refused as refusal:
                event[field.name] = None
                faults[field.name] = refusal.message
    event = as_map(event)
    if faults:
        return Failures((next(faults[name] for name in event if name in faults),))
    return event


_SCHEMAS = (*_EVENTS.values(), *ENTITIES, *COMPOSITE)

ADAPTER = Adapter(
    name="Google Analytics",
    vendor="com.google.analytics",
    version="v1",
    build=build,
    content_type="any",
    group="googleAnalytics",
    schemas={
        **schema_uris(
            "com.google.analytics.measurement-protocol",
            "1-0-0",
            *(key for key in _SCHEMAS if key not in OTHER_VENDOR),
        ),
        **schema_uris("com.google.analytics", "1-0-0", *OTHER_VENDOR),
    },
    events=_EVENTS,
    cleaned="One hit per line; parameters become typed fields of the event, tracker parameters and entities. "
    "The query string is ignored.",
)
