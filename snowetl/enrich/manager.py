"""From one raw event to its results, phase by phase (enrich 3.9.0 ``EnrichmentManager``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from snowetl.caching import Memo
from snowetl.enrich import conversions, event_id
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments.base import Lookup
from snowetl.enrich.event_id import Place
from snowetl.enrich.failure_entities import one_violation
from snowetl.enrich.lengths import LengthCheck, TooLong
from snowetl.enrich.lengths import failures as length_failures
from snowetl.enrich.pii_event import pii_event
from snowetl.enrich.salvage import Columns, Failure, Phase, Salvager, Watch
from snowetl.enrich.self_describing import (
    EntityValidator,
    Invalid,
    InvalidEntity,
    Schemas,
    check_contexts,
    check_unstruct_event,
    contexts_text,
    no_json,
)
from snowetl.enrich.steps import PlacedStep, arrange
from snowetl.enrich.tracker_parameters import CONTEXTS, UNSTRUCT_EVENT, Parsed, fill_columns
from snowetl.iglu.client import is_deeper
from snowetl.jvm import jsontext, timestamps
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Message, Origin
from snowetl.model.event import EMPTY, EnrichedEvent
from snowetl.model.fields import INDEX, NAMES
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.result import Discard, Result

_EVENT_ID: Final = INDEX["event_id"]
_DERIVED_CONTEXTS: Final = INDEX["derived_contexts"]
_IP_ADDRESS: Final = INDEX["user_ipaddress"]
_USERAGENT: Final = INDEX["useragent"]
_V_COLLECTOR: Final = INDEX["v_collector"]

_TOO_DEEP: Final = "Maximum allowed JSON depth exceeded"

PARAMETERS: Final = "parameters"
"""The first name a watch hears: the conversion of the parameters, which is not a step."""


class EnrichmentManager:
    """Built once per worker. ``configured`` are the enrichments, ready to run; their places make their order.

    ``one_bad_row`` makes one ``schema_violations`` of what 3.9.0 makes ``enrichment_failures``, one after the other, of
    (enrich 4.2.0): parameters that cannot be converted, with invalid JSON columns; and invalid entities of enrichments,
    with columns that are too long. ``failed_events`` adds a failed event to the bad row of each event.
    ``max_json_depth`` is how deep ``contexts`` and ``unstruct_event`` may be nested.
    """

    def __init__(
        self,
        schemas: Schemas,
        origin: Origin,
        configured: Iterable[PlacedStep] = (),
        *,
        legacy_order: bool = False,
        accept_invalid: bool = False,
        pii_events: bool = False,
        one_bad_row: bool = False,
        failed_events: bool = False,
        atomic_limits: Mapping[str, int] | None = None,
        max_json_depth: int | None = None,
    ) -> None:
        self._schemas = schemas
        self._origin = origin
        self._steps, self._privacy_steps = arrange(configured, legacy=legacy_order)
        self.entities = EntityValidator(schemas)
        self._lengths = LengthCheck(atomic_limits)
        self._accept_invalid = accept_invalid
        self._pii_events = pii_events
        self._one_bad_row = one_bad_row
        self._max_depth = max_json_depth
        self._salvager = Salvager(self, origin) if failed_events else None
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
            event.texts[_USERAGENT] = _useragents[useragent] or EMPTY
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
        with :data:`PARAMETERS` after their conversion. The first phase that finds a failure makes the bad row; where
        failed events are wanted, the event goes on from there (:mod:`snowetl.enrich.salvage`).
        """
        event = EnrichedEvent(base.copy())
        draft = Draft(event, raw)
        parsed, unread = fill_columns(raw.parameters, event.texts)
        if not event.texts[_EVENT_ID]:
            event.texts[_EVENT_ID] = event_id.derive(place)
        if watch is not None:
            watch(PARAMETERS, draft)
        if base_failures:
            unread = base_failures + unread
        if unread and not self._one_bad_row:
            row = badrow.enrichment_failures(self._origin, event, raw, unread)
            return self._refuse(row, Failure(draft, Phase.PARAMETERS, unread=unread, parsed=parsed), watch)
        columns = self.check(draft, parsed)
        violations = _violations(columns)
        if violations or unread:
            row = badrow.schema_violations(self._origin, event, raw, one_violation(unread, ()) + violations)
            return self._refuse(row, Failure(draft, Phase.JSON, unread=unread, columns=columns), watch)
        notes = self.accept(draft, columns)
        contexts, unstruct_event = event.texts[CONTEXTS], event.texts[UNSTRUCT_EVENT]
        self.run_steps(draft, watch)
        if discarded := _discarded(draft):
            return discarded
        if draft.failures:
            row = badrow.enrichment_failures(self._origin, event, raw, draft.failures)
            before = {CONTEXTS: contexts, UNSTRUCT_EVENT: unstruct_event}
            return self._refuse(row, Failure(draft, Phase.STEPS, before=before, notes=notes), watch)
        if event.texts[CONTEXTS] is not contexts or event.texts[UNSTRUCT_EVENT] is not unstruct_event:
            columns = self.check_written(draft, {CONTEXTS: contexts, UNSTRUCT_EVENT: unstruct_event})
            violations = _violations(columns)
            if violations:
                row = badrow.schema_violations(self._origin, event, raw, violations)
                return self._refuse(row, Failure(draft, Phase.WRITTEN, columns=columns, notes=notes), watch)
            notes = list(dict.fromkeys(notes + self.accept(draft, columns)))
        invalid: list[InvalidEntity] = []
        if draft.entities or notes:
            invalid, more = self.entities.check(draft.entities)
            if more:
                notes = list(dict.fromkeys(notes + more))
            event.texts[_DERIVED_CONTEXTS] = contexts_text(draft.entities + notes)
            if invalid and not self._one_bad_row:
                row = badrow.enrichment_failures(self._origin, event, raw, [one.failure() for one in invalid])
                return self._refuse(row, Failure(draft, Phase.ENTITIES, invalid=invalid), watch)
        self.run_privacy_steps(draft, watch)
        if discarded := _discarded(draft):
            return discarded
        too_long = self.too_long(draft)
        if invalid or too_long or draft.failures:
            row = self._last_bad_row(draft, invalid, too_long)
            return self._refuse(row, Failure(draft, Phase.END, invalid=invalid, too_long=too_long), watch)
        if event.pii and self._pii_events:
            draft.emit(pii_event(event))
        return [event] if draft.emitted is None else [event, *draft.emitted]

    def _last_bad_row(self, draft: Draft, invalid: list[InvalidEntity], too_long: list[TooLong]) -> BadRow:
        """Of an event that failed in its last phase."""
        if self._one_bad_row and (invalid or too_long):
            messages = [one.violation() for one in invalid] + one_violation((), too_long)
            return badrow.schema_violations(self._origin, draft.event, draft.raw, messages)
        messages = draft.failures + length_failures(too_long)
        return badrow.enrichment_failures(self._origin, draft.event, draft.raw, messages)

    def _refuse(self, row: BadRow, failure: Failure, watch: Watch | None) -> list[Result]:
        """The bad row and, where that is wanted, what is valid of the event."""
        failed = None if self._salvager is None else self._salvager.failed_event(failure, watch)
        return [row] if failed is None else [row, failed]

    def lookup_keys(
        self, raw: RawEvent, base: list[str], lookups: Sequence[Lookup], wanted: frozenset[str]
    ) -> list[tuple[str, str]]:
        """(name of the lookup, key) of what the event will ask for. ``base`` comes from :meth:`set_up`, ``wanted`` are
        the parameters that fill the lookups' columns.
        """
        draft = Draft(EnrichedEvent(base.copy()), raw)
        if raw.parameters:
            fill_columns({name: value for name, value in raw.parameters.items() if name in wanted}, draft.values)
        keys = [(lookup.name, lookup.key(draft)) for lookup in lookups]
        return [(name, key) for name, key in keys if key is not None]

    # --- phases ---------------------------------------------------------------------------------------------------

    def check(self, draft: Draft, parsed: Parsed) -> Columns:
        """Check the parsed JSON columns; nothing is changed."""
        values = draft.values
        columns: Columns = []
        if self._max_depth is not None:
            deep = [index for index in parsed if is_deeper(parsed[index], self._max_depth)]
            columns += [(index, no_json(NAMES[index], values[index], _TOO_DEEP)) for index in deep]
            parsed = {index: value for index, value in parsed.items() if index not in deep}
        if CONTEXTS in parsed:
            columns.append((CONTEXTS, check_contexts(self._schemas, parsed[CONTEXTS], values[CONTEXTS])))
        if UNSTRUCT_EVENT in parsed:
            checked = check_unstruct_event(self._schemas, parsed[UNSTRUCT_EVENT], values[UNSTRUCT_EVENT])
            columns.append((UNSTRUCT_EVENT, checked))
        return columns

    def check_written(self, draft: Draft, before: Mapping[int, str]) -> Columns:
        """Check the JSON columns that a step (a script) wrote, as :meth:`check` does (enrich 6.4.0)."""
        parsed: Parsed = {}
        columns: Columns = []
        for index, text in before.items():
            changed = draft.values[index]
            if changed is text or not changed:
                continue
            try:
                parsed[index], draft.values[index] = jsontext.loads_compact(changed)
            except jsontext.JsonError as error:
                columns.append((index, no_json(NAMES[index], changed, f"invalid json: {error}")))
        return columns + self.check(draft, parsed)

    @staticmethod
    def accept(draft: Draft, columns: Columns) -> list[Entity]:
        """Write the checked columns, without what is invalid in them; returns superseding notes."""
        notes: list[Entity] = []
        for index, checked in columns:
            column = checked.rest if isinstance(checked, Invalid) else checked
            draft.values[index] = column.text
            if column.key is not None:
                draft.event_key = column.key
            notes += column.notes
        return list(dict.fromkeys(notes))

    def run_steps(self, draft: Draft, watch: Watch | None) -> None:
        """The enrichments that make the event."""
        for name, step in self._steps:
            step(draft)
            if watch is not None:
                watch(name, draft)

    def run_privacy_steps(self, draft: Draft, watch: Watch | None) -> None:
        """The enrichments that see the finished event, and the last touch to its columns."""
        for name, step in self._privacy_steps:
            step(draft)
            if watch is not None:
                watch(name, draft)
        draft.values[_V_COLLECTOR] = _one_cell(draft.values[_V_COLLECTOR])  # the reference lets a tab break the line

    def too_long(self, draft: Draft) -> list[TooLong]:
        """The columns that are too long, unless these are accepted."""
        return [] if self._accept_invalid else self._lengths.check(draft.values)


def _discarded(draft: Draft) -> list[Result]:
    """What an event that was dropped ends as; empty for one that was not."""
    return [] if draft.dropped is None else [Discard(draft.dropped)]


def _violations(columns: Columns) -> list[Message]:
    return [one.message for _, checked in columns if isinstance(checked, Invalid) for one in checked.violations]


def _one_cell(text: str) -> str:
    """Line breaks go, tabs become four spaces; other control characters stay."""
    if text.isprintable():
        return text
    return text.replace("\r", "").replace("\n", "").replace("\t", "    ")


_useragents: Final = Memo(_one_cell, 4096, 1024)


def _collector_tstamp_failure(value: str | None, expectation: str) -> Message:
    return badrow.enrichment_message(badrow.input_data("collector_tstamp", value, expectation))
