"""The work of one task: stream a split's files through the enricher, write its good and its bad part, count.

Nothing here knows where it runs: every pool calls :func:`enrich_split` alike.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.pipeline import Enricher
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.result import Discard
from snowetl.reporting.parts import peak_memory
from snowetl.reporting.statistics import Statistics
from snowetl.runs.parts import Part, PartWriter, part_name
from snowetl.storage import Damage, splits
from snowetl.storage.splits import Split

DISCARDED_BY_LOADER = "header or empty line"
_UNREADABLE = "/collector_payload_format_violation/"
_ADVANCE_EVERY = 2000


@dataclass(frozen=True, slots=True)
class Output:
    """Where a run writes: the two run folders (URLs), the id of the run, the compression of its parts."""

    good: str
    bad: str
    run: str
    compression: str = "gzip"


@dataclass(slots=True)
class SplitReport:
    """What became of one split. Every record is discarded or has at least one event or bad row."""

    index: int
    records: int = 0
    payloads: int = 0
    """Records a loader could read."""
    discarded: Counter[str] = field(default_factory=Counter)
    """Records that are no events, and events that enrichments dropped, by reason."""
    events: int = 0
    bad_rows: Counter[str] = field(default_factory=Counter)
    """Bad rows by schema URI, those for damaged files included."""
    damages: int = 0
    """Places where a file is damaged: one bad row each."""
    seconds: float = 0.0
    peak_memory: int = 0
    """Largest resident size of the worker process so far, in bytes."""
    good: Part | None = None
    bad: Part | None = None
    statistics: Statistics = field(default_factory=Statistics)


class Processor(Protocol):
    """What makes results of a record: an :class:`Enricher`."""

    def process(self, record: bytes | str, source: str = "", number: int = 0) -> Iterable[Any]: ...


Advance = Callable[[int], None]
"""Told of progress: how many records are done since the last call."""


def enrich_split(
    split: Split,
    config: EnrichConfig,
    out: Output,
    build: Callable[[EnrichConfig], Processor] = Enricher,
    advance: Advance | None = None,
) -> SplitReport:
    """Enrich the records of ``split``. The parts it writes are staged, not published.

    ``build`` makes the processor; the bench leaves the enricher out with another one. ``advance`` hears of progress.
    Raises ``RegistryUnavailable``, ``StorageError`` and what building an enricher raises; nothing is left behind then.
    """
    started = time.perf_counter()
    name = part_name(split.index, out.run, out.compression)
    good = PartWriter(out.good, name, out.compression)
    bad = PartWriter(out.bad, name, out.compression)
    report = SplitReport(split.index, statistics=Statistics.of(split))
    try:
        _stream(split, config, build(config), good, bad, report, advance)
        report.good, report.bad = good.finish(), bad.finish()
    except BaseException:
        good.abort()
        bad.abort()
        raise
    report.seconds = time.perf_counter() - started
    report.peak_memory = peak_memory()
    return report


def _stream(
    split: Split,
    config: EnrichConfig,
    processor: Processor,
    good: PartWriter,
    bad: PartWriter,
    report: SplitReport,
    advance: Advance | None,
) -> None:
    origin = Origin(*config.processor, config.etl_tstamp)
    binary = config.input_format == "thrift"
    process, add_good, count = processor.process, good.add, report.statistics.count
    records = discarded = unreadable = told = 0
    for part in split.parts:
        source = part.url.rpartition("/")[2]
        for record in splits.read(part, binary=binary):
            if isinstance(record, Damage):
                report.damages += 1
                _add_bad(_damage_row(origin, config.input_format, record), bad, report)
                continue
            records += 1
            result = None
            for result in process(record.data, source, record.number):
                if isinstance(result, BadRow):
                    _add_bad(result, bad, report)
                elif isinstance(result, Discard):
                    report.discarded[result.reason] += 1
                else:
                    add_good(result.to_tsv())
                    count(result.texts)
                    report.events += 1
            if result is None:
                discarded += 1
            elif isinstance(result, BadRow) and _UNREADABLE in result.schema_key:  # all its results are such, then
                unreadable += 1
            if advance is not None and records - told >= _ADVANCE_EVERY:
                advance(records - told)
                told = records
    if advance is not None:
        advance(records - told)
    report.records = records
    report.payloads = records - discarded - unreadable
    if discarded:
        report.discarded[DISCARDED_BY_LOADER] = discarded


def _add_bad(row: BadRow, bad: PartWriter, report: SplitReport) -> None:
    bad.add(row.to_json())
    report.bad_rows[row.schema_key] += 1
    report.statistics.keep(row)


def _damage_row(origin: Origin, input_format: str, damage: Damage) -> BadRow:
    """A bad row that names the file and the place from where its records are lost."""
    loader = input_format.split("/", 1)[0]
    text = f"{damage.url} is damaged at byte {damage.offset}: {damage.reason}"
    return badrow.format_violation(origin, loader, badrow.simple_error(text), damage.data or "")
