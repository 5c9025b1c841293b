"""The work of one task of a transform: stream a split's enriched lines, write their rows, count.

Nothing here knows where it runs: every pool calls :func:`transform_split` and :func:`read_events` alike.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from snowetl.dedupe import rules as dedupe
from snowetl.dedupe.verdicts import DROP, KNOWN, RENAME, Decisions
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.reporting.parts import peak_memory
from snowetl.reporting.split_statistics import Statistics
from snowetl.reporting.transform import TransformSplitReport
from snowetl.steps.stream import describe_damage, stream
from snowetl.steps.transform_outputs import Outputs
from snowetl.storage import Damage
from snowetl.storage.splits import Split
from snowetl.transform.entity import SCHEMAS_ONLY
from snowetl.transform.event import Event
from snowetl.transform.met import Period, TypesMet
from snowetl.transform.transformer import Transformer
from snowetl.workers import Advance, unheard

_DUPLICATES = {DROP: "natural", KNOWN: "earlier batches'"}


def transform_split(
    split: Split,
    transformer: Transformer,
    origin: Origin,
    outputs: Outputs,
    decisions: Decisions,
    advance: Advance = unheard,
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
    advance: Advance,
) -> None:
    period, met = Period(), TypesMet()
    for line in _lines(split, advance):
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
                _add_event(event, number, verdict == RENAME, transformer, outputs, report, period, met)
    report.first, report.last, report.types = period.first, period.last, met.types


def _add_event(
    event: Event,
    number: int,
    renamed: bool,
    transformer: Transformer,
    outputs: Outputs,
    report: TransformSplitReport,
    period: Period,
    met: TypesMet,
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
    met.add(event)
    period.add(event)


def _lines(split: Split, advance: Advance) -> Iterator[str | Damage]:
    for _, record in stream(split, advance, binary=False):
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
    return badrow.generic_error(origin, [describe_damage(damage)], damage.data or "")


def read_events(split: Split, transformer: Transformer) -> Iterator[tuple[int, Event]]:
    """The events of a split, each with the number of its line; the data of their entities is not read."""
    lines = (line for line in _lines(split, unheard) if not isinstance(line, Damage))
    for number, line in enumerate(lines):
        event = transformer.parse(line, SCHEMAS_ONLY)
        if not isinstance(event, BadRow):
            yield number, event
