"""One event while it is being enriched: what the steps read and write."""

from __future__ import annotations

from typing import NamedTuple

from snowetl.enrich.uri import Uri
from snowetl.model.badrow import Message
from snowetl.model.event import EnrichedEvent
from snowetl.model.payload import RawEvent
from snowetl.model.schema import SchemaKey


class Entity(NamedTuple):
    """A context added by an enrichment: its schema URI and the whole self-describing JSON as compact text."""

    schema: str
    json: str


class Draft:
    """The enriched event so far, its raw event, and what steps leave for later ones.

    ``values`` is the event's column list itself. ``page_query`` is the page URI's query string (last duplicate wins,
    a missing value is ``""``), ``None`` where there is no page URI; ``event_key`` the schema of a self-describing
    event. Entities and failures of later steps go in front.
    """

    __slots__ = (
        "dropped",
        "emitted",
        "entities",
        "event",
        "event_key",
        "failures",
        "page_query",
        "page_uri",
        "raw",
        "referrer_uri",
        "values",
    )

    def __init__(self, event: EnrichedEvent, raw: RawEvent) -> None:
        self.event = event
        self.values = event.texts
        self.raw = raw
        self.event_key: SchemaKey | None = None
        self.page_uri: Uri | None = None
        self.referrer_uri: Uri | None = None
        self.page_query: dict[str, str] | None = None
        self.entities: list[Entity] = []
        self.failures: list[Message] = []
        self.dropped: str | None = None
        self.emitted: list[EnrichedEvent] | None = None

    def add(self, *entities: Entity) -> None:
        """Put a step's entities (in the step's own order) in front of those collected so far."""
        self.entities[0:0] = entities

    def fail(self, *messages: Message) -> None:
        """Put a step's failures (in the step's own order) in front; see ``badrow.enrichment_message``."""
        self.failures[0:0] = messages

    def drop(self, reason: str) -> None:
        """Discard the event, whatever else happens to it; it is counted under ``reason`` (a few words, no data)."""
        self.dropped = reason

    def emit(self, event: EnrichedEvent) -> None:
        """Send another event along, which goes out after this one if this one does. No step sees it."""
        if self.emitted is None:
            self.emitted = []
        self.emitted.append(event)
