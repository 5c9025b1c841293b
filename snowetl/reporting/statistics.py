"""What a report tells besides counts: events by type, time and source, reasons of bad rows, the slowest splits.

Workers gather it while they write (:mod:`snowetl.reporting.split_statistics`), the driver merges it. Everything is
bounded, whatever the events say of themselves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from snowetl.jvm.strings import to_utf8
from snowetl.reporting.bad_reasons import BadReason, BadReasons
from snowetl.reporting.split_statistics import (
    EARLIER,
    MAX_SOURCES,
    OTHER_SOURCES,
    OTHER_TYPES,
    Packed,
    Statistics,
    count_bounded,
)
from snowetl.reporting.timeline import Timeline

_MAX_MERGED_CELLS = 400_000
_MAX_TYPES = 200
_MAX_HOURS = 24 * 31
_MAX_SPLITS = 100


class Measured(Protocol):
    """The report of one split, of whatever step."""

    @property
    def index(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def statistics(self) -> Statistics | Packed: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowSplit:
    """A split and what it took, as a report shows it."""

    index: int
    files: list[str]
    file_count: int
    records: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Events of one application, platform and tracker."""

    app_id: str
    platform: str
    tracker: str
    events: int


class Merged:
    """The statistics of all splits, added up as their reports come, in whatever order.

    What is kept does not depend on that order (but where there are hundreds of reasons or sources): examples are those
    of the first splits.
    """

    def __init__(self) -> None:
        self._cells: Counter[tuple[str, str]] = Counter()
        self._sources: dict[tuple[str, str, str], int] = {}
        self._timeline = Timeline()
        self._bad = BadReasons()
        self._splits: list[SlowSplit] = []

    def add(self, split: Measured) -> None:
        statistics = split.statistics.unpack()
        self._cells.update(statistics.events)
        if len(self._cells) > _MAX_MERGED_CELLS:
            self._cells = _folded(self._cells)
        for source, count in statistics.sources.items():
            count_bounded(self._sources, source, count, 2 * MAX_SOURCES, OTHER_SOURCES)
        self._timeline.add(statistics.timeline.counts, statistics.timeline.grain)
        self._bad.merge(split.index, statistics.bad)
        self._splits.append(_shown(split, statistics))
        if len(self._splits) >= 2 * _MAX_SPLITS:
            self._splits = self.slowest()

    def add_bad_rows(self, index: int, statistics: Statistics) -> None:
        """Add the reasons of more bad rows of a split that was added before."""
        self._bad.merge(index, statistics.unpack().bad)

    def event_types(self) -> dict[str, dict[str, int]] | None:
        """Type -> hour -> count: the commonest types, the latest hours, all others in one row and one column.

        ``None`` where nothing was counted.
        """
        if not self._cells:
            return None
        table: dict[str, dict[str, int]] = {}
        for (type_, hour), count in sorted(_folded(self._cells).items()):
            row = table.setdefault(_utf8(type_), {})  # two types may be written alike
            row[hour] = row.get(hour, 0) + count
        return table

    def timeline(self) -> Timeline | None:
        """Events by collector time, in order; ``None`` where nothing was counted."""
        if not self._timeline.counts:
            return None
        counts: dict[str, int] = {}
        for key, count in sorted(self._timeline.counts.items()):
            text = _utf8(key)
            counts[text] = counts.get(text, 0) + count
        return Timeline(self._timeline.grain, counts)

    def sources(self) -> list[Source]:
        """Who sent the events, the most active first."""
        ranked = sorted(self._sources.items(), key=lambda item: (-item[1], item[0]))
        return [
            Source(app_id=_utf8(app), platform=_utf8(platform), tracker=_utf8(tracker), events=count)
            for (app, platform, tracker), count in ranked
        ]

    def bad_reasons(self) -> list[BadReason]:
        """Why there are bad rows, the commonest reason first."""
        return self._bad.shown()

    def slowest(self) -> list[SlowSplit]:
        return sorted(self._splits, key=lambda split: (-split.seconds, split.index))[:_MAX_SPLITS]


def _folded(cells: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """The counts with rare types and early hours put together."""
    by_type: Counter[str] = Counter()
    for (type_, _), count in cells.items():
        by_type[type_] += count
    types = {type_ for type_, _ in by_type.most_common(_MAX_TYPES)}
    hours = set(sorted({hour for _, hour in cells})[-_MAX_HOURS:])
    folded: Counter[tuple[str, str]] = Counter()
    for (type_, hour), count in cells.items():
        folded[type_ if type_ in types else OTHER_TYPES, hour if hour in hours else EARLIER] += count
    return folded


def _shown(split: Measured, statistics: Statistics) -> SlowSplit:
    return SlowSplit(
        index=split.index,
        files=statistics.files,
        file_count=statistics.file_count,
        records=split.records,
        seconds=round(split.seconds, 3),
    )


def _utf8(text: str) -> str:
    return to_utf8(text).decode()
