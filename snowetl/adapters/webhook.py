"""What webhook adapters share: opening checks, bodies, event types, lists (enrich 3.9.0 ``Adapter``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from snowetl.adapters.base import Failures, Outcome, input_failure
from snowetl.jvm import jsontext
from snowetl.jvm.querystring import QuerystringError, parse_form
from snowetl.jvm.scala_maps import as_map
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.payload import CollectorPayload, Parameters, RawEvent

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

_OBJECT_ID = re.compile("@[0-9a-z]+;")
_CONTROL = re.compile("[\x00-\x1f\x7f]")

NO_BODY = "empty body: no events to process"

MAX_MESSAGES = 1000
"""Failures kept of one payload. A hostile body of a megabyte could otherwise ask for a bad row of 300 MB."""


def body_fault(payload: CollectorPayload, content_type: str, *, blank_is_empty: bool = False) -> Failures | None:
    """The failure of a payload without a body, or not of exactly this content type."""
    if payload.body is None or (blank_is_empty and not payload.body):
        return input_failure("body", None, NO_BODY)
    if payload.content_type is None:
        return input_failure("contentType", None, f"no content type: expected {content_type}")
    if payload.content_type != content_type:
        return input_failure("contentType", payload.content_type, f"expected {content_type}")
    return None


def parse_json(field: str, text: str) -> Any | Failures:
    """Parsed JSON, or a NotJson failure; ``field`` is the name the bad row gives to ``text``."""
    try:
        return jsontext.loads_exact(text)
    except jsontext.JsonError as error:
        return Failures((badrow.not_json(field, text, f"invalid json: {error}"),))


def form_of(body: str, failed_field: str) -> Parameters | Failures:
    """Fields of a form body, the last of repeated ones; ``failed_field`` is what a failure names as the field."""
    try:
        return dict(parse_form(body))
    except QuerystringError as error:
        return input_failure(failed_field, body, f"could not parse body: {one_line(str(error))}")


def one_line(text: str) -> str:
    """A parser's message without control characters and object ids (enrich 3.9.0 ``stripInstanceEtc``)."""
    text = _OBJECT_ID.sub("@xxxxxx;", text).replace("\t", "    ")
    return _CONTROL.sub("", text).strip(" ")


def required_text(event: Any, key: str, failures: Failures) -> str:
    """A member that must be a string; where it is not, a failure more in circe's words, and ``""``."""
    if not isinstance(event, dict) or key not in event:
        reason = f"Attempt to decode value on failed cursor: DownField({key})"
    elif not isinstance(event[key], str):
        reason = f"String: DownField({key})"
    else:
        text: str = event[key]
        return text
    failures.append(badrow.input_data(key, None, f"could not extract '{key}': {reason}"))
    return ""


def text_member(event: Any, key: str) -> str | None:
    """A member of an object, if there is one and it is a string."""
    value = event.get(key) if isinstance(event, dict) else None
    return value if isinstance(value, str) else None


class EventTypes:
    """The event types of one vendor and the schema of each."""

    def __init__(self, events: Mapping[str, str], schemas: Mapping[str, str]) -> None:
        """``events``: type -> schema key; ``schemas``: schema key -> URI. A type without a schema is unknown."""
        self._uris = as_map({event: schemas[key] for event, key in events.items() if key in schemas})

    def schema(self, event_type: str | None, index: int | None = None) -> str | Message:
        """The schema of a type, or the SchemaMapping message; ``index`` is the event's place in a list, from 0."""
        uri = None if event_type is None else self._uris.get(event_type)
        if uri is not None:
            return uri
        if event_type is None:
            reason = "cannot determine event type: type parameter not provided"
        elif not event_type:
            reason = "cannot determine event type: type parameter empty"
        else:
            reason = "no schema associated with the provided type parameter"
        place = "" if index is None else f" at index {index}"
        return badrow.schema_mapping(event_type, self._uris, reason + place)


def adapt_items(
    payload: CollectorPayload,
    items: Iterable[tuple[int, Any]],
    types: EventTypes,
    member: str,
    wrap: Callable[[Parameters, str, Any], Parameters],
    cleaned: Callable[[Any], Any],
) -> Outcome:
    """One raw event per numbered item of a list. The text in ``member`` says an item's type."""
    query = payload.parameters()

    def one(numbered: tuple[int, Any]) -> RawEvent | Message:
        index, item = numbered
        schema = types.schema(text_member(item, member), index)
        return RawEvent(payload, wrap(query, schema, cleaned(item))) if isinstance(schema, str) else schema

    return adapt_each(items, one)


def adapt_each(items: Iterable[Any], adapt: Callable[[Any], RawEvent | Message]) -> Outcome:
    """One raw event per item, or all failures and no event. No item at all is a failure too."""
    events: list[RawEvent] = []
    failures = Failures()
    for item in items:
        result = adapt(item)
        if isinstance(result, RawEvent):
            events.append(result)
        else:
            failures.append(result)
            if len(failures) == MAX_MESSAGES:
                break
    if failures:
        return failures
    return events or input_failure("", None, "empty list of events")
