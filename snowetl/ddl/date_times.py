"""``date-time`` texts as points in time: as leniently read as the reference's validator takes them."""

from __future__ import annotations

import re
from typing import NamedTuple

from snowetl.jvm.timestamps import civil_from_days, days_from_civil

_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]*))?)?"
    r"(?:[Zz]|([+-])([0-9]{2}).([0-9]{2}))?",
    re.DOTALL,
).fullmatch
_DAY = 86_400


class DateTime(NamedTuple):
    """A point in time, UTC: whole seconds since the epoch, and the digits of its fraction of a second."""

    seconds: int
    fraction: str

    @property
    def year(self) -> int:
        return civil_from_days(self.seconds // _DAY)[0]

    def text(self, separator: str) -> str:
        """``yyyy-MM-dd HH:mm:ss[.fraction]``; only for years of four digits."""
        days, clock = divmod(self.seconds, _DAY)
        year, month, day = civil_from_days(days)
        fraction = f".{self.fraction}" if self.fraction else ""
        time = f"{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}{fraction}"
        return f"{year:04d}-{month:02d}-{day:02d}{separator}{time}"


def parse(text: str) -> DateTime | None:
    """Read a date-time: without an offset it is UTC; a leap second is the second after it. ``None`` for other texts."""
    match = _DATE_TIME(text)
    if match is None:
        return None
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    second = int(match[6] or 0)
    midnight = days_from_civil(year, month, day)
    if civil_from_days(midnight) != (year, month, day) or hour > 23 or minute > 59 or second > 60:
        return None
    offset = int(match[9] or 0) * 3600 + int(match[10] or 0) * 60
    local = midnight * _DAY + hour * 3600 + minute * 60 + second
    return DateTime(local + offset if match[8] == "-" else local - offset, match[7] or "")
