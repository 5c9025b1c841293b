"""When runs begin: cron's five fields (in UTC), and the same for EventBridge."""

from __future__ import annotations

import re

from snowetl.errors import UsageError

_FIELD = re.compile(r"[\dA-Za-z*/,\-]+")
_NUMBER = re.compile(r"(?<![/\d])\d+")


def checked(schedule: str) -> str:
    """``schedule`` if it has the five fields of cron. Raises :class:`UsageError`."""
    fields = schedule.split()
    if len(fields) != 5 or not all(_FIELD.fullmatch(field) for field in fields):
        raise UsageError(
            f"--schedule: '{schedule}' is not cron's minute, hour, day, month and weekday, such as '15 * * * *'"
        )
    return " ".join(fields)


def eventbridge(schedule: str) -> str:
    """Cron's five fields as EventBridge writes them: a year more, Sunday is 1, day or weekday is ``?``.

    Raises :class:`UsageError` where both a day and a weekday are given, which EventBridge cannot say.
    """
    minute, hour, day, month, weekday = checked(schedule).split()
    if weekday == "*":
        weekday = "?"
    elif day == "*":
        day, weekday = "?", _NUMBER.sub(lambda match: str(int(match[0]) % 7 + 1), weekday)
    else:
        raise UsageError(f"--schedule: '{schedule}' names a day and a weekday; EventBridge takes one of them")
    return f"cron({minute} {hour} {day} {month} {weekday} *)"
