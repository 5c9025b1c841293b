"""What each stage of an event's way costs, in µs an event: from the record to its line."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from bench.library import enricher_of
from bench.traffic import records
from snowetl import Enricher
from snowetl.enrich.draft import Draft
from snowetl.enrich.event_id import Place, RecordPlace
from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent
from snowetl.model.payload import CollectorPayload

Costs = dict[str, float]
"""Stage -> µs an event, in the order of the way."""

_NAMES = {"collector_version": "contexts, unstruct_event"}
"""The first step costs nothing: what passes before it is the check of JSON."""


def show(count: int, resolver: Any, enrichments: Any, passes: int = 7) -> None:
    """Print the stages for ``count`` records, seen again and again, and never seen before: the least of the passes."""
    enricher = enricher_of("thrift", resolver, enrichments)
    seen, stream = list(records(count)), records(count * passes, seed="unseen", unseen=True)
    rounds = [(_costs(enricher, seen), _costs(enricher, list(islice(stream, count)))) for _ in range(passes)]
    warm, unseen = map(_least, zip(*rounds, strict=True))
    print(f"  {'µs of processor time an event':<34}{'warm':>8}{'unseen':>8}")
    for stage, cost in unseen.items():
        print(f"  {stage:<34}{warm[stage]:>8.2f}{cost:>8.2f}")


def _least(rounds: Iterable[Costs]) -> Costs:
    first, *others = rounds
    return {stage: min(cost, *(one[stage] for one in others)) for stage, cost in first.items()}


def _costs(enricher: Enricher, batch: Sequence[bytes]) -> Costs:
    """One pass over the records; those that become no event count by what they cost until then."""
    clock = _Clock()
    events = sum(1 for record in batch for _ in _events(enricher, record, clock))
    return {stage: spent / 1000 / events for stage, spent in clock.spent.items()}


class _Clock:
    """Adds up what passes between its stations, less what it takes itself to look."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._own = 0
        self._last = 0
        self._own = min(self._empty() for _ in range(1000))

    def _empty(self) -> int:
        self.start()
        self.passed("")
        return self.spent.pop("")

    def start(self) -> None:
        self._last = time.thread_time_ns()

    def passed(self, stage: str, draft: Draft | None = None) -> None:
        self.spent[_NAMES.get(stage, stage)] += time.thread_time_ns() - self._last - self._own
        self._last = time.thread_time_ns()


def _events(enricher: Enricher, record: bytes, clock: _Clock) -> Iterator[str]:
    """The lines of a record, by the stations of :meth:`Enricher.process`."""
    clock.start()
    payload = enricher._payload(record)
    clock.passed("record to payload")
    if not isinstance(payload, CollectorPayload):
        return
    raw_events = enricher._adapters.adapt(payload)
    clock.passed("payload to events")
    if isinstance(raw_events, BadRow):
        return
    base, failures = enricher._manager.set_up(payload)
    clock.passed("columns of the payload")
    place = RecordPlace(record)
    for ordinal, raw in enumerate(raw_events):
        clock.start()
        results = enricher._manager.enrich(raw, base, failures, Place(place, ordinal), clock.passed)
        clock.passed("derived_contexts, lengths")
        for result in results:
            if isinstance(result, EnrichedEvent):
                line = result.to_tsv()
                clock.passed("line")
                yield line
