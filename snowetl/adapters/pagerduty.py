"""PagerDuty: a list of incident messages per JSON body (enrich 3.9.0 ``PagerdutyAdapter``)."""

from __future__ import annotations

import re
from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import Members, rewrite_objects
from snowetl.adapters.webhook import JSON, EventTypes, adapt_items, body_fault, parse_json
from snowetl.model.payload import CollectorPayload

_KINDS = ("trigger", "acknowledge", "unacknowledge", "resolve", "assign", "escalate", "delegate")
EVENTS = {f"incident.{kind}": "incident" for kind in _KINDS}
_DATES = frozenset(("created_on", "last_status_change_on"))
_BLANK_ZONE = re.compile(" 00:00$")

_wrap = Wrapper("com.pagerduty-v1")


def build(setup: Setup) -> Adapt:
    types = EventTypes(EVENTS, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        fault = body_fault(payload, JSON)
        if fault is not None:
            return fault
        items = items_of(payload.body or "")
        if isinstance(items, Failures):
            return items
        return adapt_items(payload, enumerate(items), types, "type", _wrap, cleaned)

    return adapt


def items_of(body: str) -> list[Any] | Failures:
    value = parse_json("body", body)
    if isinstance(value, Failures):
        return value
    items = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(items, list):
        return input_failure("messages", body, "field `messages` is not an array")
    return items


def cleaned(event: Any) -> Any:
    return rewrite_objects(event, _rewrite, None, lists=False)


def _rewrite(pairs: Members, enter: list[Any]) -> Members:
    result = []
    for key, value in pairs:
        if isinstance(value, str):
            value = _text(key, value)
        elif isinstance(value, dict):
            enter.append(value)
        result.append((key, value))
    return result


def _text(key: str, text: str) -> str | None:
    if text == "null":
        return None
    if key == "type":
        return text.replace("incident.", "")
    if key in _DATES:
        return _BLANK_ZONE.sub("+00:00", text)
    return text


ADAPTER = Adapter(
    name="PagerDuty",
    vendor="com.pagerduty",
    version="v1",
    build=build,
    group="pagerduty",
    schemas=schema_uris("com.pagerduty", "1-0-0", "incident"),
    events=EVENTS,
    cleaned="Texts `null` become null, `type` loses `incident.`, "
    "the zone of `created_on` and `last_status_change_on` gets its `+`.",
)
