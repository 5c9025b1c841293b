"""What the worker that writes a split gathers of it besides counts, for :mod:`snowetl.reporting.statistics`.

Everything is bounded, whatever the events say of themselves, and travels compressed: a run of ten thousand splits must
not fill the driver.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Sequence
from typing import Final, TypeVar

from snowetl.model.badrow import BadRow
from snowetl.model.fields import INDEX
from snowetl.reporting.bad_reasons import OTHERS, BadReasons
from snowetl.reporting.timeline import MINUTE, Timeline
from snowetl.storage.splits import Split

OTHER_TYPES: Final = "(other types)"
EARLIER: Final = "(earlier)"
"""Stands for all hours before those that are kept; sorts before them."""

MAX_SOURCES: Final = 200
OTHER_SOURCES: Final = (OTHERS, OTHERS, OTHERS)

_HOUR: Final = len("2026-01-31 23")
_MAX_CELLS: Final = 5_000
_MAX_NAME: Final = 200
_MAX_FILES: Final = 3
_TSTAMP: Final = INDEX["collector_tstamp"]
_EVENT: Final = INDEX["event"]
_NAME: Final = INDEX["event_name"]
_APP: Final = INDEX["app_id"]
_PLATFORM: Final = INDEX["platform"]
_TRACKER: Final = INDEX["v_tracker"]

K = TypeVar("K")

Cell = tuple[str, str, str, str, str]
"""Type, app_id, platform, tracker version and minute of an event."""


class Statistics:
    """Of one split. ``events`` counts by (type, hour), ``sources`` by (app_id, platform, tracker version).

    ``files`` are the first files of the split, of ``file_count``.
    """

    def __init__(
        self,
        files: Sequence[str] = (),
        file_count: int = 0,
        events: dict[tuple[str, str], int] | None = None,
        sources: dict[tuple[str, str, str], int] | None = None,
        timeline: Timeline | None = None,
        bad: BadReasons | None = None,
    ) -> None:
        self.files = list(files)
        self.file_count = file_count
        self.events = {} if events is None else events
        self.sources = {} if sources is None else sources
        self.timeline = Timeline() if timeline is None else timeline
        self.bad = BadReasons() if bad is None else bad
        self._cells: dict[Cell, int] = {}
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

    def count(self, values: list[str]) -> None:
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
            count_bounded(self.events, (type_, minute[:_HOUR]), count, _MAX_CELLS, (OTHER_TYPES, EARLIER))
            count_bounded(self.sources, (app, platform, tracker), count, MAX_SOURCES, OTHER_SOURCES)
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


def count_bounded(counts: dict[K, int], key: K, count: int, most: int, other: K) -> None:
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
