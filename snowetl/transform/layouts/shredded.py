"""Shredding: one row for the event and one for each entity (RDB Loader 5.6.3 ``Transformed.shredEvent``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from snowetl.ddl.families import Recovery
from snowetl.jvm import jsontext
from snowetl.model.schema import SchemaKey
from snowetl.transform.columns import Failures
from snowetl.transform.entity import ParsedEntity
from snowetl.transform.event import Event
from snowetl.transform.layouts.base import AddRows, Settings
from snowetl.transform.layouts.shredded_postgres import PostgresRows
from snowetl.transform.layouts.shredded_redshift import RedshiftRows
from snowetl.transform.rows import JSON, RowTable, ShreddedRow, ShreddedRows
from snowetl.transform.schemas import Failure, Schemas

_MOST_SCHEMAS = 10_000


class TargetRows(Protocol):
    """Makes rows as one warehouse wants them."""

    def add_event(self, event: Event, rows: list[ShreddedRow]) -> Failure | None:
        """Append the event's own row, or say what keeps it from having one."""
        ...

    def entities(self, key: SchemaKey) -> AddRows | Failure:
        """What makes the rows of a schema's entities, or what is wrong with its model."""
        ...


TARGETS: dict[str, Callable[[Schemas, Recovery], TargetRows]] = {"redshift": RedshiftRows, "postgres": PostgresRows}
"""Warehouse -> what makes its rows. ``redshift`` is the layout of RDB Loader's transformer."""


class Shredded:
    """Makes the rows of events. It keeps what it works out about each schema."""

    def __init__(self, settings: Settings) -> None:
        self._target = TARGETS[settings.target](settings.schemas, settings.recovery)
        self._formats = settings.formats
        self._known: dict[str, AddRows] = {}

    def rows(self, event: Event) -> ShreddedRows | Failures:
        """Rows of an event, its own one first; the first failure where a schema is missing."""
        rows: list[ShreddedRow] = []
        failure = self._target.add_event(event, rows)
        if failure is not None:
            return Failures([failure.message])
        for entity in event.entities():
            add = self._known.get(entity.uri) or self._compile(entity.key)
            if isinstance(add, Failure):
                return Failures([add.message])
            add(entity, event, rows)
        return ShreddedRows(event, rows)

    def _compile(self, key: SchemaKey) -> AddRows | Failure:
        add = self._target.entities(key) if self._formats.is_tabular(key) else _json_rows(key)
        if not isinstance(add, Failure):
            if len(self._known) >= _MOST_SCHEMAS:
                self._known.clear()
            self._known[key.uri] = add
        return add


def _json_rows(key: SchemaKey) -> AddRows:
    """Entities as JSON, which RDB Loader loads by JSONPaths. No registry is asked."""
    table = RowTable(key.vendor, key.name, key.version.model, JSON)
    schema = {"vendor": key.vendor, "name": key.name, "format": key.format, "version": str(key.version)}

    def add(entity: ParsedEntity, event: Event, rows: list[ShreddedRow]) -> None:
        row = {
            "schema": schema,
            "data": entity.data,
            "hierarchy": {
                "rootId": event.event_id,
                "rootTstamp": event.collector_tstamp,
                "refRoot": "events",
                "refTree": ["events", key.name],
                "refParent": "events",
            },
        }
        rows.append(ShreddedRow(table, jsontext.dumps(row)))

    return add
