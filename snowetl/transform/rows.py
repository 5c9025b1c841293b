"""What transforming one event gives: rows and where each belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from snowetl.ddl.families import ALL
from snowetl.jvm.instants import Instant
from snowetl.transform.event import COLLECTOR_TSTAMP, CONTEXTS, DERIVED_CONTEXTS, UNSTRUCT_EVENT, Event

TSV, JSON, POSTGRES = "tsv", "json", "postgres"
"""Forms of shredded rows."""


class RowColumn(NamedTuple):
    """A column of rows: its name and type in the target's table."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class RowTable:
    """Where rows of one kind go: all of a schema's model in one form. ``columns`` are named where the form needs it."""

    vendor: str
    name: str
    model: int
    output: str
    columns: tuple[RowColumn, ...] = ()
    place: str = ""
    """A folder below the model's, where rows of one model may have different columns."""
    versions: str = ALL
    """Which of the model's versions the rows are of, as :mod:`snowetl.ddl.families` has it."""
    folder: str = field(init=False)
    """Where the rows go below ``output=good``."""

    def __post_init__(self) -> None:
        folder = f"vendor={self.vendor}/name={self.name}/format={self.output}/model={self.model}"
        object.__setattr__(self, "folder", f"{folder}/{self.place}" if self.place else folder)

    @property
    def criterion(self) -> str:
        """The model as schema criterion."""
        return f"iglu:{self.vendor}/{self.name}/jsonschema/{self.model}-*-*"


class ShreddedRow(msgspec.Struct, gc=False):  # type: ignore[call-arg, unused-ignore]
    """One row of one table, without line end."""

    table: RowTable
    text: str


class SchemaType(NamedTuple):
    """A schema met in an event, and the column it was in: ``unstruct_event``, ``contexts`` or ``derived_contexts``."""

    uri: str
    column: str

    @property
    def entity(self) -> str:
        """``snowplowEntity`` of messages."""
        return "SELF_DESCRIBING_EVENT" if self.column == UNSTRUCT_EVENT else "CONTEXT"


def types_of(event: Event) -> frozenset[SchemaType]:
    """The schemas of an event's entities, with the columns they stand in."""
    met = [(entity.uri, CONTEXTS) for entity in event.contexts]
    met += [(entity.uri, DERIVED_CONTEXTS) for entity in event.derived_contexts]
    if event.unstruct_event is not None:
        met.append((event.unstruct_event.uri, UNSTRUCT_EVENT))
    return frozenset(SchemaType(uri, column) for uri, column in met)


class OfEvent(msgspec.Struct):
    """What a good event becomes."""

    event: Event

    @property
    def types(self) -> frozenset[SchemaType]:
        return types_of(self.event)

    @property
    def collector_tstamp(self) -> Instant:
        """The event's time, which none is without."""
        time = self.event.instant(COLLECTOR_TSTAMP)
        assert time is not None
        return time


class ShreddedRows(OfEvent):
    """A good event as rows of tables, that of ``events`` first."""

    rows: Sequence[ShreddedRow]


class WideLine(OfEvent):
    """A good event as one line of JSON."""

    line: str


class WideRecord(OfEvent):
    """A good event as values in the order of the batch's columns."""

    values: Sequence[Any]


Rows = ShreddedRows | WideLine | WideRecord
