"""Mailchimp: one list event per form body, nested by bracketed names (enrich 3.9.0 ``MailchimpAdapter``)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper, without_envelope
from snowetl.adapters.rewrite import date_of_spaced
from snowetl.adapters.scala_maps import as_map
from snowetl.adapters.webhook import FORM, EventTypes, body_fault
from snowetl.model.jsontext import MAX_DEPTH
from snowetl.model.payload import CollectorPayload, Parameters, RawEvent
from snowetl.model.querystring import QuerystringError, parse_form

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
    parts = _BRACKETS.split(name)
    while parts and not parts[-1]:
        parts.pop()
    return parts or [name]


def nested(paths: Iterable[tuple[list[str], str]]) -> dict[str, Any]:
    """One object from all paths; where two clash, the later wins. What came last stands first, at every level."""
    root: dict[str, Any] = {}
    for path, value in paths:
        node = root
        for key in path[:-1]:
            child = node.pop(key, None)
            node[key] = child = child if isinstance(child, dict) else {}
            node = child
        node.pop(path[-1], None)
        node[path[-1]] = value
    _reverse(root)
    return root


def _reverse(root: dict[str, Any]) -> None:
    pending = [root]
    while pending:
        node = pending.pop()
        pairs = list(node.items())
        node.clear()
        node.update(reversed(pairs))
        pending.extend([value for _, value in pairs if isinstance(value, dict)])


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
