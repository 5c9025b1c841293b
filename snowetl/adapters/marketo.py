"""Marketo: one lead event per JSON body (enrich 3.9.0 ``MarketoAdapter``)."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import Members, date_of_spaced, rewrite_objects
from snowetl.adapters.webhook import NO_BODY, parse_json
from snowetl.model.payload import CollectorPayload, RawEvent

DATES = frozenset(
    (
        "acquisition_date",
        "created_at",
        "email_suspended_at",
        "last_referred_enrollment",
        "last_referred_visit",
        "updated_at",
        "datetime",
        "last_interesting_moment_date",
    )
)

_wrap = Wrapper("com.marketo-v1")


def build(setup: Setup) -> Adapt:
    schema = setup.schemas["event"]

    def adapt(payload: CollectorPayload) -> Outcome:
        if payload.body is None:
            return input_failure("body", None, NO_BODY)
        value = parse_json("body", payload.body)
        if isinstance(value, Failures):
            return value
        if not isinstance(value, dict):
            return input_failure("body", payload.body, "not a json object")
        event = rewrite_objects(value, _with_dates, DATES, lists=False)
        return [RawEvent(payload, _wrap(payload.parameters(), schema, event))]

    return adapt


def _with_dates(pairs: Members, enter: list[Any]) -> Members:
    result = []
    for key, value in pairs:
        if key in DATES:
            value = date_of_spaced(value) if isinstance(value, str) else value
        elif isinstance(value, dict):
            enter.append(value)
        result.append((key, value))
    return result


ADAPTER = Adapter(
    name="Marketo",
    vendor="com.marketo",
    version="v1",
    build=build,
    content_type="any",
    group="marketo",
    schemas=schema_uris("com.marketo", "2-0-0", "event"),
    events={"(every request)": "event"},
    cleaned=f"Dates in {', '.join(f'`{name}`' for name in sorted(DATES))} are rewritten.",
)
