"""What the events of a split have between them: the schemas met, the time they span."""

from __future__ import annotations

from snowetl.jvm import instants
from snowetl.jvm.instants import Instant
from snowetl.transform.entity import ParsedEntity
from snowetl.transform.event import COLLECTOR_TSTAMP, CONTEXTS, DERIVED_CONTEXTS, UNSTRUCT_EVENT, Event
from snowetl.transform.rows import SchemaType


class TypesMet:
    """The schemas of events so far, and the columns they stood in."""

    def __init__(self) -> None:
        self.types: set[SchemaType] = set()
        self._uris: dict[str, set[str]] = {CONTEXTS: set(), DERIVED_CONTEXTS: set(), UNSTRUCT_EVENT: set()}

    def add(self, event: Event) -> list[SchemaType]:
        """Note the schemas of an event; gives those that are new."""
        new: list[SchemaType] = []
        self._add(CONTEXTS, event.contexts, new)
        self._add(DERIVED_CONTEXTS, event.derived_contexts, new)
        if event.unstruct_event is not None:
            self._add(UNSTRUCT_EVENT, [event.unstruct_event], new)
        return new

    def _add(self, column: str, entities: list[ParsedEntity], new: list[SchemaType]) -> None:
        known = self._uris[column]
        for entity in entities:
            uri = entity.uri
            if uri not in known:
                known.add(uri)
                new.append(SchemaType(uri, column))
                self.types.add(new[-1])


class Period:
    """The earliest and the latest time of events, by their collector timestamps.

    Texts in the usual form are in the order of their times, so only the outermost are read.
    """

    def __init__(self) -> None:
        self._low, self._high = "", ""
        self._exact: list[Instant] = []

    def add(self, event: Event) -> None:
        if event.exact and COLLECTOR_TSTAMP in event.exact:
            time = event.instant(COLLECTOR_TSTAMP)
            assert time is not None
            self._exact = [min(time, *self._exact), max(time, *self._exact)] if self._exact else [time]
            return
        text = event.collector_tstamp
        if text > self._high:
            self._high = text
        if not self._low or text < self._low:
            self._low = text

    @property
    def first(self) -> Instant | None:
        return min(self._outermost(), default=None)

    @property
    def last(self) -> Instant | None:
        return max(self._outermost(), default=None)

    def _outermost(self) -> list[Instant]:
        return [*map(instants.from_canonical, (text for text in (self._low, self._high) if text)), *self._exact]
