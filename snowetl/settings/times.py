"""Kinds of values that tell time: a moment, and how long something takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from snowetl.settings.kinds import Kind, shown

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"\s*(?:\d+\s*[smhdw]\s*)+", re.IGNORECASE | re.ASCII)
_PART = re.compile(r"(\d+)\s*([smhdw])", re.IGNORECASE | re.ASCII)
_RUN_ID = "%Y-%m-%d-%H-%M-%S"


@dataclass(frozen=True)
class Moment(Kind):
    """A point in time, UTC where no zone is given: ``2026-01-31``, ``2026-01-31T12:00``, or a run id.

    The value is text; :func:`millis` reads it.
    """

    metavar: str = "TIME"

    def parse(self, value: Any) -> str:
        text = str(value).strip()
        if _read(text) is None:
            raise ValueError(f"{shown(value)} is not a time such as 2026-01-31 or 2026-01-31T12:00:00Z")
        return text


def millis(text: str) -> int:
    """Epoch milliseconds of a :class:`Moment`. Raises ``ValueError`` for any other text."""
    moment = _read(text)
    if moment is None:
        raise ValueError(f"{text!r} is not a time")
    return int(moment.timestamp() * 1000)


def _read(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.strptime(text, _RUN_ID)
        except ValueError:
            return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Duration(Kind):
    """How long: ``90s``, ``15m``, ``2h``, ``1d 12h``. The value is a number of seconds, ``minimum`` or more."""

    metavar: str = "DURATION"
    minimum: int = 0

    def parse(self, value: Any) -> int:
        if value == 0 or str(value).strip() == "0":
            return self._long_enough(0)
        if not isinstance(value, str) or not _DURATION.fullmatch(value):
            raise ValueError(f"{shown(value)} is not a duration such as 90s, 15m, 2h or 1d 12h")
        return self._long_enough(sum(int(number) * _UNITS[unit.lower()] for number, unit in _PART.findall(value)))

    def accept(self, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return self._long_enough(value)
        return self.parse(value)

    def _long_enough(self, seconds: int) -> int:
        if seconds < self.minimum:
            raise ValueError(f"{self.to_json(seconds)} is too short: it must be {self.to_json(self.minimum)} or more")
        return seconds

    def to_json(self, value: Any) -> Any:
        return f"{value}s"

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": ["string", "integer"],
            "minimum": self.minimum,
            "pattern": r"^(0|\s*(\d+\s*[smhdwSMHDW]\s*)+)$",
        }
