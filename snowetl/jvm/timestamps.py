"""Instants as epoch milliseconds, and the three text forms the reference writes them in (always UTC)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_DAY: Final = 86_400_000
_CLOCK: Final = tuple(f" {hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60))
_SECONDS: Final = tuple(f"{second:02d}." for second in range(60))
_MILLIS: Final = tuple(f"{milli:03d}" for milli in range(1000))
_FIRST_DAY: Final = -719528  # 0000-01-01
_LAST_DAY: Final = 2932896  # 9999-12-31


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Proleptic Gregorian (year, month, day) of a day number counted from 1970-01-01; any year."""
    days += 719468
    era, day_of_era = divmod(days, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, day


def days_from_civil(year: int, month: int, day: int) -> int:
    """Inverse of :func:`civil_from_days`; no range check."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146097 + day_of_era - 719468


@lru_cache(maxsize=8192)
def _minute_text(minutes: int) -> str:
    days, minute_of_day = divmod(minutes, 1440)
    year, month, day = civil_from_days(days)
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{month:02d}-{day:02d}" + _CLOCK[minute_of_day]


def to_tsv(millis: int) -> str:
    """``yyyy-MM-dd HH:mm:ss.SSS``: the form of the enriched TSV. Other years print as Joda-Time does."""
    minutes, rest = divmod(millis, 60_000)
    return _minute_text(minutes) + _SECONDS[rest // 1000] + _MILLIS[rest % 1000]


def from_tsv(text: str) -> int:
    """Epoch milliseconds of a text that :func:`to_tsv` has written."""
    date, _, clock = text.rpartition(" ")
    year, month, day = date.rsplit("-", 2)
    hour, minute, second = clock.split(":")
    days = days_from_civil(int(year), int(month), int(day))
    return days * _DAY + (int(hour) * 60 + int(minute)) * 60_000 + int(second.replace(".", ""))


def to_iso(millis: int) -> str:
    """``yyyy-MM-ddTHH:mm:ss.SSSZ``: the form inside payloads of bad rows and JSON dates."""
    text = to_tsv(millis)
    return text[:-13] + "T" + text[-12:] + "Z"


def to_instant(millis: int) -> str:
    """ISO instant with the shortest exact fraction (0 or 3 digits): failure timestamps of bad rows."""
    text = to_iso(millis)
    return text[:-5] + "Z" if text.endswith(".000Z") else text


def in_warehouse_range(millis: int) -> bool:
    """Whether the year is 0-9999, the range the reference calls Redshift-compatible."""
    return _FIRST_DAY <= millis // _DAY <= _LAST_DAY
