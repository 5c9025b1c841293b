"""Events over time: counted by the minute while that is few enough, then by the hour, day, month, year.

It also makes the bars of the report page: of equal length over the whole span, gaps included, with the lateness of
events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

MINUTE = len("2026-01-31 23:59")
GRAINS = {"minute": MINUTE, "hour": 13, "day": 10, "month": 7, "year": 4}
"""Grains and the length of their keys: a key is the beginning of ``collector_tstamp``."""

MAX_KEYS = 3_000
"""Two days of minutes, four months of hours."""

_BARS = 72
_STRAGGLERS = 0.01
_MINUTES = (1, 5, 15, 60, 180, 360, 1440, 7 * 1440, 30 * 1440, 365 * 1440, 3650 * 1440, 36500 * 1440)
"""Lengths of bars, in minutes."""
_LEAST = {"minute": 1, "hour": 60, "day": 1440, "month": 30 * 1440, "year": 365 * 1440}
_FIRST = {4: "-01-01 00:00", 7: "-01 00:00", 10: " 00:00", 13: ":00", 16: ""}


@dataclass(slots=True)
class Timeline:
    """Counts by time. ``grain`` is one of :data:`GRAINS`; ``counts`` has no zeros."""

    grain: str = "minute"
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, counts: Mapping[str, int], grain: str = "minute") -> None:
        """Add counts by keys of ``grain``; the coarser of the two grains stays, or one that bounds the keys."""
        if GRAINS[grain] < GRAINS[self.grain]:
            self._coarsen(grain)
        length, mine = GRAINS[self.grain], self.counts
        for key, count in counts.items():
            key = key[:length]
            mine[key] = mine.get(key, 0) + count
        names = list(GRAINS)
        while len(self.counts) > MAX_KEYS and self.grain != names[-1]:
            self._coarsen(names[names.index(self.grain) + 1])

    def _coarsen(self, grain: str) -> None:
        self.grain, fine, self.counts = grain, self.counts, {}
        self.add(fine, grain)


class Bar(NamedTuple):
    """The events of a stretch of time that begins at ``start``."""

    start: datetime
    events: int


class Bars(NamedTuple):
    minutes: int
    """The length of each bar."""
    bars: list[Bar]
    before: int = 0
    after: int = 0
    """Events that lie so far off that bars for them would hide all others."""

    @property
    def gaps(self) -> list[tuple[datetime, datetime]]:
        """Stretches without any event, between the first and the last."""
        found: list[tuple[datetime, datetime]] = []
        length = timedelta(minutes=self.minutes)
        for bar in self.bars:
            if bar.events:
                continue
            if found and found[-1][1] == bar.start:
                found[-1] = (found[-1][0], _plus(bar.start, length))
            else:
                found.append((bar.start, _plus(bar.start, length)))
        return found


def bars(timeline: Timeline) -> Bars:
    """All of the span in at most 72 bars, as short as that allows; stragglers are counted apart."""
    all_times = _times(timeline)
    if not all_times:
        return Bars(1, [])
    times, before, after = _without_stragglers(all_times)
    first, last = min(times), max(times)
    span = (last - first).total_seconds() / 60
    least = _LEAST[timeline.grain]
    minutes = next((length for length in _MINUTES if length >= least and span / length < _BARS - 1), _MINUTES[-1])
    origin = _floor(first, minutes)
    counts: dict[int, int] = {}
    for time, count in times.items():
        place = int((time - origin).total_seconds() // 60) // minutes
        counts[place] = counts.get(place, 0) + count
    length = timedelta(minutes=minutes)
    found = [Bar(_plus(origin, place * length), counts.get(place, 0)) for place in range(max(counts) + 1)]
    return Bars(minutes, found, before, after)


class Lateness(NamedTuple):
    """Seconds from the collector to the end of the run: of the middle event, of all but one in twenty, of the first."""

    median: float
    most: float
    longest: float


def lateness(timeline: Timeline, until: datetime) -> Lateness | None:
    """How old events were at ``until``, as exactly as the timeline's grain allows; ``None`` without events."""
    times = sorted(_times(timeline).items(), reverse=True)
    total = sum(count for _, count in times)
    if not total:
        return None
    ages = []
    for share in (0.5, 0.95, 1.0):
        seen = 0
        for time, count in times:
            seen += count
            if seen >= share * total:
                ages.append(max(0.0, (until - time).total_seconds()))
                break
    return Lateness(*ages)


def _times(timeline: Timeline) -> dict[datetime, int]:
    """Counts by time; what cannot be read as one (no event has such a ``collector_tstamp``) is left out."""
    found: dict[datetime, int] = {}
    for key, count in timeline.counts.items():
        try:
            time = datetime.fromisoformat(key + _FIRST[len(key)]).replace(tzinfo=UTC)
        except (ValueError, KeyError):
            continue
        found[time] = found.get(time, 0) + count
    return found


def _without_stragglers(times: Mapping[datetime, int]) -> tuple[dict[datetime, int], int, int]:
    """The times without the first and last hundredth of the events, where these stretch the span more than fourfold.

    Also how many events are left out before and after.
    """
    ordered = sorted(times)
    start, end = _after_share(ordered, times, _STRAGGLERS), _after_share(ordered, times, 1 - _STRAGGLERS)
    room = max(end - start, timedelta(hours=1))
    if ordered[-1] - ordered[0] <= 4 * room:
        return dict(times), 0, 0
    kept = {time: count for time, count in times.items() if start - time <= room and time - end <= room}
    before = sum(count for time, count in times.items() if time < start and time not in kept)
    return kept, before, sum(times.values()) - sum(kept.values()) - before


def _after_share(ordered: list[datetime], times: Mapping[datetime, int], share: float) -> datetime:
    """The time of the event that has this share of all before it."""
    wanted, seen = share * sum(times.values()), 0
    for time in ordered:
        seen += times[time]
        if seen > wanted:
            return time
    return ordered[-1]


def _floor(time: datetime, minutes: int) -> datetime:
    """The beginning of the stretch ``time`` is in: of the hour or day for the short ones, of its day for long ones."""
    day = time.replace(hour=0, minute=0)
    if minutes >= 1440:
        return day
    return day + timedelta(minutes=(time.hour * 60 + time.minute) // minutes * minutes)


def _plus(time: datetime, length: timedelta) -> datetime:
    try:
        return time + length
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
