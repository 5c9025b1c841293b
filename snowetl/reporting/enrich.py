"""The report of an enrich run: the sum of its splits, as the JSON kept beside the output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from snowetl.reporting.bad_reasons import BadReason
from snowetl.reporting.parts import Input, StepReport, Workers, Written, bad_rows_by_type, in_order
from snowetl.reporting.split_statistics import Statistics
from snowetl.reporting.statistics import Merged, SlowSplit, Source
from snowetl.reporting.timeline import Timeline
from snowetl.runs.parts import Part
from snowetl.spool import Spool


@dataclass(slots=True)
class SplitReport:
    """What became of one split. Every record is discarded or has at least one event or bad row."""

    index: int
    records: int = 0
    payloads: int = 0
    """Records a loader could read."""
    discarded: Counter[str] = field(default_factory=Counter)
    """Records that hold no event, by reason."""
    events: int = 0
    bad_rows: Counter[str] = field(default_factory=Counter)
    """Bad rows by schema URI, those for damaged files included."""
    failed_events: int = 0
    """What is valid of events that have a bad row."""
    damages: int = 0
    """Places where a file is damaged: one bad row each."""
    seconds: float = 0.0
    peak_memory: int = 0
    """Largest resident size of the worker process so far, in bytes."""
    good: Part | None = None
    bad: Part | None = None
    failed: Part | None = None
    statistics: Statistics = field(default_factory=Statistics)


@dataclass(slots=True)
class FlatReport:
    """What became of enriched lines of a split that were written in another form: events of it, and bad rows."""

    index: int
    bad_rows: Counter[str] = field(default_factory=Counter)
    good: Part | None = None
    bad: Part | None = None
    statistics: Statistics = field(default_factory=Statistics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    good: Written
    bad: Written
    failed: Written | None = None
    """``None`` where no failed events were wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupReport:
    """A table made before the run. ``keys`` were asked for: none where the answers of an earlier attempt served."""

    name: str
    keys: int
    answers: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetReport:
    """A file that enrichments read: where it was, without secrets; size and checksum of what was read (unpacked)."""

    uri: str
    bytes: int
    sha256: str


@dataclass(slots=True, kw_only=True)
class EnrichReport(StepReport):
    """``records`` came in; each was discarded, or is found in ``events`` or the bad rows.

    ``failed_events`` stand beside the bad rows of their events; ``None`` where they were not wanted.
    ``bad_rows`` counts by type, ``bad_row_schemas`` by schema URI; ``damages`` of them stand for damaged files, not for
    records. ``event_types`` counts events by type and hour, ``timeline`` by the finest time that is few enough,
    ``sources`` by application, platform and tracker; ``bad_reasons`` counts bad rows by what is wrong with them.
    """

    step: ClassVar[str] = "enrich"

    run_identity: str = ""
    """Names the run wherever its folders lie, and by whatever addresses they are reached."""
    input: Input
    records: int
    discarded: dict[str, int]
    payloads: int
    events: int
    bad_rows: dict[str, int]
    bad_row_schemas: dict[str, int]
    failed_events: int | None = None
    damages: int
    output: Output
    workers: Workers
    event_types: dict[str, dict[str, int]] | None = None
    timeline: Timeline | None = None
    sources: list[Source] = field(default_factory=list)
    bad_reasons: list[BadReason] = field(default_factory=list)
    splits: list[SlowSplit] = field(default_factory=list)
    lookups: list[LookupReport] = field(default_factory=list)
    assets: list[AssetReport] = field(default_factory=list)


class EnrichTotals:
    """Adds up the reports of splits as they come; of each only its parts are kept, on disk."""

    def __init__(self, lookups: Sequence[LookupReport] = (), assets: Sequence[AssetReport] = ()) -> None:
        self.lookups = list(lookups)
        self.assets = list(assets)
        self.parts: Spool[Part] = Spool()
        """The staged parts of all splits, which the driver publishes."""
        self._good = self._bad = self._failed = Written()
        self._sum = SplitReport(-1)
        self._splits = 0
        self._merged = Merged()

    def add(self, split: SplitReport) -> None:
        total = self._sum
        total.records += split.records
        total.payloads += split.payloads
        total.discarded += split.discarded
        total.events += split.events
        total.bad_rows += split.bad_rows
        total.failed_events += split.failed_events
        total.damages += split.damages
        total.seconds += split.seconds
        total.peak_memory = max(total.peak_memory, split.peak_memory)
        self._good += split.good
        self._bad += split.bad
        self._failed += split.failed
        self.parts.extend(part for part in (split.good, split.bad, split.failed) if part is not None)
        self._splits += 1
        self._merged.add(split)

    def flatten(self, good: Iterable[FlatReport], failed: Iterable[FlatReport] = ()) -> None:
        """Put other parts in the place of those of good and failed events: the same events in another form.

        ``event_types``, ``timeline`` and ``sources`` still count the events that became bad rows over it.
        """
        self._good = self._failed = Written()
        for split in good:
            self._good += split.good
            self._bad += split.bad
            self._sum.events -= split.bad_rows.total()
            self._sum.bad_rows += split.bad_rows
            self._merged.add_bad_rows(split.index, split.statistics)
            self.parts.extend(part for part in (split.good, split.bad) if part is not None)
        for split in failed:
            self._failed += split.good
            self._sum.failed_events -= split.bad_rows.total()
            self.parts.extend(part for part in (split.good,) if part is not None)

    def report(
        self, *, files: int, ignored: int, size: int, run_identity: str, failed_events: bool = False, **about: Any
    ) -> EnrichReport:
        """The report of all splits. ``about`` are the fields every step's report has."""
        total = self._sum
        return EnrichReport(
            **about,
            run_identity=run_identity,
            input=Input(files=files, ignored=ignored, bytes=size, splits=self._splits),
            records=total.records,
            discarded=in_order(total.discarded),
            payloads=total.payloads,
            events=total.events,
            bad_rows=bad_rows_by_type(total.bad_rows),
            bad_row_schemas=in_order(total.bad_rows),
            failed_events=total.failed_events if failed_events else None,
            damages=total.damages,
            output=Output(
                good=self._good,
                bad=self._bad,
                failed=self._failed if failed_events else None,
            ),
            workers=Workers(seconds=round(total.seconds, 3), peak_memory=total.peak_memory),
            event_types=self._merged.event_types(),
            timeline=self._merged.timeline(),
            sources=self._merged.sources(),
            bad_reasons=self._merged.bad_reasons(),
            splits=self._merged.slowest(),
            lookups=self.lookups,
            assets=self.assets,
        )
