"""CallRail: one completed call per GET (enrich 3.9.0 ``CallrailAdapter``)."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper, without_envelope
from snowetl.adapters.rewrite import date_of_spaced
from snowetl.jvm.integers import big_integer
from snowetl.model.payload import CollectorPayload, RawEvent

_BOOLEANS = frozenset(("first_call", "answered"))
_INTEGERS = frozenset(("duration",))
_DATES = frozenset(("datetime",))
_TRUTH = {"true": True, "false": False}

_wrap = Wrapper("com.callrail-v1")


def build(setup: Setup) -> Adapt:
    schema = setup.schemas["call_complete"]

    def adapt(payload: CollectorPayload) -> Outcome:
        query = payload.parameters()
        if not query:
            return input_failure("querystring", None, "empty querystring")
        event = {name: typed(name, value) for name, value in without_envelope(query).items()}
        return [RawEvent(payload, _wrap(query, schema, event))]

    return adapt


def typed(name: str, value: str | None) -> Any:
    """The JSON value of a parameter; what does not fit its type stays text, for the schema to refuse."""
    if not value:
        return None
    if name in _BOOLEANS:
        return _TRUTH.get(value, value)
    if name in _INTEGERS:
        number = big_integer(value)
        return value if number is None else number
    if name in _DATES:
        return date_of_spaced(value)
    return value


ADAPTER = Adapter(
    name="CallRail",
    vendor="com.callrail",
    version="v1",
    build=build,
    method="GET",
    content_type="",
    group="callrail",
    schemas=schema_uris("com.callrail", "1-0-2", "call_complete"),
    events={"(every request)": "call_complete"},
    cleaned="`first_call`, `answered` become booleans, `duration` an integer, `datetime` a date; empty values null.",
)
