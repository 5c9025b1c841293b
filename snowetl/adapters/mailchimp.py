"""Mailchimp: one list event per form body, nested by bracketed names (enrich 3.9.0 ``MailchimpAdapter``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper, without_envelope
from snowetl.adapters.rewrite import date_of_spaced
from snowetl.adapters.webhook import FORM, EventTypes, body_fault
from snowetl.jvm.jsontext import MAX_DEPTH
from snowetl.jvm.querystring import QuerystringError, parse_form
from snowetl.jvm.scala_maps import as_map
from snowetl.model.payload import CollectorPayload, Parameters, RawEvent

EVENTS = {
    "subscribe": "subscribe",
    "unsubscribe": "unsubscribe",
    "campaign": "campaign_sending_status",
    "cleaned": "cleaned_email",
    "upemail": "email_address_change",
    "profile": "profile_update",
}
_BRACKETS = re.compile(r"\]?(?:\[|\])")

_wrap = Wrapper("com.mailchimp-v1")


def build(setup: Setup) -> Adapt:
    types = EventTypes(EVENTS, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        fault = body_fault(payload, FORM)
        if fault is not None:
            return fault
        body = payload.body or ""
        try:
            sent = dict(parse_form(body))
        except QuerystringError as error:
            return input_failure("body", body, str(error))
        event_type = sent.get("type")
        if event_type is None:
            return input_failure("body", body, "no `type` parameter provided: cannot determine event type")
        schema = types.schema(event_type)
        if not isinstance(schema, str):
            return Failures((schema,))
        parameters = as_map({**payload.parameters(), **as_map(with_date(sent))})
        paths = [(path_of(name), value) for name, value in without_envelope(parameters).items() if value is not None]
        if any(len(path) > MAX_DEPTH for path, _ in paths):
            return input_failure("body", body, f"parameter nested deeper than {MAX_DEPTH} levels")
        return [RawEvent(payload, _wrap(parameters, schema, nested(paths)))]

    return adapt


def with_date(sent: Parameters) -> Parameters:
    """``fired_at`` as a date."""
    fired_at = sent.get("fired_at")
    return sent if fired_at is None else {**sent, "fired_at": date_of_spaced(fired_at)}


def path_of(name: str) -> list[str]:
    """``data[merges][FNAME]`` -> ``data``, ``merges``, ``FNAME``. A name of brackets only stays one name."""
    if "[" not in name and "]" not in name:
        return [name]
    parts = _BRACKETS.split(name)
    while parts and not parts[-1]:
        parts.pop()
    return parts or [name]


def nested(paths: Sequence[tuple[list[str], str]]) -> dict[str, Any]:
    """One object from all paths; where two clash, the later wins. What came last stands first, at every level.

    So the last is set first, and what is there already is left. An object that later replaced a text is closed: what
    came before that text is gone.
    """
    root: dict[str, Any] = {}
    closed: set[int] = set()
    for path, value in reversed(paths):
        node = root
        for key in path[:-1]:
            node = node.setdefault(key, {})
            if not isinstance(node, dict) or id(node) in closed:
                break
        else:
            there = node.setdefault(path[-1], value)
            if isinstance(there, dict):
                closed.add(id(there))
    return root


ADAPTER = Adapter(
    name="Mailchimp",
    vendor="com.mailchimp",
    version="v1",
    build=build,
    content_type=FORM,
    group="mailchimp",
    schemas=schema_uris("com.mailchimp", "1-0-0", *EVENTS.values()),
    events=EVENTS,
    cleaned="Names such as `data[merges][FNAME]` become nested objects, `fired_at` a date. "
    "Query-string parameters are part of the event, and parameters of the body count as such.",
)
