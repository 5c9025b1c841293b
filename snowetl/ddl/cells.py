"""What the writers of cells share, whatever the warehouse: their contract, dates and times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from snowetl.ddl import date_times
from snowetl.ddl.date_times import DateTime
from snowetl.jvm import moments

NULL = "\\N"
YEARS = "not between the years 1 and 9999"


class Unfit(Exception):
    """A value its column cannot hold: why, and the cell that stands in its place."""

    def __init__(self, reason: str, cell: str = NULL) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cell = cell


Write = Callable[[Any], str]
"""Makes the cell of a JSON value that is not null. Raises :class:`Unfit`."""


class Writers(NamedTuple):
    """How one type's cells are made. ``plain`` is for values whose JSON text held no backslash."""

    plain: Write
    any: Write


def date_text(value: Any) -> str:
    """A date as ``yyyy-MM-dd``. Raises :class:`Unfit` for other values, and for years warehouses do not know."""
    if type(value) is not str or not moments.is_date(value):
        raise Unfit("not a date")
    head, _, rest = value.lstrip("+").partition("-") if value[0] != "-" else ("0", "", "")
    if not 1 <= int(head) <= 9999:
        raise Unfit(YEARS)
    return f"{int(head):04d}-{rest}"


def moment(value: Any) -> DateTime:
    """A date-time as a point in time, its fraction cut to microseconds; a date is its midnight.

    Raises :class:`Unfit` for other values, and for years warehouses do not know.
    """
    if type(value) is not str:
        raise Unfit("not a date-time")
    found = date_times.parse(f"{date_text(value)} 00:00" if moments.is_date(value) else value)
    if found is None:
        raise Unfit("not a date-time")
    if not 1 <= found.year <= 9999:
        raise Unfit(YEARS)
    return found._replace(fraction=found.fraction[:6])
