"""What a layout is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from snowetl.jvm.instants import Instant
from snowetl.model.fields import INDEX
from snowetl.transform.columns import EntityColumn, Failures
from snowetl.transform.event import CONTEXTS, DERIVED_CONTEXTS, UNSTRUCT_EVENT, Event, ParsedEntity
from snowetl.transform.formats import Formats
from snowetl.transform.rows import Rows, SchemaType, ShreddedRow
from snowetl.transform.schemas import Schemas

SHRED = "shred"
WIDE_JSON = "widerow-json"
WIDE_PARQUET = "widerow-parquet"

_COLLECTOR_TSTAMP = INDEX["collector_tstamp"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What shapes rows. ``target`` and ``formats`` act on shredding, ``columns`` (``entity_columns``) on Parquet."""

    schemas: Schemas
    target: str
    formats: Formats
    columns: Sequence[EntityColumn]


class Layout(Protocol):
    """Makes the rows of events. One per worker: it may keep what it works out about schemas."""

    def rows(self, event: Event) -> Rows | Failures: ...


AddRows = Callable[[ParsedEntity, Event, list[ShreddedRow]], None]
"""Appends the rows of an entity. One is compiled for each schema."""
MakeLayout = Callable[[Settings], Layout]


def types_of(event: Event) -> frozenset[SchemaType]:
    """The schemas of an event's entities, with the columns they stand in."""
    types = [_type(entity.uri, CONTEXTS) for entity in event.contexts]
    types += [_type(entity.uri, DERIVED_CONTEXTS) for entity in event.derived_contexts]
    if event.unstruct_event is not None:
        types.append(_type(event.unstruct_event.uri, UNSTRUCT_EVENT))
    return frozenset(types)


@lru_cache(maxsize=8192)
def _type(uri: str, column: str) -> SchemaType:
    return SchemaType(uri, column)


def collector_tstamp(event: Event) -> Instant:
    """The event's time, which none is without."""
    time = event.instant(_COLLECTOR_TSTAMP)
    assert time is not None
    return time
