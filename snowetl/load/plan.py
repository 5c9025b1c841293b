"""What a load will do, as data: every table, how it is made or altered, which files go into it, what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, cast

from snowetl.ddl.names import failed_table
from snowetl.errors import LoadError
from snowetl.load.manifest import ManifestRow
from snowetl.load.rows import RowFormat, read_chunks, read_pieces
from snowetl.load.run import Model, RowFolder, TransformedRun
from snowetl.load.schemas import ModelSchemas
from snowetl.load.warehouse import (
    NO_CHANGE,
    AddedColumn,
    StagingWarehouse,
    Statement,
    TableChange,
    Tables,
    Warehouse,
)
from snowetl.model.schema import SchemaCriterion, SchemaKey
from snowetl.storage import FileInfo

ATOMIC_KEY = SchemaKey.parse("iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0")
"""The schema of ``events``."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Rows that go into one table.

    ``columns`` are the table's, in the order of the cells; ``""`` for a cell that the table has no column for. Rows
    with fewer cells, down to ``fewest``, were made for an earlier version: the rest is null.
    """

    table: str
    key: SchemaKey
    """The latest schema of the table's model."""
    columns: tuple[str, ...]
    format: RowFormat
    folder: RowFolder
    fewest: int
    decode: Callable[[bytes], bytes] | None = None
    """Makes rows of a piece of the files, where these hold something else, such as lines of JSON."""
    load_tstamp: datetime | None = None
    """Of events: the value of that column in every row (:attr:`TransformedRun.load_tstamp`); no cell holds it."""
    named: tuple[str, ...] = ()
    """Of files whose cells have names (Parquet): these, in the order of ``columns``."""
    added: tuple[AddedColumn, ...] = ()
    """What the table has lacked for these rows."""

    @property
    def files(self) -> tuple[FileInfo, ...]:
        return self.folder.files

    def chunks(self, files: Sequence[FileInfo]) -> Iterator[bytes]:
        """The rows of ``files``, a megabyte or so at a time. Raises ``StorageError``."""
        pieces = read_chunks(files)
        return pieces if self.decode is None else map(self.decode, pieces)

    @property
    def is_ready(self) -> bool:
        """Whether the files hold the table's rows byte for byte, but for ``load_tstamp``."""
        return self.decode is None and self.format.escaped and "" not in self.columns

    def pieces(self, files: Sequence[FileInfo]) -> Iterator[bytes]:
        """The rows, for a reader who finds the lines himself: in pieces that may end anywhere, where these are ready.

        Raises ``StorageError``.
        """
        return read_pieces(files) if self.is_ready else self.chunks(files)


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One table: what must happen to it, and the copies into it. ``note`` is ``created`` or ``migrated to 1-0-2``."""

    model: Model
    table: str
    copies: tuple[Copy, ...]
    change: TableChange = NO_CHANGE
    note: str | None = None

    def changed_before(self) -> TablePlan:
        """The same with all that happens to the table before the transaction."""
        before, inside, comment = self.change
        return replace(self, change=TableChange((*before, *inside, *([comment] if comment else [])), (), None))


@dataclass(frozen=True, slots=True)
class Aside:
    """A model whose rows cannot be loaded, why, and what would help."""

    model: Model
    reason: str
    folders: tuple[RowFolder, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """What earlier loads put aside from one run for one table.

    ``columns`` are the names of the cells of each line; ``folder`` is where the rows are, of warehouses that leave them
    in the run.
    """

    base: str
    model: Model
    columns: tuple[str, ...] | None
    rows: int
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A load of one run. ``set_up`` makes what is missing of the tables of ours."""

    run: TransformedRun
    set_up: tuple[Statement, ...]
    tables: tuple[TablePlan, ...]
    aside: tuple[Aside, ...]
    skipped: tuple[Model, ...]
    manifest: ManifestRow
    warnings: tuple[str, ...] = ()

    def statements(self, warehouse: Warehouse) -> Iterator[Statement]:
        """Every statement in order, for ``--dry-run``."""
        yield from self.set_up
        for table in self.tables:
            yield from table.change.before
        for table in self.tables:
            yield from table.change.inside
            if table.change.comment is not None:
                yield table.change.comment
        if warehouse.capabilities.stages:
            for copy in self._copies():
                yield from cast(StagingWarehouse, warehouse).staging(self.run, copy.folder.path, copy.files)
        for copy in self._copies():
            yield warehouse.copy_statement(copy, self.run)

    def _copies(self) -> Iterator[Copy]:
        return (copy for table in self.tables for copy in table.copies)


class Request(NamedTuple):
    """What a layout plans from. ``impossible`` are models the server refused a table for, with its words."""

    run: TransformedRun
    folders: Sequence[RowFolder]
    tables: Tables
    schemas: ModelSchemas
    warehouse: Warehouse
    skip: Sequence[SchemaCriterion] = ()
    impossible: Mapping[Model, str] = {}


def is_skipped(model: Model, request: Request) -> bool:
    """Whether a criterion leaves out the model's table: its revision and addition do not count."""
    return any(
        (criterion.vendor, criterion.name) == (model.vendor, model.name) and criterion.model in (None, model.model)
        for criterion in request.skip
    )


def events_table(model: Model, request: Request) -> tuple[str, TableChange, str | None]:
    """The table of events of a run's kind, how it is made if need be, and a note of that.

    ``events`` is there before any load; ``failed_events`` is made by the first that brings some. Raises ``LoadError``
    where the server refuses it.
    """
    if not model.failed:
        return "events", NO_CHANGE, None
    table = failed_table("events")
    if table in request.tables.comments:
        return table, NO_CHANGE, None
    if model in request.impossible:
        raise LoadError(f"{request.warehouse.schema}.{table}: {request.impossible[model]}")
    return table, TableChange((), tuple(request.warehouse.create_events(table)), None), "created"


class Planned(NamedTuple):
    """The answer of a layout to a request. ``warnings`` go into the report of the load."""

    tables: list[TablePlan]
    aside: list[Aside]
    skipped: list[Model]
    warnings: tuple[str, ...] = ()


def missing(folders: Sequence[RowFolder]) -> list[str]:
    """What a half-copied run lacks: folders and files that its message or report tell of."""
    found = []
    for folder in folders:
        there = len(folder.files)
        if folder.rows and not there:
            found.append(f"{folder.path} is missing, {folder.rows:,} rows")
        elif folder.parts is not None and there < folder.parts:
            found.append(f"{folder.path} has {there:,} of {folder.parts:,} files")
    return found


def require_whole(run: TransformedRun, folders: Sequence[RowFolder]) -> None:
    """Raises ``LoadError`` for a run of which something is missing."""
    lacking = missing(folders)
    if lacking:
        raise LoadError(
            f"{run.base} is not whole: {'; '.join(lacking)}. "
            "Copy the run again, or transform it again; nothing is loaded"
        )
