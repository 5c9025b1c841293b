"""Timestamps of the enriched TSV as the JVM reads and prints them (``java.time.Instant``, analytics SDK 3.1.0)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from snowetl.jvm.timestamps import civil_from_days, days_from_civil

_EPOCH = datetime(1970, 1, 1)  # all is UTC
_MICROSECOND = timedelta(microseconds=1)
_MAX_YEAR = 1_000_000_000
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_INSTANT = re.compile(
    r"(?P<year>[0-9]{4}|-[0-9]{4,10}|\+[0-9]{5,10})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt]"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{0,9}))?Z",
)

CANONICAL_FORM = (
    r"(?!0000)[0-9]{4}-"
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13578]|1[02])-(?:29|3[01])|(?:0[469]|11)-(?:29|30))"
    r" (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}"
)
CANONICAL = re.compile(CANONICAL_FORM).fullmatch
"""Matches the form Enrich writes (``2020-01-31 12:00:00.000``), which needs no reading: it is printed as it is."""


class Instant(NamedTuple):
    """A point in time: whole seconds since the epoch (UTC, any year) and nanoseconds within the second."""

    seconds: int
    nanos: int

    @property
    def micros(self) -> int:
        """Microseconds since the epoch, cut."""
        return self.seconds * 1_000_000 + self.nanos // 1000


def parse(text: str) -> Instant | None:
    """Read a column's text: blanks count as ``T``; ``24:00:00`` and leap seconds pass; ``None`` for other text.

    Years run to ±999,999,999 (the last year of the JVM's range, which some of its parts cannot print, is left out).
    """
    match = _INSTANT.fullmatch(text.replace(" ", "T") + "Z")
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(group) for group in match.groups()[:6])
    fraction = match["fraction"] or ""
    nanos = int(fraction.ljust(9, "0")) if fraction else 0
    if (match["year"].startswith("-") and year == 0) or abs(year) >= _MAX_YEAR:
        return None
    if not 1 <= month <= 12 or not 1 <= day <= _days_in(year, month):
        return None
    if hour == 23 and minute == 59 and second == 60:
        second = 59
    elif hour == 24 and minute == second == nanos == 0:
        pass
    elif hour > 23 or minute > 59 or second > 59:
        return None
    return Instant(days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second, nanos)


def _days_in(year: int, month: int) -> int:
    if month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        return 29
    return _DAYS[month - 1]


def to_tsv(instant: Instant) -> str:
    """``yyyy-MM-dd HH:mm:ss.SSS``, cut to milliseconds; the year is that of its era, as the reference prints it."""
    days, rest = divmod(instant.seconds, 86_400)
    year, month, day = civil_from_days(days)
    of_era = year if year > 0 else 1 - year
    sign = "+" if of_era > 9999 else ""
    return f"{sign}{of_era:04d}-{month:02d}-{day:02d} {_clock(rest)}.{instant.nanos // 1_000_000:03d}"


def to_iso(instant: Instant) -> str:
    """``Instant.toString``: the fraction in groups of three digits, left out when zero."""
    days, rest = divmod(instant.seconds, 86_400)
    year, month, day = civil_from_days(days)
    if year > 9999:
        shown = f"+{year}"
    elif year < 0:
        shown = f"-{-year:04d}"
    else:
        shown = f"{year:04d}"
    return f"{shown}-{month:02d}-{day:02d}T{_clock(rest)}{_fraction(instant.nanos)}Z"


def canonical_to_iso(text: str) -> str:
    """The ISO form of a :data:`CANONICAL` text."""
    if text.endswith(".000"):
        return f"{text[:10]}T{text[11:19]}Z"
    return f"{text[:10]}T{text[11:]}Z"


def from_canonical(text: str) -> Instant:
    """Read a :data:`CANONICAL` text."""
    since = datetime.fromisoformat(text) - _EPOCH
    return Instant(since.days * 86_400 + since.seconds, since.microseconds * 1000)


def canonical_to_micros(text: str) -> int:
    """Microseconds since the epoch of a :data:`CANONICAL` text."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _fraction(nanos: int) -> str:
    if nanos == 0:
        return ""
    digits = f"{nanos:09d}"
    if nanos % 1_000_000 == 0:
        return "." + digits[:3]
    return "." + (digits[:6] if nanos % 1000 == 0 else digits)
