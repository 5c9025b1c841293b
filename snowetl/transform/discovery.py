"""Choose the run folders to transform (RDB Loader 5.6.3 ``Discovery``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from snowetl.errors import ConfigError

_FORMAT = "%Y-%m-%d-%H-%M-%S"
_STAMP = re.compile(r"\d{4}(?:-\d{2}){5}", re.ASCII)
_DURATION = re.compile(r"(\d+)\s*([a-z]+)", re.ASCII | re.IGNORECASE)
_UNITS = {
    "seconds": ("s", "sec", "second", "seconds"),
    "minutes": ("m", "min", "minute", "minutes"),
    "hours": ("h", "hour", "hours"),
    "days": ("d", "day", "days"),
    "weeks": ("w", "week", "weeks"),
}


@dataclass(frozen=True)
class RunInterval:
    """Bounds of the times in folder names, both exclusive. ``since_age`` counts back from now."""

    since: datetime | None = None
    since_age: timedelta | None = None
    until: datetime | None = None

    @classmethod
    def parse(
        cls, since_timestamp: str | None = None, since_age: str | None = None, until: str | None = None
    ) -> RunInterval:
        """Read the configuration: ``yyyy-MM-dd-HH-mm-ss`` (UTC), and durations such as ``4 days``.

        Raises :class:`ConfigError`.
        """
        return cls(
            _bound("since_timestamp", since_timestamp),
            None if since_age is None else parse_duration(since_age),
            _bound("until", until),
        )

    def contains(self, name: str, now: datetime) -> bool:
        """Whether a folder is wanted. Names without a readable time always are."""
        time = run_time(name)
        if time is None:
            return True
        lower = [bound for bound in (self.since, now - self.since_age if self.since_age else None) if bound is not None]
        return (not lower or max(lower) < time) and (self.until is None or time < self.until)

    def select(self, names: Iterable[str], now: datetime) -> list[str]:
        """The folders that are wanted."""
        return [name for name in names if self.contains(name, now)]


def _bound(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    time = _parse(text)
    if time is None:
        raise ConfigError(f"run_interval.{name}: {text!r} is not a time such as 2021-10-14-10-23-45 (UTC)")
    return time


def parse_duration(text: str) -> timedelta:
    """Read a duration such as ``4 days``, ``90m``. Raises :class:`ConfigError`."""
    match = _DURATION.fullmatch(text.strip())
    for unit, names in _UNITS.items():
        if match is not None and match[2].lower() in names:
            return timedelta(**{unit: int(match[1])})
    raise ConfigError(f"{text!r} is not a duration: a number and a unit, such as 90 minutes, 12 hours, 4 days")


def _parse(text: str) -> datetime | None:
    if not _STAMP.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def run_time(name: str) -> datetime | None:
    """The time in a folder name ``run=yyyy-MM-dd-HH-mm-ss``; ``None`` for any other name."""
    return _parse(name.removeprefix("run=")) if name.startswith("run=") else None


def unprocessed(enriched: Sequence[str], transformed: Iterable[str]) -> list[str]:
    """Folders of the input, in its order, that the output does not have."""
    done = set(transformed)
    return [name for name in enriched if name not in done]


def incomplete(enriched: Sequence[str], transformed: Iterable[str], complete: Iterable[str]) -> list[str]:
    """Folders that are in the output without the message that they are complete."""
    return unprocessed([name for name in enriched if name in set(transformed)], complete)
