"""Tables of PostgreSQL in partitions by month: made as rows need them, one for each month that has any.

Rows of the years 2000 to 2099 have a partition for their month (``events_2026_01``); those before and after, whose
clocks were wrong, share one each (``events_before_2000``, ``events_from_2100``). There is no default partition: to
attach another one would have to search it, and lock it against readers. A new partition is attached in the load's
transaction, which locks out neither readers nor writers of the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from snowetl.ddl.names import index_name, qualified
from snowetl.load.plan import Copy
from snowetl.load.run import TransformedRun

MONTH = "month"
TIMES = ("collector_tstamp", "root_tstamp")
"""Columns that tables of events and of entities are partitioned by."""
_FIRST, _END = date(2000, 1, 1), date(2100, 1, 1)
_MAX_NAME_BYTES = 63
_TIME = re.compile(rb"(\d{4})-(\d\d)-\d\d[ T]")
_BOUNDS = re.compile(r"FROM \((?:'([^']+)'|MINVALUE)\) TO \((?:'([^']+)'|MAXVALUE)\)")
_OURS = re.compile(r"_(?:\d{4}_\d\d|before_2000|from_2100)$")
_KEY = """
SELECT a.attname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
WHERE n.nspname = %s AND c.relname = %s AND p.partstrat = 'r' AND p.partnatts = 1 AND p.partexprs IS NULL
"""
_CHILDREN = """
SELECT k.relname, pg_get_expr(k.relpartbound, k.oid) FROM pg_inherits i JOIN pg_class k ON k.oid = i.inhrelid
JOIN pg_class c ON c.oid = i.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""


class Span(NamedTuple):
    """The times of a partition, from ``start`` on, before ``end``; ``None`` for no limit. ``end_of_name`` names it."""

    start: date | None
    end: date | None
    end_of_name: str

    @classmethod
    def of(cls, month: date) -> Span:
        """The partition that rows of a month (its first day) go to."""
        if month < _FIRST:
            return cls(None, _FIRST, "_before_2000")
        if month >= _END:
            return cls(_END, None, "_from_2100")
        return cls(month, following(month), f"_{month:%Y_%m}")

    def meets(self, other: Span) -> bool:
        starts_before = self.start is None or other.end is None or self.start < other.end
        return starts_before and (other.start is None or self.end is None or other.start < self.end)

    @property
    def bounds(self) -> str:
        start, end = (None if day is None else f"'{day}'" for day in (self.start, self.end))
        return f"FROM ({start or 'MINVALUE'}) TO ({end or 'MAXVALUE'})"


def following(month: date) -> date:
    """The month after a month, both by their first days."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months(copy: Copy, run: TransformedRun) -> list[date]:
    """The months of the rows of a copy, by their first days: of the run, where its message tells of one or two;
    else they are looked for."""
    first, last = (_month(text) for text in (run.min_collector_tstamp, run.max_collector_tstamp))
    if first is not None and last is not None and first <= last <= following(first):
        return sorted({first, last})
    return months_in(copy.chunks(copy.files), copy.columns)


def months_in(chunks: Iterable[bytes], columns: tuple[str, ...]) -> list[date]:
    """The months that stand in the time of rows whose cells these ``columns`` name."""
    place = next(number for number, name in enumerate(columns) if name in TIMES)
    found: set[bytes] = set()
    for chunk in chunks:
        found.update(
            line.split(b"\t", place + 1)[place][:11] for line in chunk.splitlines() if line.count(b"\t") >= place
        )
    dates = {_month_of(match) for cell in found if (match := _TIME.match(cell))}
    return sorted(day for day in dates if day is not None)


def _month(instant: str | None) -> date | None:
    match = _TIME.match((instant or "").encode())
    return None if match is None else _month_of(match)


def _month_of(match: re.Match[bytes]) -> date | None:
    try:
        return date(int(match[1]), int(match[2]), 1)
    except ValueError:
        return None


class Partitions:
    """Those of one table, by the connection that loads it."""

    def __init__(self, connection: Any, schema: str, table: str) -> None:
        self._connection = connection
        self._schema = schema
        self._table = table
        found = connection.execute(_KEY, [schema, table]).fetchone()
        self.is_partitioned = found is not None and found[0] in TIMES
        """By a range of the time of events: other partitions are left to whoever made them."""

    def make(self, wanted: Iterable[date]) -> list[str]:
        """Make the partitions that rows of these months lack. Returns the names of all that they go to."""
        spans = {Span.of(month) for month in wanted}
        there = self._there()
        used = [name for name, span in there.items() if any(span.meets(each) for each in spans)]
        missing = [each for each in spans if not any(each.meets(span) for span in there.values())]
        for span in sorted(missing, key=lambda span: span.start or date.min):
            name = index_name(self._table, span.end_of_name, _MAX_NAME_BYTES)
            parent, child = qualified(self._schema, self._table), qualified(self._schema, name)
            like = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE"
            self._connection.execute(f"CREATE TABLE {child} (LIKE {parent} {like})")
            self._connection.execute(f"ALTER TABLE {parent} ATTACH PARTITION {child} FOR VALUES {span.bounds}")
            used.append(name)
        return used

    def _there(self) -> dict[str, Span]:
        """The spans of the partitions that are there; a default one takes all times."""
        found = {}
        for name, bound in self._connection.execute(_CHILDREN, [self._schema, self._table]).fetchall():
            match = _BOUNDS.search(bound)
            start, end = (None, None) if match is None else (_day(match[1]), _day(match[2]))
            found[name] = Span(start, end, "")
        return found

    @property
    def are_ours(self) -> bool:
        """Whether every partition was made here, by its name."""
        return self.is_partitioned and all(_OURS.search(name) for name in self._there())


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text[:10])


def problems(connection: Any, schema: str, partition_by: str | None) -> list[str]:
    """Why an existing ``events`` table contradicts ``--partition-by``, and what to do."""
    kind = connection.execute(
        "SELECT c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = 'events'",
        [schema],
    ).fetchone()
    if kind is None:
        return []
    partitions = Partitions(connection, schema, "events")
    if partition_by == MONTH and not partitions.is_partitioned:
        return [
            f"{schema}.events is not partitioned by collector_tstamp, and --partition-by is {MONTH}: leave it out, "
            "give another --schema, or bring the table into partitions first (docs/postgres.md, Partitions by month)"
        ]
    if partition_by is None and partitions.are_ours:
        return [f"{schema}.events is partitioned by month: set --partition-by {MONTH}, or new months have no partition"]
    return []
