"""The event that tells which values of another one were pseudonymised (enrich 3.9.0, the stream of PII events)."""

from __future__ import annotations

import hashlib
import uuid

from snowetl.jvm import jsontext
from snowetl.model.event import EnrichedEvent

_SNOWPLOW = "com.snowplowanalytics.snowplow"
_KEPT = ("app_id", "etl_tstamp", "collector_tstamp", "v_etl")
_NEW = {
    "platform": "srv",
    "event": "pii_transformation",
    "event_vendor": _SNOWPLOW,
    "event_name": "pii_transformation",
    "event_format": "jsonschema",
    "event_version": "1-0-0",
}
_CONTEXTS = f"iglu:{_SNOWPLOW}/contexts/jsonschema/1-0-0"
_PARENT = f"iglu:{_SNOWPLOW}/parent_event/jsonschema/1-0-0"


def pii_event(parent: EnrichedEvent) -> EnrichedEvent:
    """The event that carries ``parent.pii``.

    Its times are the run's, and its id derives from its parent's: the reference takes the clock and a random one.
    """
    event = EnrichedEvent()
    for column in _KEPT:
        event[column] = parent[column]
    for column, value in _NEW.items():
        event[column] = value
    event["event_id"] = _id(parent["event_id"] or "")
    event["derived_tstamp"] = event["true_tstamp"] = parent["etl_tstamp"]
    event["unstruct_event"] = parent.pii
    contexts = [{"schema": _PARENT, "data": {"parentEventId": parent["event_id"]}}]
    event["contexts"] = jsontext.dumps({"schema": _CONTEXTS, "data": contexts})
    return event


def _id(parent: str) -> str:
    digest = hashlib.blake2b(f"pii_transformation\0{parent}".encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))
