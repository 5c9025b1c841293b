"""Mailgun: one message event per JSON body (enrich 3.9.0 ``MailgunAdapter``)."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import camelize, clean_event, deep_merge, long_of
from snowetl.adapters.webhook import JSON, EventTypes, body_fault, one_line
from snowetl.jvm import jsontext
from snowetl.jvm.integers import MAX_INT, MIN_INT
from snowetl.model.payload import CollectorPayload, RawEvent

EVENTS = {
    "bounced": "message_bounced",
    "clicked": "message_clicked",
    "complained": "message_complained",
    "delivered": "message_delivered",
    "dropped": "message_dropped",
    "opened": "message_opened",
    "unsubscribed": "recipient_unsubscribed",
}
_SIGNATURE = ("timestamp", "token", "signature")

_wrap = Wrapper("com.mailgun-v1")


def build(setup: Setup) -> Adapt:
    types = EventTypes(EVENTS, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        fault = body_fault(payload, JSON, blank_is_empty=True)
        if fault is not None:
            return fault
        body = payload.body or ""
        try:
            value = jsontext.loads_exact(body)
        except jsontext.JsonError as error:
            return input_failure("body", body, f"could not parse body: {one_line(str(error))}")
        data = value.get("event-data") if isinstance(value, dict) else None
        if not isinstance(data, dict) or "event" not in data:
            return input_failure("body", body, "no `event` parameter provided: cannot determine event type")
        event_type = data["event"] if isinstance(data["event"], str) else None
        schema = types.schema(event_type)
        if not isinstance(schema, str):
            return Failures((schema,))
        event = signed_event(data, value.get("signature"))
        if isinstance(event, Failures):
            return event
        event = clean_event(trimmed(camelize(event)), "event", event_type, ("timestamp",))
        return [RawEvent(payload, _wrap(payload.parameters(), schema, event))]

    return adapt


def signed_event(data: dict[str, Any], signature: Any) -> dict[str, Any] | Failures:
    """The event with the members of its signature, and with the signature's time."""
    for name in _SIGNATURE:
        if not isinstance(signature, dict) or name not in signature:
            return input_failure(name, None, f"missing '{name}'")
    if "timestamp" not in data:
        return input_failure("event-data", None, "missing 'event-data'")
    data["timestamp"] = signature["timestamp"]
    return deep_merge(signature, data)


def trimmed(event: dict[str, Any]) -> dict[str, Any]:
    """Without the message text; ``attachmentCount`` only where it is a 32-bit integer, and as such."""
    event.pop("bodyPlain", None)
    count = long_of(event.pop("attachmentCount", None))
    if count is not None and MIN_INT <= count <= MAX_INT:
        event["attachmentCount"] = count
    return event


ADAPTER = Adapter(
    name="Mailgun",
    vendor="com.mailgun",
    version="v1",
    build=build,
    group="mailgun",
    schemas=schema_uris("com.mailgun", "1-0-0", *EVENTS.values()),
    events=EVENTS,
    cleaned="`signature` and `event-data` are merged, keys become camelCase, `timestamp` (the signature's) a date; "
    "`event` and `bodyPlain` are dropped, `attachmentCount` too unless it is an integer.",
)
