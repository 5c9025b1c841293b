"""Mandrill: a JSON array of message events in a form field (enrich 3.9.0 ``MandrillAdapter``)."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import clean_event
from snowetl.adapters.webhook import FORM, EventTypes, adapt_items, body_fault, parse_json, text_member
from snowetl.jvm.querystring import QuerystringError, parse_form
from snowetl.model.payload import CollectorPayload

EVENTS = {
    "hard_bounce": "message_bounced",
    "click": "message_clicked",
    "deferral": "message_delayed",
    "spam": "message_marked_as_spam",
    "open": "message_opened",
    "reject": "message_rejected",
    "send": "message_sent",
    "soft_bounce": "message_soft_bounced",
    "unsub": "recipient_unsubscribed",
}
_LATER_EVENTS = {"delivered": "message_delivered"}
_OLDER = ("message_rejected", "message_sent")
_VENDOR = "com.mandrill"

_wrap = Wrapper("com.mandrill-v1")


def build(setup: Setup) -> Adapt:
    types = EventTypes({**EVENTS, **_LATER_EVENTS}, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        fault = body_fault(payload, FORM)
        if fault is not None:
            return fault
        items = items_of(payload.body or "")
        if isinstance(items, Failures):
            return items
        return adapt_items(payload, enumerate(items), types, "event", _wrap, _cleaned)

    return adapt


def _cleaned(item: Any) -> Any:
    return clean_event(item, "event", text_member(item, "event"), ("ts",))


def items_of(body: str) -> list[Any] | Failures:
    """The events in field ``mandrill_events``, which must be the only one."""
    try:
        fields = {name: value for name, value in dict(parse_form(body)).items() if value is not None}
    except QuerystringError as error:
        return input_failure("body", body, str(error))
    if len(fields) != 1:
        return input_failure("body", body, f"body should have size 1: actual size {len(fields)}")
    text = fields.get("mandrill_events")
    if text is None:
        return input_failure("body", body, "no `mandrill_events` parameter provided")
    if not text:
        return input_failure("body", body, "`mandrill_events` field is empty")
    items = parse_json("mandril_events", text)  # sic, as in the reference
    if not isinstance(items, list):
        return input_failure("mandrill_events", text, "not a json array")
    return items


ADAPTER = Adapter(
    name="Mandrill",
    vendor=_VENDOR,
    version="v1",
    build=build,
    content_type=FORM,
    group="mandrill",
    schemas={
        **schema_uris(_VENDOR, "1-0-1", *(key for key in EVENTS.values() if key not in _OLDER)),
        **schema_uris(_VENDOR, "1-0-0", *_OLDER),
    },
    later_schemas={
        **schema_uris(_VENDOR, "1-0-2", *(key for key in EVENTS.values() if key not in _OLDER)),
        **schema_uris(_VENDOR, "1-0-1", *_OLDER),
        **schema_uris(_VENDOR, "1-0-3", "message_opened"),
        **schema_uris(_VENDOR, "1-0-0", *_LATER_EVENTS.values()),
    },
    events=EVENTS,
    cleaned="`ts` (epoch seconds) becomes a date, `event` is dropped.",
)
