"""Pingdom: one incident per GET, as JSON in parameter ``message`` (enrich 3.9.0 ``PingdomAdapter``)."""

from __future__ import annotations

import re

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper, query_text
from snowetl.adapters.webhook import EventTypes, parse_json, text_member
from snowetl.model import badrow
from snowetl.model.payload import CollectorPayload, RawEvent

EVENTS = {
    "assign": "incident_assign",
    "notify_user": "incident_notify_user",
    "notify_of_close": "incident_notify_of_close",
}
_PYTHON_TUPLE = re.compile("\\(u'([^\n\r\x85\u2028\u2029]+)',\\)")
_REFUSED = r"should not pass regex \(u'(.+)',\)"

_wrap = Wrapper("com.pingdom-v1")


def build(setup: Setup) -> Adapt:
    types = EventTypes(EVENTS, setup.schemas)

    def adapt(payload: CollectorPayload) -> Outcome:
        if not payload.querystring:
            return input_failure("querystring", None, "empty querystring: no events to process")
        failures = Failures(
            badrow.input_data(name, match.group(1), _REFUSED)
            for name, value in payload.querystring
            if value is not None and (match := _PYTHON_TUPLE.fullmatch(value))
        )
        if failures:
            return failures
        query = payload.parameters()
        text = query.get("message")
        if text is None:
            return input_failure("querystring", query_text(query), "no `message` parameter provided")
        event = parse_json("message", text)
        if isinstance(event, Failures):
            return event
        schema = types.schema(text_member(event, "action"))
        if not isinstance(schema, str):
            return Failures((schema,))
        del event["action"]
        return [RawEvent(payload, _wrap(query, schema, event))]

    return adapt


ADAPTER = Adapter(
    name="Pingdom",
    vendor="com.pingdom",
    version="v1",
    build=build,
    method="GET",
    content_type="",
    group="pingdom",
    schemas=schema_uris("com.pingdom", "1-0-0", *EVENTS.values()),
    events=EVENTS,
    cleaned="The JSON in parameter `message`, without `action`.",
)
