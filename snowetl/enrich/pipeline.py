"""The whole way of one collector record, on one page (enrich 3.9.0 ``EtlPipeline``)."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeGuard

from snowetl.adapters.registry import AdapterRegistry
from snowetl.collector import loader_for
from snowetl.enrich.compatibility import DEFAULT_ERA
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments.base import Lookup
from snowetl.enrich.event_id import Place, RecordPlace
from snowetl.enrich.manager import PARAMETERS, EnrichmentManager
from snowetl.enrich.size import FEW_EVENTS, events_left_out, length, limit_size
from snowetl.enrich.tracker_parameters import parameters_of
from snowetl.errors import ConfigError, SnowetlError
from snowetl.iglu.client import IgluClient
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Message, Origin, collector_payload_json
from snowetl.model.fields import NAMES
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.result import Discard, FailedEvent, Result
from snowetl.storage.records import Damage, Record
from snowetl.storage.structs import MESSAGE_STARTS, member_codec, unpacked

AnyRecord = bytes | str | Record | object
"""What may be taken for a record: other types of bytes can be read, what remains is refused with ``ConfigError``."""

OF_PAYLOAD, OF_PARAMETERS = "columns of the payload", "columns of the parameters"
"""Stages of :meth:`Enricher.explain`: what the collector's record fills, and what the event's parameters fill."""


class Refused(NamedTuple):
    """A record that has no events, and why."""

    rows: list[BadRow]


class Enricher:
    """Turns collector records into enriched events and bad rows. Build one per worker; it is not thread-safe.

    Close it (it is a context manager) to give back what its enrichments hold: connections, files, downloads. Raises
    ``ConfigError`` or ``AssetError`` when the configuration cannot be put to work here.
    """

    def __init__(self, config: EnrichConfig) -> None:
        if not isinstance(config, EnrichConfig):
            raise ConfigError(f"An Enricher is built from what EnrichConfig.load returns, not from {config!r:.80}")
        self._stack = ExitStack()
        self._lookups = config.lookups()
        self._origin = Origin(*config.processor, config.etl_tstamp)
        self.iglu = IgluClient(config.resolver, now=config.etl_tstamp, on_registry_failure=config.on_registry_failure)
        self._max_bytes = config.max_record_bytes
        self._max_output_bytes = config.max_output_bytes
        self._loader = loader_for(
            config.input_format, self._origin, try_base64=config.try_base64, recoveries=config.recoveries
        )
        self._adapters = AdapterRegistry(
            self.iglu,
            self._origin,
            schemas=config.adapter_schemas,
            remote=config.remote_adapters,
            later=config.compatibility.webhook_schemas != DEFAULT_ERA,
        )
        self._manager = EnrichmentManager(
            self.iglu,
            self._origin,
            self._stack.enter_context(config.open(self.iglu)),
            legacy_order=config.legacy_enrichment_order,
            accept_invalid=config.accept_invalid,
            pii_events=config.pii_events,
            one_bad_row=config.compatibility.one_bad_row,
            failed_events=config.failed_events,
            atomic_limits=config.compatibility.lengths(config.atomic_limits),
            max_json_depth=config.compatibility.depth_limit,
        )

    def __enter__(self) -> Enricher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()

    def process(self, record: AnyRecord, source: str = "", number: int = 0) -> Iterator[Result]:
        """The results of one record, in event order, each made when it is asked for; none if the record is discarded
        (a header line). An event that an enrichment dropped is a ``Discard``. Where failed events are wanted, the bad
        row of an event is followed by a ``FailedEvent``.

        ``source`` and ``number`` say where the record stands (file name, place in it); ids of events that carry none
        derive from them and from the record, so a second run gives the same. A :class:`~snowetl.storage.Record` knows
        its number. A Thrift record that is a compressed message (a batch of the collector's, as in its stream) becomes
        the results of the records in it. Memory holds one result at a time, whatever a record becomes; past
        ``max_output_bytes`` of results the rest of its events is one
        ``size_violation``. Raises ``RegistryUnavailable`` when a schema registry does not answer (unless configured
        otherwise); anything else unforeseen becomes a ``generic_error`` bad row, for the event it happens to or for
        the whole record. Raises ``ConfigError`` for a ``record`` of another type.
        """
        if not isinstance(record, (bytes, str)):
            record, number = _data_and_number(record, number)
        if self._is_batch(record):
            results = self._process_batch(record, source, number)
        else:
            results = self._process(record, source, number)
        return results if self._max_bytes is None else map(self._limited, results)

    def _is_batch(self, record: bytes | str) -> TypeGuard[bytes]:
        """Whether a record is a compressed message. Files are unpacked by those who read them."""
        if record[:1] not in MESSAGE_STARTS or not isinstance(record, bytes):
            return False
        return self._loader.binary and member_codec(record) is not None

    def _process_batch(self, batch: bytes, source: str, number: int) -> Iterator[Result]:
        for item in unpacked(batch, number, source, members=True):
            if isinstance(item, Damage):
                yield self._of_damage(item, batch)
            else:
                yield from self._process(item.data, source, item.number)

    def _of_damage(self, damage: Damage, batch: bytes) -> BadRow:
        reason = badrow.simple_error(damage.reason)
        return badrow.format_violation(self._origin, self._loader.name, reason, damage.data or batch)

    def _limited(self, result: Result) -> Result:
        """The result, or the size violation that stands for it."""
        return result if self._max_bytes is None else limit_size(self._origin, result, self._max_bytes)

    def _process(self, record: bytes | str, source: str, number: int) -> Iterator[Result]:
        try:
            raw_events = self._raw_events(record)
        except SnowetlError:
            raise
        except Exception as error:
            return iter([badrow.generic_error(self._origin, [_describe(error)], record)])
        if isinstance(raw_events, Refused):
            return iter(raw_events.rows)
        return self._enrich(raw_events, record, RecordPlace(record, source, number))

    def _raw_events(self, record: bytes | str) -> list[RawEvent] | Refused:
        """What loader and adapter make of a record; empty for one that is discarded."""
        payload = self._payload(record)
        if payload is None:
            return []
        if isinstance(payload, list):
            return Refused(payload)
        raw_events = self._adapters.adapt(payload)
        return Refused([raw_events]) if isinstance(raw_events, BadRow) else raw_events

    def _payload(self, record: bytes | str) -> CollectorPayload | list[BadRow] | None:
        """What the loader makes of a record: a payload, why there is none, or nothing for a header line."""
        payload = self._loader.load(record)
        if payload is not None and not isinstance(payload, list) and payload.useragent is not None:
            payload.useragent = self._loader.decode_useragent(payload.useragent)
        return payload

    def _enrich(self, raw_events: list[RawEvent], record: bytes | str, place: RecordPlace) -> Iterator[Result]:
        manager = self._manager
        base: list[str] = []
        failures: list[Message] = []
        base_of = None
        count, size, limit = len(raw_events), 0, self._max_output_bytes
        for ordinal, raw in enumerate(raw_events):
            if size > limit:
                yield events_left_out(self._origin, ordinal, count, size, limit, record)
                return
            try:
                if raw.payload is not base_of:
                    base, failures = manager.set_up(raw.payload)
                    base_of = raw.payload
                results = manager.enrich(raw, base, failures, Place(place, ordinal))
            except SnowetlError:
                raise
            except Exception as error:
                results = [badrow.generic_error(self._origin, [_describe(error)], record)]
            yield from results
            if count > FEW_EVENTS:
                size += sum(map(length, results))

    def lookup_keys(self, record: bytes | str, lookups: Sequence[Lookup] | None = None) -> Iterator[tuple[str, str]]:
        """(name of the lookup, key) of what the record's events will ask the tables made before the run for.

        ``lookups`` are those of the configuration, unless given. Where only the collector's columns count, the body is
        not read. A record or event that cannot be read asks for nothing that matters: the run itself makes a bad row of
        it. Raises ``RegistryUnavailable``.
        """
        asked = self._lookups if lookups is None else lookups
        wanted = _parameters_of(tuple(dict.fromkeys(column for lookup in asked for column in lookup.columns)))
        try:
            raw_events = self._raw_events_with(wanted, record)
        except SnowetlError:
            raise
        except Exception:
            return
        base: list[str] = []
        base_of = None
        for raw in raw_events:
            try:
                if raw.payload is not base_of:
                    base, _ = self._manager.set_up(raw.payload)
                    base_of = raw.payload
                keys = self._manager.lookup_keys(raw, base, asked, wanted)
            except SnowetlError:
                raise
            except Exception:
                continue
            yield from keys

    def _raw_events_with(self, wanted: frozenset[str], record: bytes | str) -> list[RawEvent]:
        """The events of a record by their parameters ``wanted``: where none has one, one stands for them all."""
        payload = self._payload(record)
        if payload is None or isinstance(payload, list):
            return []
        if not self._adapters.may_hold(payload, wanted):
            return [RawEvent(payload, {})]
        raw_events = self._adapters.adapt(payload)
        return [] if isinstance(raw_events, BadRow) else raw_events

    def explain(self, record: AnyRecord, source: str = "", number: int = 0) -> Iterator[tuple[str, Any]]:
        """The way of one record as (stage, what it made), for people: loader, adapter, columns, each step, the result.

        Arguments as of :meth:`process`.
        """
        if not isinstance(record, (bytes, str)):
            record, number = _data_and_number(record, number)
        if self._is_batch(record):
            for item in unpacked(record, number, source, members=True):
                if isinstance(item, Damage):
                    yield _stage(self._limited(self._of_damage(item, record)), "loader")
                else:
                    yield from self._explain(item.data, source, item.number)
            return
        yield from self._explain(record, source, number)

    def _explain(self, record: bytes | str, source: str, number: int) -> Iterator[tuple[str, Any]]:
        payload = self._loader.load(record)
        if payload is None:
            yield "loader", f"{self._loader.name}: discarded (a header line, or an empty one)"
            return
        if isinstance(payload, list):
            for row in payload:
                yield _stage(self._limited(row), "loader")
            return
        if payload.useragent is not None:
            payload.useragent = self._loader.decode_useragent(payload.useragent)
        yield "payload", collector_payload_json(payload)
        raw_events = self._adapters.adapt(payload)
        if isinstance(raw_events, BadRow):
            yield _stage(self._limited(raw_events), "adapter")
            return
        record_place = RecordPlace(record, source, number)
        for ordinal, raw in enumerate(raw_events):
            yield "raw event", raw.parameters
            changes = _Changes()
            base, failures = self._manager.set_up(raw.payload)
            changes.last = list(base)
            yield OF_PAYLOAD, {name: value for name, value in zip(NAMES, base, strict=True) if value}
            place = Place(record_place, ordinal)
            results = self._manager.enrich(raw, base, failures, place, watch=changes.note)
            yield from changes.steps
            for result in results:
                yield _stage(self._limited(result), "bad row")


_parameters_of: Final = lru_cache(maxsize=64)(parameters_of)


def _stage(result: Result, of_bad_rows: str) -> tuple[str, Any]:
    """The last stage of :meth:`Enricher.explain`."""
    if isinstance(result, BadRow):
        return of_bad_rows, result.to_dict()
    if isinstance(result, Discard):
        return "discarded", result.reason
    stage, event = ("failed event", result.event) if isinstance(result, FailedEvent) else ("event", result)
    return stage, {name: value for name, value in event.to_dict().items() if value is not None}


def _data_and_number(record: object, number: int) -> tuple[bytes | str, int]:
    if isinstance(record, Record):
        return record
    if isinstance(record, (bytearray, memoryview)):
        return bytes(record), number
    raise ConfigError(
        f"A record is bytes (format thrift), str (a line of the other formats) or a storage Record, "
        f"not {type(record).__name__}: {record!r:.80}"
    )


class _Changes:
    """What each step changed in the event."""

    def __init__(self) -> None:
        self.last: list[str] = []
        self.steps: list[tuple[str, Any]] = []

    def note(self, step: str, draft: Draft) -> None:
        now = list(draft.values)
        changed: dict[str, Any] = {
            name: new for name, old, new in zip(NAMES, self.last, now, strict=True) if old != new
        }
        if draft.entities:
            known = {entity for _, what in self.steps for entity in what.get("entities", [])}
            fresh = [entity.json for entity in draft.entities if entity.json not in known]
            if fresh:
                changed["entities"] = fresh
        self.last = now
        self.steps.append((OF_PARAMETERS if step is PARAMETERS else f"step {step}", changed))


def _describe(error: Exception) -> str:
    """The exception and where it came from, without paths of this machine."""
    frames = [
        f"  at {frame.name} ({frame.filename.rpartition('snowetl/')[2]}:{frame.lineno})"
        for frame in reversed(traceback.extract_tb(error.__traceback__))
    ]
    return "\n".join([f"{type(error).__name__}: {error}", *frames[:20]])
