"""Tracker Protocol 2: a ``payload_data`` body of events, or a query string (enrich 3.9.0 ``Tp2Adapter``).

This is the way nearly all events take: the body is parsed once, and its objects are the parameters themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final, TypeGuard

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Schemas, Setup, input_failure
from snowetl.adapters.webhook import MAX_MESSAGES
from snowetl.jvm import jsontext
from snowetl.model import badrow
from snowetl.model.payload import CollectorPayload, Parameters, RawEvent
from snowetl.model.schema import ParseError, SchemaCriterion, self_describing

CONTENT_TYPES: Final = ("application/json", "application/json; charset=utf-8", "application/json; charset=UTF-8")
PAYLOAD_DATA: Final = SchemaCriterion("com.snowplowanalytics.snowplow", "payload_data", "jsonschema", 1, 0, None)

_EXPECTED: Final = f"expected one of {', '.join(CONTENT_TYPES)}"
_TEXT_ONLY: Final = frozenset((str,))
_read_texts: Final = jsontext.reader_of(dict[str, str | list[dict[str, str]]])
"""Of self-describing JSON whose data are texts: events as they should be."""


def build(setup: Setup) -> Adapt:
    schemas = setup.iglu

    def adapt(payload: CollectorPayload) -> Outcome:
        body = payload.sent_body
        if body is not None and payload.content_type in CONTENT_TYPES:
            return _sound_events(schemas, payload, body) or _events(schemas, payload, payload.body or "")
        return _bodiless(payload)

    return adapt


def _bodiless(payload: CollectorPayload) -> Outcome:
    """An event in the query string, or one of the ways to miss both forms."""
    body, content_type = payload.body, payload.content_type
    if body is None and not payload.querystring:
        empty = "not a valid tracker protocol event"
        return Failures(
            (
                badrow.input_data("body", None, f"empty body: {empty}"),
                badrow.input_data("querystring", None, f"empty querystring: {empty}"),
            )
        )
    if body is not None or (content_type is not None and content_type not in CONTENT_TYPES):
        return input_failure("contentType", content_type, _EXPECTED)
    if content_type is not None:
        return input_failure("body", None, "empty body: not a valid track protocol event")
    return [RawEvent(payload, payload.parameters())]


def _sound_events(schemas: Schemas, payload: CollectorPayload, body: str | bytes) -> list[RawEvent] | None:
    """The events of a body in which nothing is wrong; all other bodies need a closer look."""
    value = _read_texts(body) or {}
    uri, data = value.get("schema"), value.get("data")
    if type(uri) is not str or type(data) is not list or not data:
        return None
    checker = schemas.known(uri)
    try:
        sound = checker is not None and PAYLOAD_DATA.matches(checker.key) and checker.fits(data)
    except RecursionError:
        return None
    return _with_query(payload, data) if sound else None


def _with_query(payload: CollectorPayload, events: Iterable[Parameters]) -> list[RawEvent]:
    """Each event with the parameters of the query string, which win."""
    if payload.querystring:
        query = payload.parameters()
        return [RawEvent(payload, {**event, **query}) for event in events]
    return [RawEvent(payload, event) for event in events]


def _events(schemas: Schemas, payload: CollectorPayload, body: str) -> Outcome:
    try:
        value = jsontext.loads_exact(body)
    except jsontext.JsonError as error:
        return Failures((badrow.not_json("body", body, f"invalid json: {error}"),))
    try:
        key, data = self_describing(value)
    except ParseError as not_iglu:
        return Failures((badrow.not_iglu(value, not_iglu.code),))
    uri = value["schema"]
    fault = schemas.checker(uri).check(data)
    if fault is not None:
        return Failures((badrow.iglu_error(uri, fault),))
    if not PAYLOAD_DATA.matches(key):
        return Failures((badrow.criterion_mismatch(uri, str(PAYLOAD_DATA)),))
    if not _is_events(data):
        return _shape_faults(data)
    return _with_query(payload, data)


def _is_events(data: Any) -> TypeGuard[list[Parameters]]:
    """Whether ``data`` is a filled list of objects of texts. The public schema says so already; another might not."""
    return (
        type(data) is list
        and bool(data)
        and all(type(event) is dict and _TEXT_ONLY.issuperset(map(type, event.values())) for event in data)
    )


def _shape_faults(data: Any) -> Failures:
    if not isinstance(data, list) or any(not isinstance(event, dict) for event in data):
        return input_failure("body", jsontext.dumps(data), "json is not an array")
    if not data:
        return input_failure("body", "[]", "empty list of events")
    members = ((name, value) for event in data for name, value in event.items() if not isinstance(value, str))
    return Failures(_value_fault(name, value) for name, value in islice(members, MAX_MESSAGES))


def _value_fault(name: str, value: Any) -> badrow.Message:
    if value is None:
        return badrow.input_data(name, None, "value cannot be null")
    return badrow.input_data(name, jsontext.dumps(value), "value is not a string")


ADAPTER: Final = Adapter(
    name="Tracker Protocol 2",
    vendor="com.snowplowanalytics.snowplow",
    version="tp2",
    build=build,
    method="GET or POST",
    content_type=", ".join(CONTENT_TYPES),
    verbatim=True,
    cleaned="Query-string parameters win over those of every event in the body.",
)
