"""Shredding: one row for the event and one for each entity (RDB Loader 5.6.3 ``Transformed.shredEvent``)."""

from __future__ import annotations

from typing import NamedTuple

from snowetl.jvm import jsontext
from snowetl.model.fields import FIELDS, INDEX
from snowetl.model.schema import SchemaKey
from snowetl.transform.cells import Extractor, cells
from snowetl.transform.event import Entity, Event
from snowetl.transform.formats import Formats
from snowetl.transform.rows import ShreddedRow
from snowetl.transform.schemas import Failure, Schemas

ATOMIC = SchemaKey.parse("iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0")
_MOST_TABLES = 10_000
_CONTEXTS, _UNSTRUCT, _DERIVED = (INDEX[field.name] for field in FIELDS if field.type == "json")
_COLLECTOR_TSTAMP = INDEX["collector_tstamp"]


class _Table(NamedTuple):
    """What all rows of one schema version share; ``columns`` is ``None`` for JSON rows."""

    key: SchemaKey
    head: str
    tail: str
    columns: Extractor | None


class Shredder:
    """Makes the rows of events. One per worker: it keeps what it works out about each schema."""

    def __init__(self, schemas: Schemas, formats: Formats) -> None:
        self._schemas = schemas
        self._formats = formats
        self._tables: dict[str, _Table] = {}

    def rows(self, event: Event) -> list[ShreddedRow] | Failure:
        """Rows of an event, the atomic one first; the first failure where a schema is missing."""
        rows = [ShreddedRow(ATOMIC.vendor, ATOMIC.name, 1, "tsv", atomic_row(event))]
        for entity in event.entities():
            table = self._tables.get(entity.uri) or self._table(entity.key)
            if isinstance(table, Failure):
                return table
            make = _json_row if table.columns is None else _tsv_row
            rows.append(make(table, entity, event))
        return rows

    def _table(self, key: SchemaKey) -> _Table | Failure:
        columns = self._schemas.extractor(key) if self._formats.is_tabular(key) else None
        if isinstance(columns, Failure):
            return columns
        head = f"{key.vendor}\t{key.name}\t{key.format}\t{key.version}\t"
        table = _Table(key, head, f'\tevents\t["events","{key.name}"]\tevents', columns)
        if len(self._tables) >= _MOST_TABLES:
            self._tables.clear()
        self._tables[key.uri] = table
        return table


def atomic_row(event: Event) -> str:
    """The event's own 128 columns; null is empty, nothing is escaped."""
    columns = event.columns
    return "\t".join(
        columns[:_CONTEXTS]
        + columns[_CONTEXTS + 1 : _UNSTRUCT]
        + columns[_UNSTRUCT + 1 : _DERIVED]
        + columns[_DERIVED + 1 :]
    )


def _tsv_row(table: _Table, entity: Entity, event: Event) -> ShreddedRow:
    key, head, tail, columns = table
    assert columns is not None
    texts = cells(columns, entity.data, event.plain)
    row = f"{head}{event.event_id}\t{event.columns[_COLLECTOR_TSTAMP]}{tail}"
    return ShreddedRow(key.vendor, key.name, key.version.model, "tsv", "\t".join([row, *texts]))


def _json_row(table: _Table, entity: Entity, event: Event) -> ShreddedRow:
    key = table.key
    row = {
        "schema": {"vendor": key.vendor, "name": key.name, "format": key.format, "version": str(key.version)},
        "data": entity.data,
        "hierarchy": {
            "rootId": event.event_id,
            "rootTstamp": event.columns[_COLLECTOR_TSTAMP],
            "refRoot": "events",
            "refTree": ["events", key.name],
            "refParent": "events",
        },
    }
    return ShreddedRow(key.vendor, key.name, key.version.model, "json", jsontext.dumps(row))
