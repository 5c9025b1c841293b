"""Cubes: events, page views, sessions and users counted by dimensions, from enriched folders or a warehouse.

Dimensions and measures are tables of names. Sessions and users are counted apart for each cell, so they do not add up
over cells: ``totals`` counts them for every coarser cell, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from snowetl.errors import ConfigError
from snowetl.jvm.timestamps import civil_from_days
from snowetl.problems import did_you_mean
from snowetl.spool import sorted_spool

if TYPE_CHECKING:
    import pyarrow as pa


class Events(Protocol):
    """Where events come from: an enriched folder, or a warehouse."""

    def batches(self) -> Iterator[pa.RecordBatch]: ...


ALL = "(all)"
"""The value of a dimension that a total is counted over."""
Cell = tuple[str | None, ...]
_DAY = 86_400_000_000


class Dimension(NamedTuple):
    """``value`` gives the text of an event from its ``columns``, of which the first that is not null counts."""

    columns: tuple[str, ...]
    value: Callable[[Any], str] = str


def _day(micros: int) -> str:
    year, month, day = civil_from_days(micros // _DAY)
    return f"{year:04d}-{month:02d}-{day:02d}"


def _hour(micros: int) -> str:
    return f"{_day(micros)} {micros % _DAY // 3_600_000_000:02d}:00"


_TIME = ("derived_tstamp", "collector_tstamp")
DIMENSIONS = {
    "day": Dimension(_TIME, _day),
    "hour": Dimension(_TIME, _hour),
    "month": Dimension(_TIME, lambda micros: _day(micros)[:-3]),
    "app": Dimension(("app_id",)),
    "platform": Dimension(("platform",)),
    "event": Dimension(("event_name", "event")),
    "host": Dimension(("page_urlhost",)),
    "page": Dimension(("page_urlpath",)),
    "title": Dimension(("page_title",)),
    "referrer": Dimension(("refr_urlhost",)),
    "channel": Dimension(("refr_medium",)),
    "campaign": Dimension(("mkt_campaign",)),
    "source": Dimension(("mkt_source",)),
    "medium": Dimension(("mkt_medium",)),
    "country": Dimension(("geo_country",)),
    "city": Dimension(("geo_city",)),
    "browser": Dimension(("br_family", "br_name")),
    "os": Dimension(("os_family", "os_name")),
    "device": Dimension(("dvce_type",)),
    "language": Dimension(("br_lang",)),
}


class Measure(NamedTuple):
    """``distinct``: how many different values of ``column`` there are; else how many events have ``value`` in it."""

    column: str
    value: str | None = None
    distinct: bool = False


MEASURES = {
    "events": Measure("event_id"),
    "page_views": Measure("event", "page_view"),
    "page_pings": Measure("event", "page_ping"),
    "transactions": Measure("tr_orderid", distinct=True),
    "sessions": Measure("domain_sessionid", distinct=True),
    "users": Measure("domain_userid", distinct=True),
}
USUAL = ("events", "page_views", "sessions", "users")


@dataclass(frozen=True, slots=True)
class CubeShape:
    """By what is counted, and what."""

    dimensions: tuple[str, ...]
    measures: tuple[str, ...] = USUAL
    totals: bool = False

    @classmethod
    def parse(cls, dimensions: Sequence[str], measures: Sequence[str] = USUAL, totals: bool = False) -> CubeShape:
        """Raises :class:`ConfigError` that tells all that is wrong."""
        wrong = [*_wrong("dimension", dimensions, DIMENSIONS), *_wrong("measure", measures, MEASURES)]
        if wrong:
            raise ConfigError("; ".join(wrong))
        return cls(tuple(dimensions), tuple(measures), totals)

    @property
    def columns(self) -> list[str]:
        """Columns of the events that are read."""
        found = [column for name in self.dimensions for column in DIMENSIONS[name].columns]
        return list(dict.fromkeys([*found, *(MEASURES[name].column for name in self.measures)]))

    @property
    def header(self) -> tuple[str, ...]:
        return (*self.dimensions, *self.measures)


def _wrong(kind: str, names: Sequence[str], known: Sequence[str] | dict[str, Any]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"'{name}' is no {kind}{did_you_mean(name, known)}: there are {', '.join(known)}"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{kind} '{name}' is given twice"
    if not names:
        yield f"no {kind} is given: there are {', '.join(known)}"


def cube(events: Events, shape: CubeShape) -> Iterator[tuple[str | int | None, ...]]:
    """Rows of the cube in the order of their cells, each as ``shape.header`` says; a value that is unknown is ``None``.

    ``events`` has at least the columns of the shape. Memory grows with the cells, not with sessions and users: these
    are counted in sorted temporary files. Raises what reading the events raises.
    """
    plain = [name for name in shape.measures if not MEASURES[name].distinct]
    counts: dict[Cell, dict[str, int]] = {}
    for (cell, name), group in groupby(sorted_spool(_met(events, shape, plain, counts), _order), lambda met: met[:2]):
        counts[cell][name] = sum(1 for _ in groupby(group, lambda met: met[2]))
    for cell in sorted(counts, key=_cell_order):
        yield (*cell, *(counts[cell].get(name, 0) for name in shape.measures))


_Met = tuple[Cell, str, str]
_REMEMBERED = 200_000


def _met(events: Events, shape: CubeShape, plain: Sequence[str], counts: dict[Cell, dict[str, int]]) -> Iterator[_Met]:
    """What is counted once a cell: (cell, measure, id), some several times. ``counts`` gets all other measures."""
    distinct = [name for name in shape.measures if MEASURES[name].distinct]
    latest: set[_Met] = set()
    for batch in events.batches():
        columns = {name: _values(batch.column(name)) for name in shape.columns}
        cells = _cells(shape, columns, batch.num_rows)
        for row, finest in enumerate(cells):
            for cell in _coarser(finest) if shape.totals else (finest,):
                of_cell = counts.setdefault(cell, dict.fromkeys(plain, 0))
                for name in plain:
                    measure = MEASURES[name]
                    of_cell[name] += measure.value is None or columns[measure.column][row] == measure.value
                for name in distinct:
                    id_ = columns[MEASURES[name].column][row]
                    if id_ is not None and (met := (cell, name, id_)) not in latest:
                        latest.add(met)
                        yield met
        if len(latest) > _REMEMBERED:
            latest.clear()


def _values(column: pa.Array) -> list[Any]:
    """Texts, and times as microseconds: Python's own know no year beyond 9999."""
    import pyarrow as pa

    values: list[Any] = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    return values


def _cells(shape: CubeShape, columns: dict[str, list[Any]], rows: int) -> Iterator[Cell]:
    """The finest cell of each event."""
    return zip(*(_dimension(DIMENSIONS[name], columns, rows) for name in shape.dimensions), strict=True)


def _dimension(dimension: Dimension, columns: dict[str, list[Any]], rows: int) -> list[str | None]:
    first, *others = (columns[name] for name in dimension.columns)
    values = first
    for more in others:
        values = [other if value is None else value for value, other in zip(values, more, strict=True)]
    return [None if value is None else dimension.value(value) for value in values]


def _coarser(cell: Cell) -> Iterator[Cell]:
    """The cell itself, and every cell it is part of."""
    places = range(len(cell))
    for size in range(len(cell) + 1):
        for kept in combinations(places, size):
            yield tuple(cell[place] if place in kept else ALL for place in places)


def _cell_order(cell: Cell) -> tuple[tuple[bool, str], ...]:
    """Unknown values come last."""
    return tuple((value is None, value or "") for value in cell)


def _order(met: _Met) -> tuple[Any, ...]:
    cell, name, id_ = met
    return _cell_order(cell), name, id_
