"""Rows as RDB Loader's transformer writes them, for Redshift's ``COPY`` (RDB Loader 5.6.3 ``EventUtils``)."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from snowetl.ddl import flat, redshift
from snowetl.ddl.flat import Leaf
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaKey
from snowetl.transform.cells import NULL, cells, extractor, utc_cell
from snowetl.transform.event import ATOMIC, ATOMIC_COLUMNS, Event, ParsedEntity
from snowetl.transform.layouts.base import AddRows
from snowetl.transform.rows import TSV, RowTable, ShreddedRow
from snowetl.transform.schemas import Failure, Schemas

_COLLECTOR_TSTAMP = INDEX["collector_tstamp"]
_EVENTS = RowTable(ATOMIC.vendor, ATOMIC.name, ATOMIC.version.model, TSV)
_atomic = itemgetter(*ATOMIC_COLUMNS)


class RedshiftRows:
    """Tab-separated rows: null is empty for ``events``, ``\\N`` for entities; nothing is escaped."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def add_event(self, event: Event, rows: list[ShreddedRow]) -> Failure | None:
        rows.append(ShreddedRow(_EVENTS, atomic_row(event)))
        return None

    def entities(self, key: SchemaKey) -> AddRows | Failure:
        versions = self._schemas.model(key)
        return versions if isinstance(versions, Failure) else _add_rows(key, flat.ordered(versions))


def atomic_row(event: Event) -> str:
    """The event's own 128 columns."""
    return "\t".join(_atomic(event.columns))


def _add_rows(key: SchemaKey, leaves: Sequence[Leaf]) -> AddRows:
    table = RowTable(key.vendor, key.name, key.version.model, TSV)
    columns = extractor([leaf.path for leaf in leaves])
    times = [
        place for place, leaf in enumerate(_properties(leaves)) if redshift.column_type(leaf.schema) == "TIMESTAMP"
    ]
    head = f"{key.vendor}\t{key.name}\t{key.format}\t{key.version}\t"
    tail = f'\tevents\t["events","{key.name}"]\tevents'

    def add(entity: ParsedEntity, event: Event, rows: list[ShreddedRow]) -> None:
        texts = cells(columns, entity.data, event.plain)
        for place in times:
            if texts[place] != NULL:
                texts[place] = utc_cell(texts[place])
        row = f"{head}{event.event_id}\t{event.columns[_COLLECTOR_TSTAMP]}{tail}"
        rows.append(ShreddedRow(table, "\t".join([row, *texts])))

    return add


def _properties(leaves: Sequence[Leaf]) -> list[Leaf]:
    """The root itself (path ``()``) has no column in a table and so no cell."""
    return [leaf for leaf in leaves if leaf.path]
