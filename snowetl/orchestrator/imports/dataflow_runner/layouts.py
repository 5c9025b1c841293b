"""Go's way to write a time: a layout shows how Monday, 2 January 2006, 15:04:05 -0700 would look."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

_CHUNKS: dict[str, Callable[[datetime], str]] = {
    "January": lambda t: f"{t:%B}",
    "Monday": lambda t: f"{t:%A}",
    "2006": lambda t: f"{t.year:04}",
    "-07:00": lambda t: _offset(t, ":"),
    "Z07:00": lambda t: "Z" if not t.utcoffset() else _offset(t, ":"),
    "-0700": lambda t: _offset(t, ""),
    "Z0700": lambda t: "Z" if not t.utcoffset() else _offset(t, ""),
    "Jan": lambda t: f"{t:%b}",
    "Mon": lambda t: f"{t:%a}",
    "MST": lambda t: f"{t:%Z}",
    "002": lambda t: f"{t.timetuple().tm_yday:03}",
    "-07": lambda t: _offset(t, "")[:3],
    "01": lambda t: f"{t.month:02}",
    "02": lambda t: f"{t.day:02}",
    "03": lambda t: f"{_twelve(t):02}",
    "04": lambda t: f"{t.minute:02}",
    "05": lambda t: f"{t.second:02}",
    "06": lambda t: f"{t.year % 100:02}",
    "15": lambda t: f"{t.hour:02}",
    "PM": lambda t: "PM" if t.hour >= 12 else "AM",
    "pm": lambda t: "pm" if t.hour >= 12 else "am",
    "_2": lambda t: f"{t.day:2}",
    "1": lambda t: str(t.month),
    "2": lambda t: str(t.day),
    "3": lambda t: str(_twelve(t)),
    "4": lambda t: str(t.minute),
    "5": lambda t: str(t.second),
}
"""Parts of a layout, the longer before the shorter."""

_FRACTION = r"(?<=5)[.,](?:0+|9+)(?!\d)"
_PART = re.compile("|".join([_FRACTION, *map(re.escape, _CHUNKS)]))


def formatted(time: datetime, layout: str) -> str:
    """``time`` as Go's ``Time.Format`` writes it."""

    def part(match: re.Match[str]) -> str:
        text = match[0]
        if text in _CHUNKS:
            return _CHUNKS[text](time)
        digits = f"{time.microsecond:06}".ljust(9, "0")[: len(text) - 1]
        if text[1] == "9":
            digits = digits.rstrip("0")
            return text[0] + digits if digits else ""
        return text[0] + digits

    return _PART.sub(part, layout)


def _twelve(time: datetime) -> int:
    return time.hour % 12 or 12


def _offset(time: datetime, colon: str) -> str:
    offset = time.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"
