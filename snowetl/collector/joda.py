"""Dates and times of log lines, read as Joda-Time's ISO date-time parser reads them.

Source: enrich 3.9.0 ``Loader.toTimestamp`` (``DateTime.parse``), Joda-Time 2.10 ``ISODateTimeFormat.dateTimeParser``.
Ordinary lines take a regular expression; the parser below is for the odd ones, and for the texts of what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.timestamps import days_from_civil

_DAY = 86_400_000
_HOUR, _MINUTE, _SECOND = 3_600_000, 60_000, 1000
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")
_SAMPLE = 32

_RANGES = {
    "year": (-292275055, 292278994),
    "weekyear": (-292275054, 292278993),
    "monthOfYear": (1, 12),
    "hourOfDay": (0, 23),
    "minuteOfHour": (0, 59),
    "secondOfMinute": (0, 59),
    "dayOfWeek": (1, 7),
}


def parse_timestamp(date: str, time: str) -> int | Message:
    """Epoch milliseconds of a UTC date and time, or the fault that bad rows report."""
    day = _day(date) if len(date) == 10 else None
    if day is not None:
        match = _TIME.fullmatch(time)
        if match is not None:
            hour, minute, second = match.groups()
            return day + int(hour) * _HOUR + int(minute) * _MINUTE + int(second) * _SECOND
    try:
        return _Parser(f"{date}T{time}+00:00").millis()
    except DateError as error:
        return badrow.payload_field("dateTime", f"{date} {time}", f"could not convert timestamp: {error}")


@lru_cache(maxsize=512)
def _day(date: str) -> int | None:
    """Milliseconds at the start of an ordinary date."""
    match = _DATE.fullmatch(date)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups())
    if not (1 <= month <= 12 and 1 <= day <= _days_of(year, month)):
        return None
    return days_from_civil(year, month, day) * _DAY


class DateError(ValueError):
    """Text that is no date-time; the message is Joda-Time's."""


