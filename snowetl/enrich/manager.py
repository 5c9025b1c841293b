"""From one raw event to its results, phase by phase (enrich 3.9.0 ``EnrichmentManager``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from snowetl.enrich import conversions, event_id
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments.base import Lookup
from snowetl.enrich.event_id import Place
from snowetl.enrich.lengths import LengthCheck
from snowetl.enrich.pii_event import pii_event
from snowetl.enrich.self_describing import (
    EntityValidator,
    Schemas,
    check_contexts,
    check_unstruct_event,
    contexts_text,
)
from snowetl.enrich.steps import NamedSteps, PlacedStep, arrange
from snowetl.enrich.tracker_parameters import CONTEXTS, UNSTRUCT_EVENT, Parsed, fill_columns, parameters_of
from snowetl.jvm import jsontext, timestamps
from snowetl.model import badrow
from snowetl.model.badrow import Message, Origin
from snowetl.model.event import EMPTY, EnrichedEvent
from snowetl.model.fields import INDEX, NAMES
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.result import Discard, Result

_EVENT_ID = INDEX["event_id"]
_DERIVED_CONTEXTS = INDEX["derived_contexts"]
_IP_ADDRESS = INDEX["user_ipaddress"]
_USERAGENT = INDEX["useragent"]
_V_COLLECTOR = INDEX["v_collector"]

PARAMETERS = "parameters"
"""The first name a watch hears: the conversion of the parameters, which is not a step."""

Watch = Callable[[str, Draft], None]


class EnrichmentManager:
    """Built once per worker. ``configured`` are the enrichments, ready to run; their places make their order."""

    def __init__(
        self,
        schemas: Schemas,
        origin: Origin,
        configured: Iterable[PlacedStep] = (),
        *,
        legacy_order: bool = False,
        accept_invalid: bool = False,
        pii_events: bool = False,
        atomic_limits: Mapping[str, int] | None = None,
    ) -> None:
        self._schemas = schemas
        self._origin = origin
        self._steps, self._privacy_steps = arrange(configured, legacy=legacy_order)
        self._entities = EntityValidator(schemas)
        self._lengths = LengthCheck(atomic_limits)
        self._accept_invalid = accept_invalid
        self._pii_events = pii_events
        blank = EnrichedEvent()
        blank["etl_tstamp"] = timestamps.to_tsv(origin.timestamp)
        blank["v_etl"] = f"{origin.artifact}-{origin.version}"
        self._blank = blank.texts

    def set_up(self, payload: CollectorPayload) -> tuple[list[str], list[Message]]:
        """The columns every event of a payload starts with, and what is wrong with the collector's time."""
        event = EnrichedEvent(self._blank.copy())
        event.texts[_V_COLLECTOR] = payload.collector or EMPTY
        event["network_userid"] = payload.network_userid
        if payload.ip_address is not None:
            event.texts[_IP_ADDRESS] = conversions.ip_first(payload.ip_address)
        useragent = payload.useragent
        if useragent is not None:
            event.texts[_USERAGENT] = _one_cell(useragent) or EMPTY
        millis = payload.timestamp
        if millis is None:
            return event.texts, [_collector_tstamp_failure(None, "should be set")]
        text = timestamps.to_tsv(millis)
        if not timestamps.in_warehouse_range(millis):
            expectation = f"formatted as {text} is not Redshift-compatible"
            return event.texts, [_collector_tstamp_failure(timestamps.to_iso(millis), expectation)]
        event["collector_tstamp"] = text
        return event.texts, []

    def enrich(
        self,
        raw: RawEvent,
        base: list[str],
        base_failures: list[Message],
        place: Place,
        watch: Watch | None = None,
    ) -> list[Result]:
        """One event through all phases: the event or a bad row, and events that enrichments emitted; or a discard.

        ``base`` and ``base_failures`` come from :meth:`set_up`; an event without an id gets one derived from
        ``place``; ``watch`` is called with each step's name and the draft after it, and first of all
        with :data:`PARAMETERS` after their conversion.
        """
        event = EnrichedEvent(base.copy())
        draft = Draft(event, raw)
        parsed, failures = fill_columns(raw.parameters, event.texts)
        if not event.texts[_EVENT_ID]:
            event.texts[_EVENT_ID] = event_id.derive(place)
        if watch is not None:
            watch(PARAMETERS, draft)
        if base_failures or failures:
            return [badrow.enrichment_failures(self._origin, event, raw, base_failures + failures)]
        notes, violations = self._validate(draft, parsed)
        if violations:
            return [badrow.schema_violations(self._origin, event, raw, violations)]
        contexts, unstruct_event = event.texts[CONTEXTS], event.texts[UNSTRUCT_EVENT]
        self._run(self._steps, draft, watch)
        if draft.dropped is not None:
            return [Discard(draft.dropped)]
        if draft.failures:
            return [badrow.enrichment_failures(self._origin, event, raw, draft.failures)]
        if event.texts[CONTEXTS] is not contexts or event.texts[UNSTRUCT_EVENT] is not unstruct_event:
            more, violations = self._validate_changed(draft, {CONTEXTS: contexts, UNSTRUCT_EVENT: unstruct_event})
            if violations:
                return [badrow.schema_violations(self._origin, event, raw, violations)]
            notes = list(dict.fromkeys(notes + more))
        if draft.entities or notes:
            event.texts[_DERIVED_CONTEXTS] = contexts_text(draft.entities + notes)
            failures = self._entities.check(draft.entities)
            if failures:
                return [badrow.enrichment_failures(self._origin, event, raw, failures)]
        self._run(self._privacy_steps, draft, watch)
        if draft.dropped is not None:
            return [Discard(draft.dropped)]
        event.texts[_V_COLLECTOR] = _one_cell(event.texts[_V_COLLECTOR])  # the reference lets a tab break the line
        failures = self._lengths.check(event.texts)
        if draft.failures or (failures and not self._accept_invalid):
            return [badrow.enrichment_failures(self._origin, event, raw, draft.failures + failures)]
        if event.pii and self._pii_events:
            draft.emit(pii_event(event))
        return [event] if draft.emitted is None else [event, *draft.emitted]

    def lookup_keys(self, raw: RawEvent, base: list[str], lookups: Sequence[Lookup]) -> Iterator[tuple[str, str]]:
        """(name of the lookup, key) of what the event will ask for. ``base`` comes from :meth:`set_up`."""
        draft = Draft(EnrichedEvent(base.copy()), raw)
        wanted = parameters_of(tuple(dict.fromkeys(column for lookup in lookups for column in lookup.columns)))
        fill_columns({name: value for name, value in raw.parameters.items() if name in wanted}, draft.values)
        for lookup in lookups:
            key = lookup.key(draft)
            if key is not None:
                yield lookup.name, key

    def _validate(self, draft: Draft, parsed: Parsed) -> tuple[list[Entity], list[Message]]:
        """Check the input JSON columns and re-wrap them; returns superseding notes and violations."""
        if not parsed:
            return [], []
        values = draft.values
        notes: list[Entity] = []
        violations: list[Message] = []
        columns = []
        if CONTEXTS in parsed:
            contexts = check_contexts(self._schemas, parsed[CONTEXTS], values[CONTEXTS])
            columns.append((CONTEXTS, contexts))
        if UNSTRUCT_EVENT in parsed:
            unstruct = check_unstruct_event(self._schemas, parsed[UNSTRUCT_EVENT], values[UNSTRUCT_EVENT])
            columns.append((UNSTRUCT_EVENT, unstruct))
        for _, column in columns:
            if isinstance(column, list):
                violations += column
        if violations:
            return notes, violations
        for index, column in columns:
            assert not isinstance(column, list)
            values[index] = column.text
            if column.key is not None:
                draft.event_key = column.key
            notes += column.notes
        return list(dict.fromkeys(notes)), violations

    def _validate_changed(self, draft: Draft, before: Mapping[int, str]) -> tuple[list[Entity], list[Message]]:
        """Check the JSON columns that a step (a script) wrote, as :meth:`_validate` does (enrich 6.4.0)."""
        parsed: Parsed = {}
        violations: list[Message] = []
        for index, text in before.items():
            changed = draft.values[index]
            if changed is text or not changed:
                continue
            try:
                parsed[index], draft.values[index] = jsontext.loads_compact(changed)
            except jsontext.JsonError as error:
                violations.append(badrow.not_json(NAMES[index], changed, f"invalid json: {error}"))
        if violations:
            return [], violations
        return self._validate(draft, parsed)

    @staticmethod
    def _run(steps: NamedSteps, draft: Draft, watch: Watch | None) -> None:
        for name, step in steps:
            step(draft)
            if watch is not None:
                watch(name, draft)


def _one_cell(text: str) -> str:
    """Line breaks go, tabs become four spaces; other control characters stay."""
    if text.isprintable():
        return text
    return text.replace("\r", "").replace("\n", "").replace("\t", "    ")


def _collector_tstamp_failure(value: str | None, expectation: str) -> Message:
    return badrow.enrichment_message(badrow.input_data("collector_tstamp", value, expectation))
