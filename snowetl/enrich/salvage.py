"""What is valid of an event that failed (enrich 5.0.0 "failed events"; docs/failed-events.md).

The bad row is made where the event failed first, and stays as it is. From there on the event goes through the phases
that are left, without its invalid pieces, so that as much as possible of it can be queried and mended; each failure
becomes an entity in ``derived_contexts``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.failure_entities import FailureEntities
from snowetl.enrich.lengths import TooLong
from snowetl.enrich.self_describing import Column, Invalid, InvalidEntity, contexts_text
from snowetl.enrich.tracker_parameters import CONTEXTS, UNSTRUCT_EVENT, Parsed
from snowetl.errors import SnowetlError
from snowetl.jvm import jsontext
from snowetl.model.badrow import Message, Origin
from snowetl.model.fields import INDEX, NAMES
from snowetl.model.result import FailedEvent

if TYPE_CHECKING:
    from snowetl.enrich.manager import EnrichmentManager

Watch = Callable[[str, Draft], None]
Columns = list[tuple[int, Column | Invalid]]
"""Checked JSON columns, by index."""

_COLLECTOR_TSTAMP, _ETL_TSTAMP = INDEX["collector_tstamp"], INDEX["etl_tstamp"]
_DERIVED_TSTAMP, _TRUE_TSTAMP = INDEX["derived_tstamp"], INDEX["true_tstamp"]
_DERIVED_CONTEXTS = INDEX["derived_contexts"]
_VERSIONS = (INDEX["v_collector"], INDEX["v_etl"])
_UNKNOWN = "unknown"


class Phase(IntEnum):
    """Where an event failed for the first time: phases of :meth:`EnrichmentManager.enrich`, in order."""

    PARAMETERS = 1
    """Parameters were converted to columns."""
    JSON = 2
    """The JSON columns were checked."""
    STEPS = 3
    """The enrichments have run."""
    WRITTEN = 4
    """The JSON columns that enrichments wrote were checked."""
    ENTITIES = 5
    """The entities of enrichments were checked, and written."""
    END = 6
    """Privacy enrichments have run, lengths were checked."""


@dataclass(slots=True)
class Failure:
    """An event that failed, and what the phases up to ``phase`` have found. ``draft.failures`` belong to it."""

    draft: Draft
    phase: Phase
    unread: Sequence[Message] = ()
    """Parameters that could not be converted."""
    parsed: Parsed = field(default_factory=dict)
    """JSON columns that are still to be checked."""
    columns: Columns = field(default_factory=list)
    """JSON columns that were checked, and are still to be written."""
    before: Mapping[int, str] = field(default_factory=dict)
    """The JSON columns as they were before the enrichments ran."""
    notes: list[Entity] = field(default_factory=list)
    """Entities that tell of superseded schemas."""
    invalid: Sequence[InvalidEntity] = ()
    too_long: Sequence[TooLong] = ()


class Salvager:
    """Makes failed events. ``manager`` knows the phases."""

    def __init__(self, manager: EnrichmentManager, origin: Origin) -> None:
        self._manager = manager
        self._entities = FailureEntities(origin)

    def failed_event(self, failure: Failure, watch: Watch | None) -> FailedEvent | None:
        """The event without what is invalid in it; ``None`` if an enrichment drops it, or breaks on it.

        What breaks in phases that the event would not have reached must not cost it its bad row, and an event that has
        not been through the privacy enrichments must not get out.
        """
        draft = failure.draft
        try:
            failures = list(self._go_on(failure, watch))
        except SnowetlError:
            raise
        except Exception:
            return None
        if draft.dropped is not None:
            return None
        _fill_required(draft.values)
        draft.values[_DERIVED_CONTEXTS] = _with_more(draft.values[_DERIVED_CONTEXTS], failures)
        return FailedEvent(draft.event)

    def _go_on(self, failure: Failure, watch: Watch | None) -> Iterator[Entity]:
        """Do what is left to do for the event; yields its failures in the order of the phases."""
        manager, entities, draft, phase = self._manager, self._entities, failure.draft, failure.phase
        yield from entities.of_parameters(failure.unread)
        columns, notes, before = failure.columns, failure.notes, failure.before
        if phase <= Phase.JSON:
            if phase < Phase.JSON:
                columns = manager.check(draft, failure.parsed)
            yield from self._accept(draft, columns, notes)
            before = {index: draft.values[index] for index in (CONTEXTS, UNSTRUCT_EVENT)}
            manager.run_steps(draft, watch)
        if phase <= Phase.STEPS:
            yield from self._take_failures(draft)
            columns = manager.check_written(draft, before)
        if phase <= Phase.WRITTEN:
            yield from self._accept(draft, columns, notes)
            failure.invalid, more = manager.entities.check(draft.entities)
            notes += [note for note in more if note not in notes]
            if draft.entities or notes:
                draft.values[_DERIVED_CONTEXTS] = contexts_text(draft.entities + notes)
        yield from entities.of_entities(failure.invalid)
        _take_out(draft, failure.invalid)
        if phase <= Phase.ENTITIES:
            manager.run_privacy_steps(draft, watch)
            failure.too_long = manager.too_long(draft)
        yield from self._take_failures(draft)
        yield from entities.of_lengths(failure.too_long, draft.values)
        for one in failure.too_long:
            draft.values[one.column] = ""

    def _accept(self, draft: Draft, columns: Columns, notes: list[Entity]) -> Iterator[Entity]:
        for index, checked in columns:
            if isinstance(checked, Invalid):
                yield from self._entities.of_column(NAMES[index], checked.violations)
        notes += [note for note in self._manager.accept(draft, columns) if note not in notes]

    def _take_failures(self, draft: Draft) -> Iterator[Entity]:
        """Those of enrichments: they stand latest first."""
        yield from self._entities.of_enrichments(draft.failures)
        draft.failures = []


def _take_out(draft: Draft, invalid: Sequence[InvalidEntity]) -> None:
    """Remove invalid entities from ``derived_contexts``, where they stand in the order of ``draft.entities``."""
    if not invalid:
        return
    out = {one.entity for one in invalid}
    places = {place for place, entity in enumerate(draft.entities) if entity in out}
    column = jsontext.loads(draft.values[_DERIVED_CONTEXTS])["data"]
    kept = [Entity("", jsontext.dumps(entity)) for place, entity in enumerate(column) if place not in places]
    draft.values[_DERIVED_CONTEXTS] = contexts_text(kept) if kept else ""


def _with_more(text: str, entities: Sequence[Entity]) -> str:
    """A contexts column with ``entities`` behind those it has."""
    added = contexts_text(list(entities))
    return f"{text[:-2]},{added[added.index('[') + 1 :]}" if text else added


def _fill_required(values: list[str]) -> None:
    """Fill the columns without which no event can be loaded; the run's time stands for the collector's."""
    if not values[_COLLECTOR_TSTAMP]:
        values[_COLLECTOR_TSTAMP] = values[_ETL_TSTAMP]
        values[_DERIVED_TSTAMP] = values[_TRUE_TSTAMP] or values[_COLLECTOR_TSTAMP]
    for index in _VERSIONS:
        values[index] = values[index] or _UNKNOWN