class _Parser:
    """A text on its way to a date-time.

    The methods for parts of the grammar take a position and give the one behind the part, or ``~position`` of where
    they failed. What they read goes into ``fields``; alternatives that lose take theirs back.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.fields: dict[str, int] = {}

    def millis(self) -> int:
        end = self._either(0, [self._time_only, self._date_and_time])
        if end < len(self.text):
            raise DateError(self._malformed(end if end >= 0 else ~end))
        return self._compute()

    # --- grammar ---

    def _time_only(self, at: int) -> int:
        return self._sequence(at, [self._t, self._time, self._optional(self._offset)])

    def _date_and_time(self, at: int) -> int:
        return self._sequence(at, [self._date, self._optional(self._time_or_offset)])

    def _time_or_offset(self, at: int) -> int:
        return self._sequence(at, [self._t, self._optional(self._time), self._optional(self._offset)])

    def _date(self, at: int) -> int:
        return self._either(at, [self._calendar_date, self._week_date, self._ordinal_date])

    def _calendar_date(self, at: int) -> int:
        return self._sequence(at, [self._year("year"), self._optional(self._month_and_day)])

    def _month_and_day(self, at: int) -> int:
        month, day = self._number("-", 2, "monthOfYear"), self._number("-", 2, "dayOfMonth")
        return self._sequence(at, [month, self._optional(day)])

    def _week_date(self, at: int) -> int:
        week, day = self._number("-W", 2, "weekOfWeekyear"), self._number("-", 1, "dayOfWeek")
        return self._sequence(at, [self._year("weekyear"), week, self._optional(day)])

    def _ordinal_date(self, at: int) -> int:
        return self._sequence(at, [self._year("year"), self._number("-", 3, "dayOfYear")])

    def _time(self, at: int) -> int:
        return self._sequence(at, [self._number("", 2, "hourOfDay"), self._after_hour])

    def _after_hour(self, at: int) -> int:
        return self._either(at, [self._minutes, self._fraction(_HOUR)], optional=True)

    def _minutes(self, at: int) -> int:
        return self._sequence(at, [self._number(":", 2, "minuteOfHour"), self._after_minute])

    def _after_minute(self, at: int) -> int:
        return self._either(at, [self._seconds, self._fraction(_MINUTE)], optional=True)

    def _seconds(self, at: int) -> int:
        return self._sequence(at, [self._number(":", 2, "secondOfMinute"), self._optional(self._fraction(_SECOND))])

    # --- combinators ---

    def _sequence(self, at: int, parts: list[_Part]) -> int:
        for part in parts:
            at = part(at)
            if at < 0:
                break
        return at

    def _either(self, at: int, parts: list[_Part], optional: bool = False) -> int:
        """The alternative that reads furthest; the last one is not compared if it gets further than the others."""
        before = dict(self.fields)
        best, best_fields, failed = at, None, at
        for number, part in enumerate(parts):
            end = part(at)
            if end > best:
                if end >= len(self.text) or number + 1 == len(parts):
                    return end
                best, best_fields = end, self.fields
            elif end < 0:
                failed = max(failed, ~end)
            self.fields = dict(before)
        if best > at or optional:
            if best_fields is not None:
                self.fields = best_fields
            return best
        return ~failed

    def _optional(self, part: _Part) -> _Part:
        return lambda at: self._either(at, [part], optional=True)

    # --- terminals ---

    def _literal(self, at: int, literal: str) -> int:
        return at + len(literal) if self.text[at : at + len(literal)].upper() == literal else ~at

    def _t(self, at: int) -> int:
        return self._literal(at, "T")

    def _number(self, prefix: str, digits: int, field: str) -> _Part:
        def read(at: int) -> int:
            at = self._literal(at, prefix)
            return at if at < 0 else self._digits(at, digits, field)

        return read

    def _year(self, field: str) -> _Part:
        """Up to nine digits, a sign before them."""

        def read(at: int) -> int:
            sign = self.text[at : at + 1]
            if sign in ("-", "+") and sign:
                end = self._digits(at + 1, 9, field)
                if end < 0:
                    return ~at
                if sign == "-":
                    self.fields[field] = -self.fields[field]
                return end
            return self._digits(at, 9, field)

        return read

    def _digits(self, at: int, most: int, field: str) -> int:
        end = at + self._count_digits(at, most)
        if end == at:
            return ~at
        self.fields[field] = int(self.text[at:end])
        return end

    def _count_digits(self, at: int, most: int) -> int:
        count = 0
        while count < most and self.text[at + count : at + count + 1] in _DIGITS:
            count += 1
        return count

    def _fraction(self, unit: int) -> _Part:
        """Up to nine digits after a dot or comma, as milliseconds; each digit's share is cut to an integer."""

        def read(at: int) -> int:
            if self.text[at : at + 1] not in (".", ","):
                return ~at
            count = self._count_digits(at + 1, 9)
            if count == 0:
                return ~(at + 1)
            value, share = 0, unit * 10
            for digit in self.text[at + 1 : at + 1 + count]:
                share //= 10
                value += int(digit) * share
            self.fields["millis"] = value // 10
            return at + 1 + count

        return read

    def _offset(self, at: int) -> int:
        """``Z``, or a sign and ``hh[:mm[:ss[.SSS]]]``, with or without separators."""
        if self._literal(at, "Z") >= 0:
            return at + 1
        if at + 1 >= len(self.text) or self.text[at] not in "+-":
            return ~at
        at += 1
        if self._count_digits(at, 2) < 2 or int(self.text[at : at + 2]) > 23:
            return ~at
        at += 2
        separated = self.text[at : at + 1] == ":"
        for separator, least, most in ((":", 2, 2), (":", 2, 2), (".,", 1, 3)):
            if separated:
                if at >= len(self.text) or self.text[at] not in separator:
                    return at
                at += 1
            count = self._count_digits(at, most)
            if count == 0 and not separated:
                return at
            if count < least or (most == 2 and int(self.text[at : at + 2]) > 59):
                return ~at
            at += count
        return at

    # --- outcome ---

    def _compute(self) -> int:
        fields = self.fields
        self._check_all(("year", "weekyear", "monthOfYear"))
        if "weekOfWeekyear" in fields:
            days = self._week_days(fields["weekyear"])
        elif "dayOfYear" in fields:
            year = fields["year"]
            self._check("dayOfYear", 1, 366 if _is_leap(year) else 365)
            days = days_from_civil(year, 1, 1) + fields["dayOfYear"] - 1
        else:
            year, month = fields["year"], fields.get("monthOfYear", 1)
            if "dayOfMonth" in fields:
                self._check("dayOfMonth", 1, _days_of(year, month))
            days = days_from_civil(year, month, fields.get("dayOfMonth", 1))
        self._check_all(("hourOfDay", "minuteOfHour", "secondOfMinute"))
        hour, minute, second = (fields.get(name, 0) for name in ("hourOfDay", "minuteOfHour", "secondOfMinute"))
        return days * _DAY + hour * _HOUR + minute * _MINUTE + second * _SECOND + fields.get("millis", 0)

    def _week_days(self, year: int) -> int:
        first = _first_week(year)
        self._check("weekOfWeekyear", 1, (_first_week(year + 1) - first) // 7)
        self._check_all(("dayOfWeek",))
        return first + (self.fields["weekOfWeekyear"] - 1) * 7 + self.fields.get("dayOfWeek", 1) - 1

    def _check_all(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name in self.fields:
                self._check(name, *_RANGES[name])

    def _check(self, name: str, least: int, most: int) -> None:
        value = self.fields[name]
        if not least <= value <= most:
            reason = f"Value {value} for {name} must be in the range [{least},{most}]"
            raise DateError(f'Cannot parse "{self.text}": {reason}')

    def _malformed(self, at: int) -> str:
        sample = self.text if len(self.text) <= at + _SAMPLE + 3 else self.text[: at + _SAMPLE] + "..."
        if at <= 0:
            return f'Invalid format: "{sample}"'
        if at >= len(self.text):
            return f'Invalid format: "{sample}" is too short'
        return f'Invalid format: "{sample}" is malformed at "{sample[at:]}"'


_Part = Callable[[int], int]
_DIGITS = frozenset("0123456789")


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_of(year: int, month: int) -> int:
    return 29 if month == 2 and _is_leap(year) else _MONTH_DAYS[month - 1]


def _first_week(year: int) -> int:
    """Day number of the Monday that starts the first ISO week of a year."""
    fourth = days_from_civil(year, 1, 4)
    return fourth - (fourth + 3) % 7
