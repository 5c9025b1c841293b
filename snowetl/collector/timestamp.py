"""Dates and times of log lines (enrich 3.9.0 ``Loader.toTimestamp``)."""

from __future__ import annotations

import re
from functools import lru_cache

from snowetl.jvm.joda import DateError, parse_datetime
from snowetl.model import badrow
from snowetl.model.badrow import Message

_HOUR, _MINUTE, _SECOND = 3_600_000, 60_000, 1000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")


def parse_timestamp(date: str, time: str) -> int | Message:
    """Epoch milliseconds of a UTC date and time, or the fault that bad rows report."""
    day = _day(date) if len(date) == 10 else None
    if day is not None:
        match = _TIME.fullmatch(time)
        if match is not None:
            hour, minute, second = match.groups()
            return day + int(hour) * _HOUR + int(minute) * _MINUTE + int(second) * _SECOND
    try:
        return parse_datetime(f"{date}T{time}+00:00")
    except DateError as error:
        return badrow.payload_field("dateTime", f"{date} {time}", f"could not convert timestamp: {error}")


@lru_cache(maxsize=512)
def _day(date: str) -> int | None:
    """Milliseconds at the start of an ordinary date."""
    try:
        return parse_datetime(f"{date}T00:00:00+00:00") if _DATE.fullmatch(date) else None
    except DateError:
        return None
