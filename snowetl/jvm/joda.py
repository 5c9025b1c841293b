"""Dates as Joda-Time's ``ISODateTimeFormat.dateTimeParser()`` reads them, and what it says when it cannot.

The reference reads the times of access logs and webhooks so. A text in the usual form is read by one regular
expression; every other one by a parser built as Joda-Time's is, whose alternatives decide where an error is seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from snowetl.jvm.timestamps import days_from_civil

_USUAL = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{3}))?(?:Z|([+-])(\d{2}):?(\d{2}))?", re.ASCII
)
_MINUTE = 60_000
_HOUR = 3_600_000
_MIN_YEAR, _MAX_YEAR = -292275054, 292278993
_SAMPLE = 32

Fields = dict[str, int]
Parser = Callable[[str, int, Fields], int]
"""Reads ``text`` from a position into the fields; gives the next position, or ``~position`` of what is wrong."""


class DateError(ValueError):
    """Text that is not a date; the message is Joda-Time's."""


def parse_datetime(text: str) -> int:
    """Epoch milliseconds of an ISO date-time; without zone it is UTC. Raises :class:`DateError`."""
    match = _USUAL.fullmatch(text)
    if match is not None:
        fields = _usual_fields(match)
        if fields is not None:
            return _millis(text, fields)
    fields = {}
    position = _DATE_TIME(text, 0, fields)
    if position < len(text):
        raise DateError(_complaint(text, ~position if position < 0 else position))
    return _millis(text, fields)


def _usual_fields(match: re.Match[str]) -> Fields | None:
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fields = {"year": year, "month": month, "day": day, "hour": hour, "minute": minute, "second": second}
    fields["fraction"] = int(match.group(7) or 0)
    if match.group(8):
        hours, minutes = int(match.group(9)), int(match.group(10))
        if hours > 23 or minutes > 59:
            return None
        offset = hours * _HOUR + minutes * _MINUTE
        fields["offset"] = -offset if match.group(8) == "-" else offset
    return fields


def _complaint(text: str, position: int) -> str:
    sample = text if len(text) <= position + _SAMPLE + 3 else text[: position + _SAMPLE] + "..."
    if position <= 0:
        return f'Invalid format: "{sample}"'
    if position >= len(text):
        return f'Invalid format: "{sample}" is too short'
    return f'Invalid format: "{sample}" is malformed at "{sample[position:]}"'


# --- from fields to an instant ------------------------------------------------------------------------------------


def _millis(text: str, fields: Fields) -> int:
    check = _Ranges(text)
    days = _days(check, fields)
    hour = check("hourOfDay", fields.get("hour", 0), 0, 23)
    minute = check("minuteOfHour", fields.get("minute", 0), 0, 59)
    second = check("secondOfMinute", fields.get("second", 0), 0, 59)
    time = hour * _HOUR + minute * _MINUTE + second * 1000 + fields.get("fraction", 0)
    return days * 24 * _HOUR + time - fields.get("offset", 0)


