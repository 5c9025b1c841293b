"""What a report tells besides counts: events by type, time and source, reasons of bad rows, the slowest splits.

Workers gather it while they write, the driver merges it. Everything is bounded, whatever the events say of themselves,
and travels compressed: a run of ten thousand splits must not fill the driver.
"""

from __future__ import annotations

import pickle
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from snowetl.jvm.strings import to_utf8
from snowetl.model.badrow import BadRow
from snowetl.model.fields import INDEX
from snowetl.reporting.bad_reasons import OTHERS, BadReason, BadReasons
from snowetl.reporting.timeline import MINUTE, Timeline
from snowetl.storage.splits import Split

OTHER_TYPES = "(other types)"
EARLIER = "(earlier)"
"""Stands for all hours before those that are kept; sorts before them."""

_HOUR = len("2026-01-31 23")
_MAX_CELLS = 5_000
_MAX_MERGED_CELLS = 400_000
_MAX_TYPES = 200
_MAX_HOURS = 24 * 31
_MAX_SOURCES = 200
_MAX_NAME = 200
_MAX_SPLITS = 100
_MAX_FILES = 3
_TSTAMP, _EVENT, _NAME = INDEX["collector_tstamp"], INDEX["event"], INDEX["event_name"]
_APP, _PLATFORM, _TRACKER = INDEX["app_id"], INDEX["platform"], INDEX["v_tracker"]

K = TypeVar("K")

Cell = tuple[str, str, str, str, str]
"""Type, app_id, platform, tracker version and minute of an event."""


@dataclass(slots=True)
class Statistics:
    """Of one split. ``events`` counts by (type, hour), ``sources`` by (app_id, platform, tracker version)."""

    files: list[str] = field(default_factory=list)
    """The first files of the split."""
    file_count: int = 0
    events: dict[tuple[str, str], int] = field(default_factory=dict)
    sources: dict[tuple[str, str, str], int] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    bad: BadReasons = field(default_factory=BadReasons)
    _cells: dict[Cell, int] = field(default_factory=dict)
    """Events that are counted and not yet folded into the others: one dictionary is all that an event costs."""

    @classmethod
    def of(cls, split: Split) -> Statistics:
        files = list(dict.fromkeys(piece.url for piece in split.slices))
        return cls([url.rpartition("/")[2] for url in files[:_MAX_FILES]], len(files))

    def unpack(self) -> Statistics:
        self.fold()
        return self

    def __reduce__(self) -> tuple[type[Packed], tuple[bytes]]:
        self.fold()
        timeline = (self.timeline.grain, self.timeline.counts)
        content = (self.files, self.file_count, self.events, self.sources, timeline, self.bad.tallies)
        return Packed, (zlib.compress(pickle.dumps(content), 1),)

    def count(self, values: Sequence[str]) -> None:
        """Count an event by its columns."""
        key = (
            values[_NAME] or values[_EVENT],
            values[_APP],
            values[_PLATFORM],
            values[_TRACKER],
            values[_TSTAMP][:MINUTE],
        )
        try:
            self._cells[key] += 1
        except KeyError:
            if len(self._cells) >= _MAX_CELLS:
                self.fold()
            key = _short(key)
            self._cells[key] = self._cells.get(key, 0) + 1

    def fold(self) -> None:
        """Add what was counted to the bounded tables."""
        minutes: dict[str, int] = {}
        for (type_, app, platform, tracker, minute), count in self._cells.items():
            _count(self.events, (type_, minute[:_HOUR]), count, _MAX_CELLS, (OTHER_TYPES, EARLIER))
            _count(self.sources, (app, platform, tracker), count, _MAX_SOURCES, (OTHERS, OTHERS, OTHERS))
            minutes[minute] = minutes.get(minute, 0) + count
        self._cells.clear()
        self.timeline.add(minutes)

    def keep(self, row: BadRow) -> None:
        """Count a bad row by its reason, and keep it if it is among the first."""
        self.bad.keep(row)


class Packed:
    """Statistics as they come from another process; they stay packed until their turn comes."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def unpack(self) -> Statistics:
        files, file_count, events, sources, timeline, tallies = pickle.loads(zlib.decompress(self._content))
        return Statistics(files, file_count, events, sources, Timeline(*timeline), BadReasons(tallies))


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
            _count(self._sources, source, count, 2 * _MAX_SOURCES, (OTHERS, OTHERS, OTHERS))
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


def _count(counts: dict[K, int], key: K, count: int, most: int, other: K) -> None:
    """Add to a table that has ``most`` keys, and ``other`` for all that find no place."""
    if key not in counts and len(counts) >= most:
        key = other
    counts[key] = counts.get(key, 0) + count


def _short(key: Cell) -> Cell:
    """The key without the ends of texts that are too long to be remembered."""
    type_, app, platform, tracker, minute = key
    if max(len(type_), len(app), len(platform), len(tracker)) <= _MAX_NAME:
        return key
    return type_[:_MAX_NAME], app[:_MAX_NAME], platform[:_MAX_NAME], tracker[:_MAX_NAME], minute


def _utf8(text: str) -> str:
    return to_utf8(text).decode()
