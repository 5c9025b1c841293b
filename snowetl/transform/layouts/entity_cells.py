"""Rows of entities, as far as all warehouses have them alike: what leads to the event, and a cell for each property."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from snowetl.ddl.cells import NULL, Unfit, Write, Writers
from snowetl.ddl.tables import Column
from snowetl.model.schema import SchemaKey
from snowetl.transform.cells import cells, extractor, fill, values
from snowetl.transform.entity import ParsedEntity
from snowetl.transform.event import Event
from snowetl.transform.layouts.rejected import RejectedValues
from snowetl.transform.rows import ShreddedRow


class EntityCells:
    """Makes the cells of the entities of one schema. ``writers`` gives those of a column's type."""

    def __init__(
        self,
        key: SchemaKey,
        properties: Sequence[Column],
        writers: Callable[[str], Writers],
        rejected_values: RejectedValues,
    ) -> None:
        paths = [column.path or () for column in properties]
        self._uri = key.uri
        self._properties = properties
        self._rejected_values = rejected_values
        self._columns = extractor(paths)
        self._blank = [NULL] * len(self._columns.columns)
        self._plain: list[Write] = [writers(column.type).plain for column in properties]
        self._escaping: list[Write] = [writers(column.type).any for column in properties]
        self._plainly, self._escaped = cells(paths, self._plain), cells(paths, self._escaping)
        self._head = f"{key.vendor}\t{key.name}\t{key.format}\t{key.version}\t"
        self._tail = f'\tevents\t["events","{key.name}"]\tevents'

    def of(self, entity: ParsedEntity, event: Event) -> tuple[list[str], list[ShreddedRow]]:
        """The cells of the properties, and the values that fit no cell."""
        texts = self._blank.copy()
        data: Any = entity.data
        try:
            for where in self._plainly if event.plain else self._escaped:
                fill(texts, where, data)
        except Unfit:
            write = self._plain if event.plain else self._escaping
            found = values(self._columns, data)
            return self._rejected_values.cells(self._uri, self._properties, write, found, event)
        return texts, []

    def row(self, event: Event, cells: list[str]) -> str:
        """The whole row: what leads to the event, then the cells."""
        return "\t".join([f"{self._head}{event.root()}{self._tail}", *cells])
