"""What a record ends as: enriched events, bad rows with their failed events, counted discards."""

from __future__ import annotations

from typing import NamedTuple

from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent


class Discard(NamedTuple):
    """An event that an enrichment dropped. ``reason`` is a few words that name the rule, not the event."""

    reason: str


class FailedEvent(NamedTuple):
    """What is valid of an event that failed, beside its bad row: see :mod:`snowetl.enrich.salvage`."""

    event: EnrichedEvent

    def to_tsv(self) -> str:
        """The enriched line, without line end."""
        return self.event.to_tsv()


Result = EnrichedEvent | BadRow | FailedEvent | Discard
