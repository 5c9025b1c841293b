"""Olark: one chat transcript or offline message per form body (enrich 3.9.0 ``OlarkAdapter``)."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import camelize
from snowetl.adapters.webhook import FORM, body_fault, form_of, parse_json
from snowetl.jvm import timestamps
from snowetl.jvm.integers import parse_long
from snowetl.model.payload import CollectorPayload, RawEvent

_FRACTION = 3

_wrap = Wrapper("com.olark-v1")


def build(setup: Setup) -> Adapt:
    def adapt(payload: CollectorPayload) -> Outcome:
        fault = body_fault(payload, FORM, blank_is_empty=True)
        if fault is not None:
            fault[0]["value"] = None
            return fault
        body = payload.body or ""
        fields = form_of(body, failed_field=body)
        if isinstance(fields, Failures):
            return fields
        text = fields.get("data")
        if not text:
            return input_failure("data", None, "missing 'data' field")
        event = parse_json("data", text)
        if isinstance(event, Failures):
            return event
        transcript = isinstance(event, dict) and "operators" in event
        schema = setup.schemas["transcript" if transcript else "offline_message"]
        failures = date_items(event)
        if failures:
            return failures
        return [RawEvent(payload, _wrap(payload.parameters(), schema, camelize(event)))]

    return adapt


def date_items(event: Any) -> Failures | None:
    """Rewrite the ``timestamp`` of every item of the chat, in place; the first that is not a timestamp ends it."""
    items = event.get("items") if isinstance(event, dict) else None
    for item in items.values() if isinstance(items, dict) else items if isinstance(items, list) else ():
        text = item.get("timestamp") if isinstance(item, dict) else None
        if isinstance(text, str):
            date = _date(text)
            if isinstance(date, Failures):
                return date
            item["timestamp"] = date
    return None


def _date(text: str) -> str | Failures:
    """Seconds with a fraction of any length."""
    parts = text.split(".")
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    if len(parts) > 2 or (parts == [""] and text):
        return input_failure("timestamp", text, "unexpected timestamp format")
    fraction = parts[1][:_FRACTION] if len(parts) > 1 else ""
    digits = parts[0] + fraction.ljust(_FRACTION, "0")
    millis = parse_long(digits)
    if millis is None:
        return input_failure("timestamp", digits, "cannot be converted to Double")
    return timestamps.to_iso(millis)


ADAPTER = Adapter(
    name="Olark",
    vendor="com.olark",
    version="v1",
    build=build,
    content_type=FORM,
    group="olark",
    schemas=schema_uris("com.olark", "1-0-0", "transcript", "offline_message"),
    events={"(with `operators`)": "transcript", "(without)": "offline_message"},
    cleaned="The JSON in field `data`: `timestamp` of every item becomes a date, keys camelCase.",
)
