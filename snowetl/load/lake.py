"""Lakes: tables that are folders of Parquet, each with a log of commits. A load is a few commits, the last of which is
the manifest's row; each is marked with the run, and made once, however often the load is begun.

What is the same for every table format is here; a format is a :class:`LakeTable` and a file of ``warehouses``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.tables import Held
from snowetl.errors import LoadError
from snowetl.load import bad_rows, parquet_files
from snowetl.load.evolution import canonical
from snowetl.load.manifest import COLUMNS, ManifestRow, row_of
from snowetl.load.manifest import canonical as canonical_base
from snowetl.load.plan import Copy
from snowetl.load.report import TableLoad
from snowetl.load.run import TransformedRun
from snowetl.load.warehouse import AddedColumn, NothingAside, Statement, Tables
from snowetl.settings.words import count
from snowetl.storage import FileInfo

if TYPE_CHECKING:
    import pyarrow as pa

EVENTS, FAILED_EVENTS, BAD_ROWS, MANIFEST = "events", "failed_events", "bad_rows", "manifest"
TABLES = (EVENTS, FAILED_EVENTS, BAD_ROWS, MANIFEST)
_ANOTHER = "another"
"""Identity of a run of which the lake only knows that it is not this one."""


class Marks(NamedTuple):
    """What a commit says of its run: names, any of which tells the run again, and a number that tells its content."""

    names: tuple[str, ...]
    content: int
    row: ManifestRow
    """The manifest's row of the run, for a format whose commits are forgotten after a while."""


class LakeTable(Protocol):
    """One table of a lake."""

    def schema(self) -> pa.Schema | None:
        """Its columns; ``None`` where it is not there yet."""
        ...

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Some of its columns, a batch at a time."""
        ...

    def content(self, marks: Marks) -> int | None:
        """The number of the commit that bears one of these names; ``None`` where none does."""
        ...

    def append(self, rows: Callable[[], pa.RecordBatchReader], marks: Marks) -> bool:
        """Add rows in one commit, with the columns and fields that the table lacks; make the table if need be.

        Nothing is done, and ``False`` given, where a commit bears one of the marks. Raises ``LoadError``; transient
        where another loader was quicker: the table that was looked into is the one that is written.
        """
        ...

    def tidy(self) -> None:
        """Put small files together, and give free what no reader needs any more."""
        ...


Open = Callable[[str], LakeTable]
"""The table of a name. It may not be there yet."""


@dataclass(frozen=True, slots=True)
class _Append:
    """A commit to come. ``rows`` opens the rows."""

    table: str
    rows: Callable[[], pa.RecordBatchReader]


class LakeSession(NothingAside):
    """See :class:`snowetl.load.warehouse.Session`. ``schema`` is the name of the tables' folder or namespace."""

    def __init__(self, open_table: Open, schema: str) -> None:
        self._open = open_table
        self._schema = schema
        self._waiting: list[_Append] = []
        self._marks: Marks | None = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The commits are made on leaving: events, bad rows, the manifest. What was made before is left out."""
        self._waiting, self._marks = [], None
        yield
        waiting, marks = sorted(self._waiting, key=lambda one: TABLES.index(one.table)), self._marks
        for append in waiting:
            assert marks is not None
            if not self._open(append.table).append(append.rows, marks) and append.table == MANIFEST:
                raise LoadError("another loader was quicker with this run", transient=True)

    def lock(self) -> None:
        """Of several loaders, the first to commit wins: the others find its marks."""

    def execute(self, statement: Statement) -> str | None:
        raise LoadError(f"{statement.name}: a lake has no statements")

    def script(self, sql: str) -> None:
        raise LoadError("a lake runs no SQL of its own: run it where its tables are read")

    def number(self, query: str) -> int:
        raise LoadError("a lake answers no queries of its own")

    def vacuum(self, table: str) -> None:
        """The manifest is seen to with the events."""
        for name in (table, MANIFEST) if table == EVENTS else (table,):
            self._open(name).tidy()

    def tables(self) -> Tables:
        found = {name: self._open(name).schema() for name in TABLES}
        schemas = {name: schema for name, schema in found.items() if schema is not None}
        columns = {
            name: {column.name: Held(str(column.type), not column.nullable) for column in schema}
            for name, schema in schemas.items()
        }
        return Tables(dict.fromkeys(schemas), columns, bool(schemas), schemas)

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return self._open(table).read(columns)

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        marks = marks_of(run)
        content = self._open(MANIFEST).content(marks)
        if content is None:
            return []
        return [row_of(run)._replace(run_identity=run.identity if content == marks.content else _ANOTHER)]

    def note_loaded(self, row: ManifestRow) -> None:
        self._waiting.append(_Append(MANIFEST, lambda: _manifest_row(row)))

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        self._marks = marks_of(run)
        self._waiting.append(_Append(copy.table, lambda: event_rows(copy)))
        rows = sum(parquet_files.count_of(file) for file in copy.files)
        return TableLoad(f"{self._schema}.{copy.table}", rows, files=len(copy.files))

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        self._marks = marks_of(run)
        base = row_of(run).base
        self._waiting.append(_Append(BAD_ROWS, lambda: _bad_rows(files, base)))
        rows = sum(len(records) for records in bad_rows.batches(files))
        return TableLoad(f"{self._schema}.{BAD_ROWS}", rows, files=len(files))

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        return self._open(BAD_ROWS).content(Marks((_name("base", row.base),), 0, row)) is None

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        """The commit of the bad rows says it."""


class LakeStatements:
    """What every warehouse that is a lake answers about statements: its copies do all."""

    schema: str

    def set_up(self, tables: Tables) -> list[Statement]:
        return []

    def create_events(self, table: str) -> list[Statement]:
        return []

    def add_columns(
        self, table: str, added: Sequence[AddedColumn], columns: Mapping[str, pa.DataType]
    ) -> list[Statement]:
        return []

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        name = f"append {count(len(copy.files), 'file')} of {copy.folder.path} into {self.schema}.{copy.table}"
        lines = ["-- one commit", *(f"-- adds {'.'.join(path)} {type_}" for path, type_ in copy.added)]
        return Statement(name, "\n".join(lines))


def marks_of(run: TransformedRun) -> Marks:
    """How a run is known again: by its identity, its folder, or what its message says; see ``manifest.find``."""
    row = row_of(run)
    said = (run.failed_events, run.name, row.shredding_started, row.shredding_completed, row.min_collector_tstamp,
            row.max_collector_tstamp, row.count_good)  # fmt: skip
    names = [_name("base", row.base), _name("message", repr(said))]
    names += [] if run.identity is None else [_name("run", run.identity)]
    return Marks(tuple(names), content_of(run.identity), row)


def content_of(identity: str | None) -> int:
    """The number that tells a run's content."""
    return int.from_bytes(hashlib.sha256((identity or "").encode()).digest()[:7], "big")


