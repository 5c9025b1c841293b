"""What a record ends as: enriched events, bad rows, counted discards."""

from __future__ import annotations

from typing import NamedTuple

from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent


class Discard(NamedTuple):
    """An event that an enrichment dropped. ``reason`` is a few words that name the rule, not the event."""

    reason: str


Result = EnrichedEvent | BadRow | Discard
