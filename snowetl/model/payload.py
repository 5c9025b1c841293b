"""The two shapes of an event before enrichment: what the collector recorded, and what an adapter made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

Parameters = dict[str, "str | None"]


def picker(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives the values of parameters of these names, in order. It raises ``KeyError``."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda parameters: tuple([parameters[name] for name in names])


@dataclass(slots=True)
class CollectorPayload:
    """One collector record, decoded (enrich 3.9.0 ``CollectorPayload``).

    ``timestamp`` is epoch milliseconds (UTC) or ``None``; ``querystring`` keeps order and repeats.
    """

    vendor: str
    version: str
    querystring: list[tuple[str, str | None]]
    content_type: str | None
    body: str | None
    collector: str | None
    encoding: str
    hostname: str | None
    timestamp: int | None
    ip_address: str | None
    useragent: str | None
    referer_uri: str | None
    headers: list[str] = field(default_factory=list)
    network_userid: str | None = None

    def replaced(self, **changes: object) -> CollectorPayload:
        """A copy with some fields changed: adapters that override an event's context (time, IP, user agent)."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def parameters(self) -> Parameters:
        """The query string as a map: the last of repeated names wins, the first keeps the place."""
        return dict(self.querystring)


class RawEvent:
    """One event of a payload: tracker-protocol parameters, and the payload (source and context) it came with."""

    __slots__ = ("parameters", "payload")

    def __init__(self, payload: CollectorPayload, parameters: Parameters) -> None:
        self.payload = payload
        self.parameters = parameters

    def __repr__(self) -> str:
        return f"RawEvent({self.payload.vendor}/{self.payload.version}, {self.parameters!r})"