def _name(kind: str, value: str) -> str:
    value = canonical_base(value) if kind == "base" and not value.startswith("…") else value
    return f"snowetl-{kind}-{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:32]}"


# --- rows -----------------------------------------------------------------------------------------------------------


def event_rows(copy: Copy) -> pa.RecordBatchReader:
    """The rows of a run as the table has them: its columns that are loaded, and the time of the run."""
    import pyarrow as pa

    pairs = [(name, place) for name, place in zip(copy.named, copy.columns, strict=True) if place]
    types = parquet_files.schema_of(copy.files[0]) if copy.files else pa.schema([])
    columns = [pa.field(place, canonical(types.field(name).type)) for name, place in pairs]
    own = pa.field(LOAD_TSTAMP, pa.timestamp("us", "UTC"))
    schema = pa.schema([*columns, own])
    moment = None if copy.load_tstamp is None else copy.load_tstamp.replace(tzinfo=UTC)

    def batches() -> Iterator[pa.RecordBatch]:
        for file in copy.files:
            for batch in parquet_files.batches(file, [name for name, _ in pairs]):
                arrays = [batch.column(name).cast(field.type) for (name, _), field in zip(pairs, columns, strict=True)]
                stamp = pa.repeat(pa.scalar(moment, own.type), batch.num_rows)
                yield pa.RecordBatch.from_arrays([*arrays, stamp], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _manifest_row(row: ManifestRow) -> pa.RecordBatchReader:
    import pyarrow as pa

    values: Mapping[str, object] = row._asdict() | {"ingestion_tstamp": datetime.now(UTC)}
    names = (*COLUMNS, "ingestion_tstamp")
    schema = pa.schema([pa.field(name, _manifest_type(name)) for name in names])
    arrays = [_array(values[name], field.type) for name, field in zip(names, schema, strict=True)]
    return pa.RecordBatchReader.from_batches(schema, [pa.RecordBatch.from_arrays(arrays, schema=schema)])


def _manifest_type(name: str) -> pa.DataType:
    import pyarrow as pa

    if name.endswith(("_tstamp", "started", "completed")):
        return pa.timestamp("us", "UTC")
    return pa.int64() if name == "count_good" else pa.string()


def _array(value: object, type_: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_timestamp(type_) and isinstance(value, str):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return pa.array([value], type_)


def _bad_rows(files: Sequence[FileInfo], base: str) -> pa.RecordBatchReader:
    import pyarrow as pa

    types = {"failure_tstamp": pa.timestamp("us", "UTC")}
    schema = pa.schema([pa.field(name, types.get(name, pa.string())) for name in bad_rows.COLUMNS])

    def batches() -> Iterator[pa.RecordBatch]:
        for records in bad_rows.batches(files):
            columns = list(zip(*((base, *record) for record in records), strict=True))
            arrays = [
                pa.array([_moment(value) for value in column] if field.name == "failure_tstamp" else column, field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
