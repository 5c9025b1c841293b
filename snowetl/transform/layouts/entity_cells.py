"""Rows of entities, as far as all warehouses have them alike: what leads to the event, and a cell for each property."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from snowetl.ddl.cells import NULL, Unfit, Writers
from snowetl.ddl.tables import Column
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaKey
from snowetl.transform.cells import cells, extractor, fill, values
from snowetl.transform.event import Event, ParsedEntity
from snowetl.transform.layouts.rejected import RejectedValues
from snowetl.transform.rows import ShreddedRow

_EVENT_ID, _COLLECTOR_TSTAMP = INDEX["event_id"], INDEX["collector_tstamp"]

EntityCells = Callable[[ParsedEntity, Event], tuple[str, list[str], Sequence[ShreddedRow]]]
"""The cells that lead to the event (one text), those of the properties, and the values that fit no cell."""


def entity_cells(
    key: SchemaKey, properties: Sequence[Column], writers: Callable[[str], Writers], rejected_values: RejectedValues
) -> EntityCells:
    """Compiled once for each schema. ``writers`` gives those of a column's type."""
    paths = [column.path or () for column in properties]
    columns = extractor(paths)
    blank = [NULL] * len(columns.columns)
    plain = [writers(column.type).plain for column in properties]
    escaping = [writers(column.type).any for column in properties]
    plainly, escaped = cells(paths, plain), cells(paths, escaping)
    head = f"{key.vendor}\t{key.name}\t{key.format}\t{key.version}\t"
    tail = f'\tevents\t["events","{key.name}"]\tevents'

    def cells_of(entity: ParsedEntity, event: Event) -> tuple[str, list[str], Sequence[ShreddedRow]]:
        texts = blank.copy()
        rejected: Sequence[ShreddedRow] = ()
        try:
            for where in plainly if event.plain else escaped:
                fill(texts, where, entity.data)
        except Unfit:
            write = plain if event.plain else escaping
            found = values(columns, entity.data)
            texts, rejected = rejected_values.cells(key.uri, properties, write, found, event)
        return f"{head}{event.columns[_EVENT_ID]}\t{event.columns[_COLLECTOR_TSTAMP]}{tail}", texts, rejected

    return cells_of
