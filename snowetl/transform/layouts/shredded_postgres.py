"""Rows made for Postgres: every cell as its column's type wants it, for plain ``COPY`` (text format).

A value that its column cannot hold is null in the row and stands, as JSON text and with the reason, in a row of
``rejected_values``: nothing is lost, and no row is refused for one value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from snowetl.ddl import atomic, postgres
from snowetl.ddl.cells import NULL, Unfit
from snowetl.ddl.families import Recovery
from snowetl.ddl.postgres_cells import escape, json_cell, writers
from snowetl.ddl.tables import Column, Table
from snowetl.jvm import jsontext
from snowetl.model.fields import INDEX, LATER_LENGTHS
from snowetl.model.schema import SchemaKey
from snowetl.transform.cells import extractor, values
from snowetl.transform.entity import ParsedEntity
from snowetl.transform.event import ATOMIC, Event
from snowetl.transform.event import atomic as atomic_texts
from snowetl.transform.layouts.base import AddRows
from snowetl.transform.layouts.entity_cells import EntityCells
from snowetl.transform.layouts.rejected import RejectedValues, rejected_table
from snowetl.transform.rows import POSTGRES, RowColumn, RowTable, ShreddedRow
from snowetl.transform.schemas import Failure, Schemas


def _events(lengths: Mapping[str, int], place: str = "") -> RowTable:
    columns = tuple(RowColumn(column.name, column.type.upper()) for column in atomic.postgres_columns(lengths))
    return RowTable(ATOMIC.vendor, ATOMIC.name, ATOMIC.version.model, POSTGRES, columns, place)


_EVENTS, _LONG_EVENTS = _events(atomic.LENGTHS), _events(atomic.LONGEST, "columns=long")
"""Rows that a table of any age holds, and those with a text that only newer tables do: a load widens the table."""
_REJECTED = RejectedValues(
    rejected_table(POSTGRES, tuple(RowColumn(column.name, column.type) for column in postgres.REJECTED_VALUES)), escape
)
_LIMITED = tuple((INDEX[name], limit) for name, limit in atomic.LONGEST.items())
_WIDENED = tuple((INDEX[name], atomic.LENGTHS[name]) for name in LATER_LENGTHS)


class PostgresRows:
    """Rows of ``events``, of entities, and of the values that fit neither."""

    def __init__(self, schemas: Schemas, recovery: Recovery = Recovery()) -> None:  # noqa: B008  # immutable
        self._schemas = schemas
        self._recovery = recovery

    def add_event(self, event: Event, rows: list[ShreddedRow]) -> Failure | None:
        """Append the event's row. An event without a time that Postgres' users can read is refused as a whole."""
        cells = atomic_texts(event.columns)
        line = "\t".join([text or NULL for text in cells])
        rejected: list[ShreddedRow] = []
        table = _EVENTS
        if not event.ordinary and (event.exact or not atomic.texts_fit(line)):
            columns = list(event.columns)
            failure = _fit(event, columns, rejected)
            if failure is not None:
                return failure
            if any(len(columns[index]) > limit for index, limit in _WIDENED):
                table = _LONG_EVENTS
            cells = atomic_texts(columns)
            line = "\t".join([text or NULL for text in cells])
        if not event.clean and (line.count("\\") != cells.count("") or "\r" in line or "\x00" in line):
            line = "\t".join([escape(text) if text else NULL for text in cells])
        rows.append(ShreddedRow(table, line))
        rows += rejected
        return None

    def entities(self, key: SchemaKey) -> AddRows | Failure:
        found = self._schemas.sharing(key, self._recovery, "postgres")
        if isinstance(found, Failure):
            return found
        return _add_rows(key, postgres.table(found.schemas), found.versions)


def _fit(event: Event, columns: list[str], rejected: list[ShreddedRow]) -> Failure | None:
    """Make of an event's texts what their columns hold; what is cut or left out is noted."""
    failure = _REJECTED.clear_strange_times(event, columns, rejected)
    for index, limit in _LIMITED:
        text = columns[index]
        if len(text) > limit:
            columns[index] = text[:limit]
            rejected.append(_REJECTED.of_event(event, index, f"longer than {limit} characters", text))
    return failure


# --- entities -------------------------------------------------------------------------------------------------------


def _add_rows(key: SchemaKey, table: Table, versions: str) -> AddRows:
    properties = [column for column in table.columns if column.path is not None]
    cells_of = EntityCells(key, properties, writers, _REJECTED)
    overflow = None if len(properties) == len(table.columns) else _overflow(key.uri, table, properties)
    row_table = _row_table(key, table, versions)

    def add(entity: ParsedEntity, event: Event, rows: list[ShreddedRow]) -> None:
        cells, rejected = cells_of.of(entity, event)
        if overflow is not None:
            rejected = [*rejected, *overflow(entity.data, cells, event)]
        rows.append(ShreddedRow(row_table, cells_of.row(event, cells)))
        if rejected:
            rows += rejected

    return add


def _row_table(key: SchemaKey, table: Table, versions: str) -> RowTable:
    """The folder names the columns, so that rows with other ones, or for another table, never meet in it."""
    named = tuple(RowColumn(column.name, column.type) for column in (*postgres.META_COLUMNS, *table.columns))
    told = repr(named) + versions
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return RowTable(key.vendor, key.name, key.version.model, POSTGRES, named, f"columns={digest}", versions)


Overflow = Callable[[object, list[str], Event], list[ShreddedRow]]
"""Appends the last cell to those of a row (data, cells, event), and gives the values that do not fit it."""


def _overflow(uri: str, table: Table, properties: Sequence[Column]) -> Overflow:
    """What fills the last column of a table that is too wide: properties without a column, cells without room.

    Postgres keeps a row in one page of 8 KB; long values go elsewhere, but many short ones do not.
    """
    shown = extractor([column.path or () for column in properties])
    hidden = extractor([column.path or () for column in table.overflow])
    limit = table.row_limit or 0

    def fill(data: object, cells: list[str], event: Event) -> list[ShreddedRow]:
        found = values(shown, data)
        left = {
            column.name: value
            for column, value in zip(table.overflow, values(hidden, data), strict=True)
            if value is not None
        }
        width = sum(
            postgres.cell_width(column.type, cell)
            for column, cell in zip(properties, cells, strict=True)
            if cell is not NULL
        )
        for place in range(len(cells) - 1, -1, -1):
            if width <= limit:
                break
            if cells[place] is not NULL:
                width -= postgres.cell_width(properties[place].type, cells[place])
                left[properties[place].name] = found[place]
                cells[place] = NULL
        if not left:
            cells.append(NULL)
            return []
        try:
            cells.append(json_cell(jsontext.dumps(left), left))
        except Unfit as unfit:
            cells.append(NULL)
            return [_REJECTED.row(event, uri, name, unfit.reason, value) for name, value in left.items()]
        return []

    return fill
