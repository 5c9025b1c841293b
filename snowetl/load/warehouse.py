"""The contract between the load engine and a warehouse. Each kind is a file or folder of
:mod:`snowetl.load.warehouses`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from snowetl.ddl.tables import Dialect, Held
from snowetl.errors import LoadError
from snowetl.load.manifest import ManifestRow
from snowetl.load.report import TableLoad
from snowetl.load.run import WIDE_PARQUET, RowFolder, TransformedRun
from snowetl.storage import FileInfo

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.plan import Aside, Copy, Rejected
    from snowetl.load.target import Target

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """The capabilities of a kind of warehouse. Other code asks for these, never for the name."""

    layouts: frozenset[str]
    """Layouts of rows it loads: keys of ``LAYOUTS``."""
    transformation: str = "shred"
    """The ``--transformation`` of ``snowetl transform`` that makes its rows: what ``snowetl run`` does."""
    rows_for: str = "postgres"
    """Of shredded rows, the ``--target`` of ``snowetl transform`` that makes them."""
    row_formats: frozenset[str] = frozenset()
    """Formats of shredded rows it reads, as messages name them: ``TSV``, ``POSTGRES``."""
    max_identifier: int
    """Longest name of a table, in bytes."""
    reads_from: frozenset[str] | None = None
    """Schemes of storage it reads by itself; ``None``: the loader reads the files, wherever they are."""
    bad_rows_table: bool = False
    failed_events: bool = False
    """Whether it has tables for failed events: see :meth:`Warehouse.create_events`."""
    rejected_rows: bool = False
    """Whether it keeps what cannot be loaded in ``rejected_rows``, for ``--retry-rejected``."""
    reads_back: bool = False
    """Whether its tables are read back: see :class:`ReadingSession`."""
    tunnels: bool = False
    """Whether it is reached through ``--ssh-tunnel``."""
    partitions: bool = False
    """Whether ``--partition-by`` acts on it."""
    ddl_in_transaction: bool = True
    """Whether tables are made and altered in the transaction of a load; else before it: there DDL commits."""
    stages: bool = False
    """Whether files must be brought to where the server reads them: see :class:`StagingSession`."""
    renames_schemas: bool = False
    """Whether schemas can be renamed in a transaction (``snowetl backfill --swap``)."""
    dbt_adapter: str = ""
    """dbt's adapter for it (``dbt-…``); empty: there is none."""
    embedded: bool = False
    """Whether it runs without ``--database``, on a data folder: see :class:`EmbeddedWarehouse`."""
    embedded_modules: tuple[str, ...] = ()
    """Modules it needs besides ``modules`` when it does."""
    extra: str = ""
    """The extra of this package (``pip install 'snowetl[…]'``) that brings its driver; empty: none is needed."""
    modules: tuple[str, ...] = ()
    """The modules of its driver."""
    required: tuple[tuple[str, ...], ...] = ()
    """Settings it needs: of each group, exactly one."""
    database_example: str = ""
    """What ``--database`` looks like."""


LOADS_PARQUET = Capabilities(
    layouts=frozenset((WIDE_PARQUET,)),
    transformation="widerow-parquet",
    max_identifier=1024,
    bad_rows_table=True,
    failed_events=True,
)
"""The capabilities that warehouses of wide rows in Parquet share; ``replace(LOADS_PARQUET, …)`` adds the others."""


class Statement(NamedTuple):
    """One SQL statement and what it is for. An ``optional`` one may fail: the load goes on and warns."""

    name: str
    sql: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of the schema: their comments, and the names and types of their columns."""

    comments: Mapping[str, str | None] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, Held]] = field(default_factory=dict)
    schema_exists: bool = False
    schemas: Mapping[str, pa.Schema] = field(default_factory=dict)
    """Columns as Arrow types, of warehouses that load wide rows in Parquet."""


class AddedColumn(NamedTuple):
    """A column, or a field inside of one, that rows have and a table lacks.

    ``path`` leads to it from the table: the column, then fields; ``element`` stands for the members of an array.
    """

    path: tuple[str, ...]
    type: pa.DataType


class TableChange(NamedTuple):
    """The statements that fit a table to its rows. ``before`` runs before the transaction, ``inside`` in it.

    ``comment`` notes the new version; it is left out where an optional statement failed, so that the next load tries
    again.
    """

    before: tuple[Statement, ...]
    inside: tuple[Statement, ...]
    comment: Statement | None


NO_CHANGE = TableChange((), (), None)


class Session(Protocol):
    """One connection to a warehouse, used by one loader."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit on leaving, roll back on any error."""
        ...

    def lock(self) -> None:
        """Inside a transaction: wait until no other loader is at work on this schema."""
        ...

    def execute(self, statement: Statement) -> str | None:
        """Run a statement. Returns the server's words where an optional one failed.

        Raises :class:`StatementFailed` where the server refuses it for good, ``LoadError`` for all else.
        """
        ...

    def tables(self) -> Tables: ...

    def script(self, sql: str) -> None:
        """Run a file of statements that somebody else wrote (``snowetl run --models``). Raises ``LoadError``."""
        ...

    def vacuum(self, table: str) -> None:
        """Free the space of deleted rows, and sort the others, outside any transaction. Raises ``LoadError``."""
        ...

    def number(self, query: str) -> int:
        """The one number that a query answers. Asked where schemas are renamed, or ``set_up`` makes tables."""
        ...

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        """Rows of the manifest that may be this run's; :func:`snowetl.load.manifest.find` decides."""
        ...

    def note_loaded(self, row: ManifestRow) -> None:
        """Write the manifest's row of this run."""
        ...

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        """Copy the rows of one table, inside the transaction."""
        ...

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        """Raises ``LoadError`` where the warehouse has no table for them."""
        ...

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        """Whether a run of the manifest is known to have been loaded without its bad rows."""
        ...

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        """Write into the manifest how many bad rows were loaded with a run."""
        ...

    def put_aside(self, aside: Aside, run: TransformedRun) -> TableLoad:
        """Keep the rows of a model that has no table, or the place of these rows, for ``--retry-rejected``."""
        ...

    def rejected(self) -> list[Rejected]:
        """The rows that earlier loads put aside, by run and model."""
        ...

    def retry(self, rejected: Rejected, copy: Copy, run: TransformedRun) -> TableLoad:
        """Load rows that were put aside, inside the transaction. Rows that still do not fit are put aside again."""
        ...


