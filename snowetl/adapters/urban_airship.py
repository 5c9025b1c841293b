"""Urban Airship Connect: one event per line of its stream (enrich 3.9.0 ``UrbanAirshipAdapter``)."""

from __future__ import annotations

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure
from snowetl.adapters.events import Wrapper
from snowetl.adapters.webhook import NO_BODY, EventTypes, parse_json, required_text, text_member
from snowetl.jvm.joda import DateError, parse_datetime
from snowetl.model import badrow
from snowetl.model.payload import CollectorPayload, RawEvent

_KEYS = (
    "close",
    "custom",
    "first_open",
    "in_app_message_display",
    "in_app_message_expiration",
    "in_app_message_resolution",
    "location",
    "open",
    "push_body",
    "region",
    "rich_delete",
    "rich_delivery",
    "rich_head",
    "send",
    "tag_change",
    "uninstall",
)
EVENTS = {key.upper(): key for key in _KEYS}

_wrap = Wrapper("com.urbanairship.connect-v1")


def build(setup: Setup) -> Adapt:
    types = EventTypes(EVENTS, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        if payload.body is None:
            return input_failure("body", None, NO_BODY)
        if payload.content_type is not None:
            return input_failure("contentType", payload.content_type, "expected no content type")
        event = parse_json("body", payload.body)
        if isinstance(event, Failures):
            return event
        failures = Failures()
        occurred = required_text(event, "occurred", failures)
        event_id = required_text(event, "id", failures)
        processed = required_text(event, "processed", failures)
        schema = types.schema(text_member(event, "type"))
        if not isinstance(schema, str):
            failures.append(schema)
        if failures or not isinstance(schema, str):
            return failures
        true_time, collector_time = _millis("occurred", occurred, failures), _millis("processed", processed, failures)
        if failures:
            return failures
        query = payload.parameters() | {"ttm": str(true_time), "eid": event_id}
        return [RawEvent(payload.replaced(timestamp=collector_time), _wrap(query, schema, event))]

    return adapt


def _millis(name: str, text: str, failures: Failures) -> int:
    """Epoch milliseconds; a date without zone is UTC. (The reference throws where there is no date.)"""
    try:
        return parse_datetime(text)
    except DateError as error:
        failures.append(badrow.input_data(name, text, f"could not extract '{name}': {error}"))
        return 0


ADAPTER = Adapter(
    name="Urban Airship",
    vendor="com.urbanairship.connect",
    version="v1",
    build=build,
    method="line of a file (input format `ndjson/com.urbanairship.connect/v1`), or POST",
    content_type="none",
    group="urbanAirship",
    schemas={key: f"iglu:com.urbanairship.connect/{key.upper()}/jsonschema/1-0-0" for key in _KEYS},
    events=EVENTS,
    cleaned="Nothing; `occurred` is the event's true time, `id` its id, `processed` its collector time.",
)