def _days(check: _Ranges, fields: Fields) -> int:
    if "weekyear" in fields:
        return _week_days(check, fields)
    year = check("year", fields.get("year", 1970), _MIN_YEAR, _MAX_YEAR)
    first = days_from_civil(year, 1, 1)
    if "day_of_year" in fields:
        return first + check("dayOfYear", fields["day_of_year"], 1, days_from_civil(year + 1, 1, 1) - first) - 1
    month = check("monthOfYear", fields.get("month", 1), 1, 12)
    first = days_from_civil(year, month, 1)
    length = days_from_civil(year + month // 12, month % 12 + 1, 1) - first
    return first + check("dayOfMonth", fields.get("day", 1), 1, length) - 1


def _week_days(check: _Ranges, fields: Fields) -> int:
    """ISO weeks: the first one holds 4 January, and begins on Monday."""
    year = check("weekyear", fields["weekyear"], _MIN_YEAR, _MAX_YEAR)
    first, following = _first_monday(year), _first_monday(year + 1)
    week = check("weekOfWeekyear", fields["week"], 1, (following - first) // 7)
    day = check("dayOfWeek", fields.get("day_of_week", 1), 1, 7)
    return first + (week - 1) * 7 + day - 1


def _first_monday(year: int) -> int:
    fourth = days_from_civil(year, 1, 4)
    return fourth - (fourth + 3) % 7


class _Ranges:
    """Checks that a value is in the range of its field."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, field: str, value: int, low: int, high: int) -> int:
        if low <= value <= high:
            return value
        raise DateError(f'Cannot parse "{self._text}": Value {value} for {field} must be in the range [{low},{high}]')


# --- the grammar --------------------------------------------------------------------------------------------------


def _literal(wanted: str) -> Parser:
    def parse(text: str, position: int, fields: Fields) -> int:
        found = text[position : position + len(wanted)]
        return position + len(wanted) if found.upper() == wanted else ~position

    return parse


def _number(field: str, max_digits: int, *, signed: bool = False) -> Parser:
    pattern = re.compile(rf"{'[+-]?' if signed else ''}[0-9]{{1,{max_digits}}}")

    def parse(text: str, position: int, fields: Fields) -> int:
        match = pattern.match(text, position)
        if match is None:
            return ~position
        fields[field] = int(match.group())
        return match.end()

    return parse


def _fraction(unit_millis: int) -> Parser:
    digits = re.compile("[0-9]{1,9}")

    def parse(text: str, position: int, fields: Fields) -> int:
        match = digits.match(text, position)
        if match is None:
            return ~position
        value, share = 0, unit_millis * 10
        for digit in match.group():  # each digit's share is cut to an integer
            share //= 10
            value += int(digit) * share
        fields["fraction"] = value // 10
        return match.end()

    return parse


def _sequence(*parsers: Parser) -> Parser:
    def parse(text: str, position: int, fields: Fields) -> int:
        for parser in parsers:
            if position < 0:
                break
            position = parser(text, position, fields)
        return position

    return parse


def _any_of(*parsers: Parser, optional: bool = False) -> Parser:
    """The alternative that reads furthest; where none fits, the error that is seen latest."""

    def parse(text: str, position: int, fields: Fields) -> int:
        start = dict(fields)
        best, best_fields, worst = position, start, position
        for parser in parsers:
            trial = dict(start)
            end = parser(text, position, trial)
            if end > best:
                best, best_fields = end, trial
                if end >= len(text):
                    break
            elif end < 0:
                worst = max(worst, ~end)
        if best == position and not optional:
            return ~worst
        fields.clear()
        fields.update(best_fields)
        return best

    return parse


def _optional(*parsers: Parser) -> Parser:
    return _any_of(_sequence(*parsers), optional=True)


def _offset(text: str, position: int, fields: Fields) -> int:
    """``Z``, or a sign and ``hh[:mm[:ss[.SSS]]]``, all with separators or all without."""
    sign = text[position : position + 1]
    if sign in ("Z", "z"):
        fields["offset"] = 0
        return position + 1
    if sign not in ("+", "-") or position + 1 >= len(text):
        return ~position
    position += 1
    hours = _TWO_DIGITS.match(text, position)
    if hours is None or int(hours.group()) > 23:
        return ~position
    position, offset = position + 2, int(hours.group()) * _HOUR
    separated = text[position : position + 1] == ":"
    for separators, digits, most, unit in _OFFSET_PARTS:
        if separated:
            if text[position : position + 1] not in separators or position >= len(text):
                break
            position += 1
        match = digits.match(text, position)
        if match is None and not separated and not text[position : position + 1].isdigit():
            break
        if match is None or int(match.group()) > most:
            return ~position
        position, offset = match.end(), offset + int(match.group().ljust(len(str(most)), "0")) * unit
    fields["offset"] = -offset if sign == "-" else offset
    return position


_TWO_DIGITS = re.compile("[0-9]{2}")
_OFFSET_PARTS = (
    (":", _TWO_DIGITS, 59, _MINUTE),
    (":", _TWO_DIGITS, 59, 1000),
    (".,", re.compile("[0-9]{1,3}"), 999, 1),
)

_YEAR = _number("year", 9, signed=True)
_POINT = _any_of(_literal("."), _literal(","))
_TIME = _sequence(
    _number("hour", 2),
    _any_of(
        _sequence(
            _literal(":"),
            _number("minute", 2),
            _any_of(
                _sequence(_literal(":"), _number("second", 2), _optional(_POINT, _fraction(1000))),
                _sequence(_POINT, _fraction(_MINUTE)),
                optional=True,
            ),
        ),
        _sequence(_POINT, _fraction(_HOUR)),
        optional=True,
    ),
)
_DATE = _any_of(
    _sequence(
        _YEAR,
        _optional(
            _literal("-"),
            _number("month", 2),
            _optional(_literal("-"), _number("day", 2)),
        ),
    ),
    _sequence(
        _number("weekyear", 9, signed=True),
        _literal("-W"),
        _number("week", 2),
        _optional(_literal("-"), _number("day_of_week", 1)),
    ),
    _sequence(_YEAR, _literal("-"), _number("day_of_year", 3)),
)
_DATE_TIME = _any_of(
    _sequence(_literal("T"), _TIME, _optional(_offset)),
    _sequence(_DATE, _optional(_literal("T"), _optional(_TIME), _optional(_offset))),
)
