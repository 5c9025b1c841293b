"""The work of one task: stream a split's files through the enricher, write its parts, count.

Nothing here knows where it runs: every pool calls :func:`enrich_split` alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from snowetl.collector import format_of
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.pipeline import Enricher
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.event import EnrichedEvent
from snowetl.model.result import Discard, Result
from snowetl.reporting.enrich import SplitReport
from snowetl.reporting.parts import peak_memory
from snowetl.reporting.split_statistics import Statistics
from snowetl.runs.parts import Part, PartWriter, part_name
from snowetl.steps.stream import describe_damage, stream
from snowetl.storage import Damage
from snowetl.storage.splits import Split
from snowetl.workers import Advance, unheard

DISCARDED_BY_LOADER: Final = "header or empty line"
TSV: Final = "tsv"
JSON: Final = "json"
PARQUET: Final = "parquet"
FORMS: Final = (TSV, JSON, PARQUET)
"""Forms of events: enriched lines, lines of flat JSON, and Parquet, which is made of enriched lines later."""
_UNREADABLE: Final = "/collector_payload_format_violation/"


class Output(NamedTuple):
    """Where a run writes: its run folders (URLs), the id of the run, the compression of its parts.

    Without ``failed`` there are no failed events. ``form`` is one of :data:`FORMS`.
    """

    good: str
    bad: str
    run: str
    compression: str = "gzip"
    failed: str | None = None
    form: str = TSV


class Processor(Protocol):
    """What makes results of a record: an :class:`Enricher`."""

    def process(self, record: bytes | str, source: str = "", number: int = 0) -> Iterable[Result]: ...


class EventWriter(Protocol):
    """Writes enriched lines to a part, in whatever form."""

    def add(self, line: str) -> BadRow | None:
        """Append an event. One that its form cannot hold is given back as bad row."""

    def finish(self) -> Part | None: ...

    def abort(self) -> None: ...


class _Parts(NamedTuple):
    """What a split is written to."""

    good: EventWriter
    bad: PartWriter
    failed: EventWriter | None


def enrich_split(
    split: Split,
    config: EnrichConfig,
    out: Output,
    build: Callable[[EnrichConfig], Processor] = Enricher,
    advance: Advance = unheard,
) -> SplitReport:
    """Enrich the records of ``split``. The parts it writes are staged, not published.

    ``build`` makes the processor; the bench leaves the enricher out with another one. ``advance`` is called with
    progress. Raises ``RegistryUnavailable``, ``StorageError`` and what building an enricher raises; nothing is left
    behind then.
    """
    started = time.perf_counter()
    parts = _Parts(
        good=_writer(out.good, split, config, out),
        bad=PartWriter(out.bad, part_name(split.index, out.run, out.compression), out.compression),
        failed=None if out.failed is None else _writer(out.failed, split, config, out),
    )
    report = SplitReport(split.index, statistics=Statistics.of(split))
    try:
        _stream(split, config, build(config), parts, report, advance)
        report.good, report.bad = parts.good.finish(), parts.bad.finish()
        report.failed = None if parts.failed is None else parts.failed.finish()
    except BaseException:
        for part in parts:
            if part is not None:
                part.abort()
        raise
    report.seconds = time.perf_counter() - started
    report.peak_memory = peak_memory()
    return report


def _writer(folder: str, split: Split, config: EnrichConfig, out: Output) -> EventWriter:
    if out.form == JSON:
        from snowetl.steps.flat_json import FlatJsonWriter

        name = part_name(split.index, out.run, out.compression, "json")
        return FlatJsonWriter(PartWriter(folder, name, out.compression), config)
    return PartWriter(folder, part_name(split.index, out.run, out.compression), out.compression)


def _stream(
    split: Split,
    config: EnrichConfig,
    processor: Processor,
    parts: _Parts,
    report: SplitReport,
    advance: Advance,
) -> None:
    origin = Origin(*config.processor, config.etl_tstamp)
    loader = format_of(config.input_format)
    good, bad, failed = parts
    statistics = report.statistics
    records = events = discarded = unreadable = 0
    for source, record in stream(split, advance, binary=loader.binary, text=loader.text):
        if isinstance(record, Damage):
            report.damages += 1
            _add_bad(_damage_row(origin, config.input_format, record), bad, report)
            continue
        records += 1
        result = None
        for result in processor.process(record.data, source, record.number):
            if isinstance(result, EnrichedEvent):
                if (refused := good.add(result.to_tsv())) is None:
                    statistics.count(result.texts)
                    events += 1
                else:
                    _add_bad(refused, bad, report)
            elif isinstance(result, BadRow):
                _add_bad(result, bad, report)
            elif isinstance(result, Discard):
                report.discarded[result.reason] += 1
            elif failed is not None and failed.add(result.to_tsv()) is None:
                report.failed_events += 1
        if result is None:
            discarded += 1
        elif isinstance(result, BadRow) and _UNREADABLE in result.schema_key:  # all its results are such, then
            unreadable += 1
    report.records, report.events = records, events
    report.payloads = records - discarded - unreadable
    if discarded:
        report.discarded[DISCARDED_BY_LOADER] = discarded


def _add_bad(row: BadRow, bad: PartWriter, report: SplitReport) -> None:
    bad.add(row.to_json())
    report.bad_rows[row.schema_key] += 1
    report.statistics.keep(row)


def _damage_row(origin: Origin, input_format: str, damage: Damage) -> BadRow:
    """A bad row that names the file and the place from where its records are lost."""
    loader = format_of(input_format).name
    return badrow.format_violation(origin, loader, badrow.simple_error(describe_damage(damage)), damage.data or "")
