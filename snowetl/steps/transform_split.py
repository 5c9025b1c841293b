"""The work of one task of a transform: stream a split's enriched lines, write their rows, count.

Nothing here knows where it runs: every pool calls :func:`transform_split` and :func:`read_keys` alike.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from snowetl.dedupe import rules as dedupe
from snowetl.dedupe.rules import Key
from snowetl.dedupe.verdicts import DROP, KNOWN, RENAME, Decisions
from snowetl.jvm.instants import Instant
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.reporting.parts import peak_memory
from snowetl.reporting.statistics import Statistics
from snowetl.steps.transform_outputs import Outputs, Table
from snowetl.storage import Damage, splits
from snowetl.storage.splits import Split
from snowetl.transform.event import Event
from snowetl.transform.rows import SchemaType
from snowetl.transform.transformer import Transformer, types_of

_ADVANCE_EVERY = 2000
_DUPLICATES = {DROP: "natural", KNOWN: "earlier batches'"}

Advance = Callable[[int], None]


@dataclass(slots=True)
class TransformSplitReport:
    """What became of one split. Every line is a good event, a bad row or a duplicate that was dropped."""

    index: int
    records: int = 0
    """Lines read."""
    events: int = 0
    """Good events."""
    duplicates: Counter[str] = field(default_factory=Counter)
    """Events that were left out, by kind of duplicate."""
    renamed: int = 0
    """Good events that got a new id."""
    bad_rows: Counter[str] = field(default_factory=Counter)
    """Bad rows by schema URI, those for damaged files included."""
    damages: int = 0
    types: set[SchemaType] = field(default_factory=set)
    first: Instant | None = None
    last: Instant | None = None
    """Earliest and latest collector timestamp of the good events."""
    tables: list[Table] = field(default_factory=list)
    seconds: float = 0.0
    peak_memory: int = 0
    statistics: Statistics = field(default_factory=Statistics)


def transform_split(
    split: Split,
    transformer: Transformer,
    origin: Origin,
    outputs: Outputs,
    decisions: Decisions,
    advance: Advance | None = None,
) -> TransformSplitReport:
    """Transform the lines of a split. The parts it writes are staged, not published.

    Raises ``RegistryUnavailable`` and ``StorageError``; nothing is left behind then.
    """
    started = time.perf_counter()
    report = TransformSplitReport(split.index, statistics=Statistics.of(split))
    try:
        _stream(split, transformer, origin, outputs, decisions, report, advance)
        report.tables = outputs.finish()
    except BaseException:
        outputs.abort()
        raise
    report.seconds = time.perf_counter() - started
    report.peak_memory = peak_memory()
    return report


def _stream(
    split: Split,
    transformer: Transformer,
    origin: Origin,
    outputs: Outputs,
    decisions: Decisions,
    report: TransformSplitReport,
    advance: Advance | None,
) -> None:
    told = 0
    for line in _lines(split):
        if isinstance(line, Damage):
            report.damages += 1
            _add_bad(damage_row(origin, line), outputs, report)
            continue
        number = report.records
        report.records += 1
        event = transformer.parse(line)
        if isinstance(event, BadRow):
            _add_bad(event, outputs, report)
        else:
            verdict = decisions.of(number)
            if verdict in _DUPLICATES:
                report.duplicates[_DUPLICATES[verdict]] += 1
            else:
                _add_event(event, number, verdict == RENAME, transformer, outputs, report)
        if advance is not None and report.records - told >= _ADVANCE_EVERY:
            advance(report.records - told)
            told = report.records
    if advance is not None:
        advance(report.records - told)


def _add_event(
    event: Event,
    number: int,
    renamed: bool,
    transformer: Transformer,
    outputs: Outputs,
    report: TransformSplitReport,
) -> None:
    if renamed:
        dedupe.reidentify(event, dedupe.new_id(event.event_id, f"{report.index}/{number}"))
    rows = transformer.transform(event)
    if isinstance(rows, BadRow):
        _add_bad(rows, outputs, report)
        return
    outputs.add(rows)
    report.events += 1
    report.renamed += renamed
    report.types |= rows.types
    time_ = rows.collector_tstamp
    report.first = time_ if report.first is None else min(report.first, time_)
    report.last = time_ if report.last is None else max(report.last, time_)


def _lines(split: Split) -> Iterator[str | Damage]:
    for part in split.parts:
        for record in splits.read(part, binary=False):
            if isinstance(record, Damage):
                yield record
            else:
                assert isinstance(record.data, str)
                yield record.data


def _add_bad(row: BadRow, outputs: Outputs, report: TransformSplitReport) -> None:
    outputs.add_bad(row)
    report.bad_rows[row.schema_key] += 1
    report.statistics.keep(row)


def damage_row(origin: Origin, damage: Damage) -> BadRow:
    """A bad row that names the file and the place from where its lines are lost."""
    text = f"{damage.url} is damaged at byte {damage.offset}: {damage.reason}"
    return badrow.generic_error(origin, [text], damage.data or "")


def read_keys(split: Split, transformer: Transformer) -> Iterator[tuple[Key, frozenset[SchemaType]]]:
    """The keys of the events of a split, and the schemas met that none before had."""
    met: set[SchemaType] = set()
    number = -1
    for line in _lines(split):
        if isinstance(line, Damage):
            continue
        number += 1
        event = transformer.parse(line)
        if isinstance(event, BadRow):
            continue
        new = types_of(event) - met
        met |= new
        yield dedupe.key_of(event, (split.index, number)), new