class NothingAside:
    """What a session answers about rows aside where there are none: one that loads wide rows all or not at all."""

    def put_aside(self, aside: Aside, run: TransformedRun) -> TableLoad:
        raise LoadError(f"{aside.model.schema}: {aside.reason}")  # wide rows have one table, which is there

    def rejected(self) -> list[Rejected]:
        return []

    def retry(self, rejected: Rejected, copy: Copy, run: TransformedRun) -> TableLoad:
        raise LoadError("this warehouse keeps no rows aside")


class ReadingSession(Session, Protocol):
    """One that reads tables back."""

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Some columns of a table of events, a batch at a time: texts, and times as timestamps in microseconds."""
        ...


class StatementFailed(Exception):
    """A statement that the server refuses, and would refuse again. ``reason`` is what it says."""

    def __init__(self, statement: Statement, reason: str) -> None:
        super().__init__(f"{statement.name}: {reason}")
        self.statement = statement
        self.reason = reason


class Warehouse(Protocol):
    """A schema in a database of one kind."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    schema: str

    @classmethod
    def check(cls, target: Target) -> None:
        """Raises ``ConfigError`` for what can be known to be wrong without connecting."""
        ...

    @classmethod
    def open(cls, target: Target, say: Say) -> AbstractContextManager[Warehouse]:
        """The warehouse a user named. An embedded server runs until it is left.

        Raises ``ConfigError``, ``LoadError``.
        """
        ...

    @property
    def dialect(self) -> Dialect:
        """Its SQL about tables of entities. Asked of kinds that load shredded rows, or wide ones in JSON."""
        ...

    def set_up(self, tables: Tables) -> list[Statement]:
        """Statements that make the schema, ``events``, the manifest and other tables of ours that are missing."""
        ...

    def create_events(self, table: str) -> list[Statement]:
        """Statements that make a table like ``events`` under another name, such as ``failed_events``."""
        ...

    def add_load_tstamp(self, table: str, moment: datetime) -> Statement:
        """The statement that adds the column ``load_tstamp`` to a table of events.

        ``moment`` is the time of the run that is loaded: events already in the table get it, or a later time.
        """
        ...

    def session(self) -> AbstractContextManager[Session]:
        """Connect. Raises ``LoadError`` naming host and database, never the password."""
        ...

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        """The statement that copies the rows of one table, as ``--dry-run`` prints it: without secrets."""
        ...

    def dbt_output(self) -> Mapping[str, Any]:
        """How dbt's adapter reaches the database: an output of ``profiles.yml`` (``type``, ``host``, ``port``,
        ``user``, ``password``, ``dbname``). It holds the password: never show it. Asked of kinds with an adapter.
        """
        ...

    def preflight(self) -> list[str]:
        """The problems of the target, each with its remedy; empty if a load can start. Writes nothing."""
        ...


class ColumnarWarehouse(Warehouse, Protocol):
    """One that loads wide rows in Parquet."""

    def add_columns(
        self, table: str, added: Sequence[AddedColumn], columns: Mapping[str, pa.DataType]
    ) -> list[Statement]:
        """Statements that add columns, and fields inside of columns, to a table. Empty where a copy adds them itself,
        in the commit of its rows. ``columns`` are those of the table afterwards.
        """
        ...


class EntityColumn(NamedTuple):
    """A column of wide rows in JSON. ``entity`` is ``SELF_DESCRIBING_EVENT`` (one object) or ``CONTEXT`` (an array)."""

    name: str
    entity: str


class JsonWarehouse(Warehouse, Protocol):
    """One that loads wide rows in JSON."""

    def add_json_columns(self, table: str, columns: Sequence[EntityColumn]) -> list[Statement]:
        """Statements that add columns of entities to a table."""
        ...


class StagingWarehouse(Warehouse, Protocol):
    """One whose server reads files from a stage."""

    def staging(self, run: TransformedRun, folder: str, files: Sequence[FileInfo]) -> list[Statement]:
        """How the rows of a folder of the run come to the server, as ``--dry-run`` prints it: without secrets."""
        ...


class StagingSession(Session, Protocol):
    """A session whose server reads files from a stage."""

    def stage(self, run: TransformedRun, folders: Sequence[RowFolder], bad_rows: Sequence[FileInfo]) -> None:
        """Bring files to where the server reads them, before the transaction that copies them."""
        ...


class EmbeddedWarehouse(Warehouse, Protocol):
    """One that runs here, on a data folder, where no ``--database`` is given."""

    @classmethod
    def check_folder(cls, target: Target) -> None:
        """Raises ``ConfigError`` where the data folder, or this installation, cannot hold it. Writes nothing."""
        ...

    @classmethod
    def is_unmade(cls, target: Target) -> bool:
        """Whether there is nothing to look into before the first load has made it."""
        ...
