"""Tracker Protocol 1: the query string of a GET is the event (enrich 3.9.0 ``Tp1Adapter``)."""

from __future__ import annotations

from typing import Final

from snowetl.adapters.base import Adapt, Adapter, Outcome, Setup, input_failure
from snowetl.model.payload import CollectorPayload, RawEvent


def adapt(payload: CollectorPayload) -> Outcome:
    if not payload.querystring:
        return input_failure("querystring", None, "empty querystring: not a valid URI redirect")
    return [RawEvent(payload, payload.parameters())]


def build(setup: Setup) -> Adapt:
    return adapt


ADAPTER: Final = Adapter(
    name="Tracker Protocol 1",
    vendor="com.snowplowanalytics.snowplow",
    version="tp1",
    build=build,
    method="GET",
    content_type="",
    verbatim=True,
    cleaned="Also the pixel paths `/i` and `/ice.png`. A body is ignored.",
)
