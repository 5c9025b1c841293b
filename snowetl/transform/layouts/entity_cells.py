"""Rows of entities, as far as all warehouses have them alike: what leads to the event, and a cell for each property."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from snowetl.ddl.cells import NULL, Unfit, Writers
from snowetl.ddl.tables import Column
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaKey
from snowetl.transform.cells import extractor, values
from snowetl.transform.event import Event, ParsedEntity
from snowetl.transform.layouts.rejected import RejectedValues
from snowetl.transform.rows import ShreddedRow

_COLLECTOR_TSTAMP = INDEX["collector_tstamp"]

EntityCells = Callable[[ParsedEntity, Event], tuple[str, list[str], list[Any], Sequence[ShreddedRow]]]
"""The cells that lead to the event (one text), those of the properties, their values, and what fits no cell."""


def entity_cells(
    key: SchemaKey, properties: Sequence[Column], writers: Callable[[str], Writers], rejected_values: RejectedValues
) -> EntityCells:
    """Compiled once for each schema. ``writers`` gives those of a column's type."""
    columns = extractor([column.path or () for column in properties])
    plain = [writers(column.type).plain for column in properties]
    escaping = [writers(column.type).any for column in properties]
    head = f"{key.vendor}\t{key.name}\t{key.format}\t{key.version}\t"
    tail = f'\tevents\t["events","{key.name}"]\tevents'

    def cells_of(entity: ParsedEntity, event: Event) -> tuple[str, list[str], list[Any], Sequence[ShreddedRow]]:
        found = values(columns, entity.data)
        write = plain if event.plain else escaping
        rejected: Sequence[ShreddedRow] = ()
        try:
            cells = [NULL if value is None else make(value) for make, value in zip(write, found)]  # noqa: B905  # hot
        except Unfit:
            cells, rejected = rejected_values.cells(key.uri, properties, write, found, event)
        return f"{head}{event.event_id}\t{event.columns[_COLLECTOR_TSTAMP]}{tail}", cells, found, rejected

    return cells_of
