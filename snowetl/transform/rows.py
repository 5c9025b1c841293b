"""What transforming one event gives: rows and where each belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from snowetl.jvm.instants import Instant

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
    version: str = ""
    """Tells sets of columns apart, where rows of one model may have different ones."""
    folder: str = field(init=False)
    """Where the rows go below ``output=good``."""

    def __post_init__(self) -> None:
        folder = f"vendor={self.vendor}/name={self.name}/format={self.output}/model={self.model}"
        object.__setattr__(self, "folder", f"{folder}/columns={self.version}" if self.version else folder)

    @property
    def criterion(self) -> str:
        """The model as schema criterion."""
        return f"iglu:{self.vendor}/{self.name}/jsonschema/{self.model}-*-*"


class ShreddedRow(NamedTuple):
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
        return "SELF_DESCRIBING_EVENT" if self.column == "unstruct_event" else "CONTEXT"


class ShreddedRows(NamedTuple):
    """A good event as rows of tables, that of ``events`` first."""

    rows: Sequence[ShreddedRow]
    types: frozenset[SchemaType]
    collector_tstamp: Instant


class WideLine(NamedTuple):
    """A good event as one line of JSON."""

    line: str
    types: frozenset[SchemaType]
    collector_tstamp: Instant


class WideRecord(NamedTuple):
    """A good event as values in the order of the batch's columns."""

    values: Sequence[Any]
    types: frozenset[SchemaType]
    collector_tstamp: Instant


Rows = ShreddedRows | WideLine | WideRecord
"""All rows of a good event, the schemas it names and its time: what the message of a finished run sums up."""
