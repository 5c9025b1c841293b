"""``date-time`` and ``date`` as the reference checks them (itu 1.5.1, ``java.time.LocalDate``)."""

from __future__ import annotations

import re
from datetime import date

_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:\.([0-9]*))?)?"
    r"(?:[Zz]|([+-])([0-9]{2})[^\U00010000-\U0010ffff]([0-9]{2}))",
    re.DOTALL,
)
_DATE = re.compile(r"([+-]?)([0-9]{4,10})-([0-9]{2})-([0-9]{2})")
_MAX_YEAR = 999_999_999
_MAX_OFFSET_HOURS = 18
_LEAP_SECONDS = frozenset(
    [(year, 6) for year in (1972, 1981, 1982, 1983, 1985, 1992, 1993, 1994, 1997, 2012, 2015)]
    + [(year, 12) for year in (1971, 1972, 1973, 1974, 1975, 1976, 1977, 1978, 1988, 1989, 1990, 1995, 1998, 2005)]
    + [(2008, 12), (2016, 12)]
)
"""Months that ended with a leap second, by the reference's table: without 1979 and 1987, but with 1988."""
_COMMON = re.compile(
    r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,9})?[Zz]"
).fullmatch


def is_date_time(text: str) -> bool:
    """RFC 3339 with an offset, leniently: a blank for ``T``, no seconds, ``+01x00``; but no ``-03:30``."""
    return _COMMON(text) is not None or _is_uncommon_date_time(text)


def _is_uncommon_date_time(text: str) -> bool:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return False
    fraction, sign = match.group(7), match.group(8)
    year, month, day, hour, minute = (int(group) for group in match.groups()[:5])
    second = int(match.group(6) or 0)
    offset = 0
    if sign:
        offset_hours, offset_minutes = int(match.group(9)), int(match.group(10))
        if not _is_offset(sign, offset_hours, offset_minutes):
            return False
        offset = offset_hours * 60 + offset_minutes if sign == "+" else -(offset_hours * 60) or offset_minutes
    if not (_is_day(year, month, day) and hour <= 23 and minute <= 59 and _is_nanosecond(fraction or "")):
        return False
    if second == 60:
        return _is_leap_second(year, month, day, hour - int(offset / 60), minute - (offset - int(offset / 60) * 60))
    return second <= 59


def _is_offset(sign: str, hours: int, minutes: int) -> bool:
    """``ZoneOffset.ofHoursMinutes``: minutes must have the sign of the hours, which a minus does not give them."""
    if sign == "-" and (hours == 0) == (minutes == 0):
        return False
    return hours <= _MAX_OFFSET_HOURS and minutes <= 59 and not (hours == _MAX_OFFSET_HOURS and minutes)


def _is_nanosecond(digits: str) -> bool:
    """More than nine digits are read as a 32-bit number, wrapping around."""
    if len(digits) <= 9:
        return True
    wrapped = 0
    for digit in digits:
        wrapped = (wrapped * 10 + ord(digit) - 48) & 0xFFFFFFFF
    return wrapped <= 999_999_999


def _is_leap_second(year: int, month: int, day: int, utc_hour: int, utc_minute: int) -> bool:
    last_day = (month, day) in ((6, 30), (12, 31))
    return last_day and (utc_hour, utc_minute) == (23, 59) and (year, month) in _LEAP_SECONDS


def is_date(text: str) -> bool:
    """ISO local date: more than four digits of year need a plus, a minus is always allowed but not on year 0."""
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    sign, digits, month, day = match.groups()
    year = int(digits)
    if (sign == "" and len(digits) > 4) or (sign == "+" and len(digits) == 4) or (sign == "-" and year == 0):
        return False
    return year <= _MAX_YEAR and _is_day(-year if sign == "-" else year, int(month), int(day))


def _is_day(year: int, month: int, day: int) -> bool:
    """A day of the proleptic Gregorian calendar, which repeats every 400 years."""
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return False
    try:
        date(year % 400 + 2000, month, day)
    except ValueError:
        return False
    return True
