"""SendGrid: a JSON array of message events, each sent possibly more than once (enrich 3.9.0 ``SendgridAdapter``)."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import clean_event
from snowetl.adapters.webhook import JSON, NO_BODY, EventTypes, adapt_items, parse_json, text_member
from snowetl.jvm.map_order import java_hash
from snowetl.jvm.scala_maps import ordered_by_hash, product_hash
from snowetl.model.payload import CollectorPayload

_KEYS = (
    "processed",
    "dropped",
    "delivered",
    "deferred",
    "bounce",
    "open",
    "click",
    "spamreport",
    "unsubscribe",
    "group_unsubscribe",
    "group_resubscribe",
)
EVENTS = {key: key for key in _KEYS}

_wrap = Wrapper("com.sendgrid-v3")


def build(setup: Setup) -> Adapt:
    types = EventTypes(EVENTS, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        fault = _fault(payload)
        if fault is not None:
            return fault
        body = payload.body or ""
        items = parse_json("body", body)
        if isinstance(items, Failures):
            return items
        if not isinstance(items, list):
            return input_failure("body", body, "body is not a json array")
        return adapt_items(payload, distinct(items), types, "event", _wrap, _cleaned)

    return adapt


def _cleaned(item: Any) -> Any:
    return clean_event(item, "event", text_member(item, "event"), ("timestamp",))


def _fault(payload: CollectorPayload) -> Failures | None:
    if payload.body is None:
        return input_failure("body", None, NO_BODY)
    if payload.content_type is None:
        return input_failure("contentType", None, f"no content type: expected {JSON}")
    if JSON not in payload.content_type:
        return input_failure("contentType", payload.content_type, f"expected {JSON}")
    return None


def distinct(items: list[Any]) -> list[tuple[int, Any]]:
    """One item per ``sg_event_id``, the last, with its place in the list; items without one count as the same.

    In the order of the reference's map from ids to items.
    """
    by_id = {text_member(item, "sg_event_id"): (index, item) for index, item in enumerate(items)}
    return [by_id[event_id] for event_id in ordered_by_hash(by_id, _option_hash)]


def _option_hash(event_id: str | None) -> int:
    """``Option[String].hashCode``."""
    return java_hash("None") if event_id is None else product_hash(java_hash(event_id))


ADAPTER = Adapter(
    name="SendGrid",
    vendor="com.sendgrid",
    version="v3",
    build=build,
    content_type=f"{JSON} (contained)",
    group="sendgrid",
    schemas=schema_uris("com.sendgrid", "3-0-0", *_KEYS),
    events=EVENTS,
    cleaned="Of events with the same `sg_event_id` the last counts; `timestamp` becomes a date, `event` is dropped.",
)
