"""Wrapping what a vendor sent into the parameters of a self-describing event (enrich 3.9.0 ``Adapter``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from snowetl.jvm import jsontext
from snowetl.jvm.scala_maps import as_map
from snowetl.model.payload import Parameters

UNSTRUCT_OPEN = '{"schema":"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0","data":'
CONTEXTS_OPEN = '{"schema":"iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1","data":['

_COPIED = ("nuid", "aid", "cv", "eid", "ttm", "url")
_NOT_DATA = ("nuid", "aid", "cv", "p")


class Wrapper:
    """Makes event parameters for one adapter: its tracker version, and the platform where none is sent."""

    __slots__ = ("platform", "tracker")

    def __init__(self, tracker: str, platform: str = "srv") -> None:
        self.tracker = tracker
        self.platform = platform

    def __call__(self, query: Mapping[str, str | None], schema: str, event: Any) -> Parameters:
        """Parameters of ``event`` (parsed JSON) under ``schema``.

        Of the query string only the platform and the six parameters that concern the event as a whole get through.
        """
        parameters: Parameters = {
            "tv": self.tracker,
            "e": "ue",
            "p": self.platform,
            "ue_pr": f"{UNSTRUCT_OPEN}{self_describing_text(schema, event)}}}",
        }
        if query:
            if "p" in query:
                parameters["p"] = query["p"]
            for name in _COPIED:
                if name in query:
                    parameters[name] = query[name]
        return parameters


def self_describing_text(schema: str, data: Any) -> str:
    """Compact text of a self-describing JSON."""
    return f'{{"schema":"{schema}","data":{jsontext.dumps(data)}}}'


def contexts_text(entities: Iterable[str]) -> str:
    """A contexts envelope around the texts of self-describing JSONs."""
    return f"{CONTEXTS_OPEN}{','.join(entities)}]}}"


def without_envelope(query: Mapping[str, str | None]) -> Parameters:
    """Parameters that become data of the event: all but those about tracker, application, user and platform."""
    ordered = as_map(query)
    for name in _NOT_DATA:
        ordered.pop(name, None)
    return ordered


def query_text(query: Parameters) -> str:
    """Decoded parameters as ``k=v`` pairs, null shown as such, in the reference's map order."""
    return "&".join([f"{name}={'null' if value is None else value}" for name, value in as_map(query).items()])
