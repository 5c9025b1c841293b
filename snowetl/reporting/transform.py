"""The report of a transform run: the sum of its splits, as the JSON kept beside the output."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from snowetl.jvm import instants
from snowetl.jvm.instants import Instant
from snowetl.model.schema import SchemaKey
from snowetl.reporting.bad_reasons import BadReason
from snowetl.reporting.parts import Input, StepReport, Workers, bad_rows_by_type, in_order
from snowetl.reporting.split_statistics import Statistics
from snowetl.reporting.statistics import Merged, SlowSplit
from snowetl.runs.parts import Part
from snowetl.spool import Spool
from snowetl.transform.rows import RowColumn, RowTable, SchemaType

_FOLDER_OF_VERSION_1 = re.compile(r"output=good/vendor=([^/]+)/name=([^/]+)/format=[^/]+/model=(\d+)/?")


class Table(NamedTuple):
    """A folder of a run, the part that went there, and the table its rows are for; bad and wide rows are for none."""

    folder: str
    part: Part
    rows: RowTable | None = None


@dataclass(slots=True)
class TransformSplitReport:
    """What became of one split. Every line is a good event, a bad row or a duplicate that was dropped."""

    index: int
    records: int = 0
    """Lines read."""
    events: int = 0
    """Good events."""
    duplicates: Counter[str] = field(default_factory=Counter)
    """Events that were left out, by kind of duplicate."""
    renamed: int = 0
    """Good events that got a new id."""
    bad_rows: Counter[str] = field(default_factory=Counter)
    """Bad rows by schema URI, those for damaged files included."""
    damages: int = 0
    types: set[SchemaType] = field(default_factory=set)
    first: Instant | None = None
    last: Instant | None = None
    """Earliest and latest collector timestamp of the good events."""
    tables: list[Table] = field(default_factory=list)
    seconds: float = 0.0
    peak_memory: int = 0
    statistics: Statistics = field(default_factory=Statistics)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeMet:
    """A schema that good events name, and the column it was in."""

    schema_key: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnWritten:
    name: str
    type: str


@dataclass(slots=True, kw_only=True)
class TableWritten:
    """What went to one folder (``table``) of the run. Rows of events and entities name the model they are of."""

    table: str
    rows: int = 0
    parts: int = 0
    bytes: int = 0
    vendor: str | None = None
    name: str | None = None
    model: int | None = None
    schema_criterion: str | None = None
    columns: list[ColumnWritten] | None = None
    """Of rows that are made for their target."""
    versions: str | None = None
    """With recovery tables: ``merged``, or the version that has one (``1-0-1``)."""


@dataclass(slots=True, kw_only=True)
class TransformReport(StepReport):
    """``records`` = ``events`` + ``duplicates`` + bad rows − ``damages``."""

    step: ClassVar[str] = "transform"
    version: ClassVar[int] = 2

    run_identity: str = ""
    """Names the run wherever its folder lies, and by whatever address it is reached."""
    input: Input
    records: int
    events: int
    duplicates: int
    duplicates_by_kind: dict[str, int]
    new_ids: int
    bad_rows: dict[str, int]
    bad_row_schemas: dict[str, int]
    damages: int
    types: list[TypeMet]
    first_collector_tstamp: str | None
    last_collector_tstamp: str | None
    tables: list[TableWritten]
    workers: Workers
    bad_reasons: list[BadReason] = field(default_factory=list)
    splits: list[SlowSplit] = field(default_factory=list)
    of_failed_events: bool | None = None

    @classmethod
    def upgraded(cls, document: dict[str, Any], version: int) -> dict[str, Any]:
        """Reports of version 1 named the model of a table in its folder only."""
        if version > 1:
            return document
        tables = [table | _model_of_folder(table.get("table", "")) for table in document.get("tables", ())]
        return document | {"tables": tables}


def _model_of_folder(folder: str) -> dict[str, Any]:
    match = _FOLDER_OF_VERSION_1.fullmatch(folder)
    return {"vendor": match[1], "name": match[2], "model": int(match[3])} if match else {}


class TransformTotals:
    """Adds up the reports of splits as they come; of each only its parts are kept, on disk."""

    def __init__(self) -> None:
        self.parts: Spool[Part] = Spool()
        """The staged parts of all splits, which the driver publishes."""
        self._sum = TransformSplitReport(-1)
        self._tables: dict[str, TableWritten] = {}
        self._splits = 0
        self._merged = Merged()

    def add(self, split: TransformSplitReport) -> None:
        total = self._sum
        total.records += split.records
        total.events += split.events
        total.duplicates += split.duplicates
        total.renamed += split.renamed
        total.bad_rows += split.bad_rows
        total.damages += split.damages
        total.types |= split.types
        total.first = min((time for time in (total.first, split.first) if time is not None), default=None)
        total.last = max((time for time in (total.last, split.last) if time is not None), default=None)
        total.seconds += split.seconds
        total.peak_memory = max(total.peak_memory, split.peak_memory)
        for table in split.tables:
            self.parts.append(table.part)
            self._add_table(table)
        self._splits += 1
        self._merged.add(split)

    def _add_table(self, table: Table) -> None:
        found = self._tables.get(table.folder)
        if found is None:
            found = self._tables[table.folder] = _empty(table)
        found.rows += table.part.lines
        found.parts += 1
        found.bytes += table.part.bytes

    def report(self, *, files: int, size: int, run_identity: str, **about: Any) -> TransformReport:
        """The report of all splits. ``about`` are the fields every step's report has."""
        total = self._sum
        types = sorted(total.types, key=lambda type_: (SchemaKey.parse(type_.uri), type_.column))
        return TransformReport(
            **about,
            run_identity=run_identity,
            input=Input(files=files, bytes=size, splits=self._splits),
            records=total.records,
            events=total.events,
            duplicates=sum(total.duplicates.values()),
            duplicates_by_kind=in_order(total.duplicates),
            new_ids=total.renamed,
            bad_rows=bad_rows_by_type(total.bad_rows),
            bad_row_schemas=in_order(total.bad_rows),
            damages=total.damages,
            types=[TypeMet(schema_key=type_.uri, column=type_.column) for type_ in types],
            first_collector_tstamp=None if total.first is None else instants.to_iso(total.first),
            last_collector_tstamp=None if total.last is None else instants.to_iso(total.last),
            tables=[table for _, table in sorted(self._tables.items())],
            workers=Workers(seconds=round(total.seconds, 3), peak_memory=total.peak_memory),
            bad_reasons=self._merged.bad_reasons(),
            splits=self._merged.slowest(),
        )


def _empty(table: Table) -> TableWritten:
    rows = table.rows
    if rows is None:
        return TableWritten(table=table.folder)
    return TableWritten(
        table=table.folder,
        vendor=rows.vendor,
        name=rows.name,
        model=rows.model,
        schema_criterion=rows.criterion,
        columns=[_written(column) for column in rows.columns] or None,
        versions=rows.versions or None,
    )


def _written(column: RowColumn) -> ColumnWritten:
    return ColumnWritten(name=column.name, type=column.type)
