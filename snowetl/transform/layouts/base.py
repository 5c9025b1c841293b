"""What a layout is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from snowetl.ddl.families import Recovery
from snowetl.transform.columns import EntityColumn, Failures
from snowetl.transform.entity import ParsedEntity
from snowetl.transform.event import Event
from snowetl.transform.formats import Formats
from snowetl.transform.rows import Rows, ShreddedRow
from snowetl.transform.schemas import Schemas

SHRED = "shred"
WIDE_JSON = "widerow-json"
WIDE_PARQUET = "widerow-parquet"


@dataclass(frozen=True, slots=True)
class Settings:
    """What shapes rows. ``target``, ``formats`` and ``recovery`` act on shredding, ``columns`` (``entity_columns``) on
    Parquet.
    """

    schemas: Schemas
    target: str
    formats: Formats
    columns: Sequence[EntityColumn]
    recovery: Recovery = field(default_factory=Recovery)


class Layout(Protocol):
    """Makes the rows of events. One per worker: it may keep what it works out about schemas."""

    def rows(self, event: Event) -> Rows | Failures: ...


AddRows = Callable[[ParsedEntity, Event, list[ShreddedRow]], None]
"""Appends the rows of an entity. One is compiled for each schema."""
MakeLayout = Callable[[Settings], Layout]
