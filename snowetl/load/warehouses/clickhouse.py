"""ClickHouse: wide rows in Parquet, over its HTTP interface, into MergeTree tables.

There is no transaction over tables. A load fills tables of its own that are made like those of the warehouse, counts
what came in, says that it publishes, and attaches their parts to the warehouse's: events, bad rows, the row of the
manifest, each in one step. Until it says so nothing is visible; from then on whoever comes next publishes the rest
(:mod:`snowetl.load.clickhouse_turns`). A step that was made is known by the rows that bear the load's id.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, ClassVar

from snowetl.ddl import clickhouse as ddl
from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.clickhouse import LOAD_ID, qualified, quoted, text
from snowetl.ddl.tables import Held
from snowetl.errors import ConfigError, LoadError, SnowetlError
from snowetl.jvm import jsontext
from snowetl.load import bad_rows, parquet_files
from snowetl.load.clickhouse_client import EXAMPLE, UNKNOWN_TABLE, Address, ClickHouseError, Client
from snowetl.load.clickhouse_turns import LOADING, OURS, PUBLISHING, Turn, Turns, taken_over, turn_of
from snowetl.load.evolution import canonical
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, row_of
from snowetl.load.plan import Aside, Copy, Rejected
from snowetl.load.report import TableLoad
from snowetl.load.run import TransformedRun
from snowetl.load.sql_script import statements_of
from snowetl.load.target import COPY_SECONDS, STATEMENT_SECONDS, checked_schema
from snowetl.load.warehouse import LOADS_PARQUET, AddedColumn, Capabilities, Say, Statement, StatementFailed, Tables
from snowetl.settings.words import count
from snowetl.storage import FileInfo, filesystem

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

EVENTS, FAILED_EVENTS, BAD_ROWS, MANIFEST = "events", "failed_events", "bad_rows", "manifest"
_PUBLISHED = (EVENTS, FAILED_EVENTS, BAD_ROWS, MANIFEST)
"""In this order: a run is loaded when its row is in the manifest."""
_FOR_EVER = 7 * 24 * 3600
_OLDEST = (24, 3)
_CHUNK = 1 << 20
_TIMES = ("shredding_started", "shredding_completed", "min_collector_tstamp", "max_collector_tstamp")


class ClickHouseWarehouse:
    """A database of a ClickHouse server."""

    name: ClassVar[str] = "clickhouse"
    capabilities: ClassVar[Capabilities] = replace(
        LOADS_PARQUET,
        max_identifier=206,
        dbt_adapter="clickhouse",
        extra="parquet",
        modules=("pyarrow",),
        required=(("database",),),
        database_example=EXAMPLE,
    )

    def __init__(
        self,
        address: Address,
        schema: str = "atomic",
        say: Say = lambda said: None,
        copy_timeout: int | None = None,
        statement_timeout: int | None = None,
    ) -> None:
        self.schema = checked_schema(schema)
        self._address = address
        self._say = say
        self._copy_seconds = _seconds(copy_timeout, COPY_SECONDS)
        self._statement_seconds = _seconds(statement_timeout, STATEMENT_SECONDS)

    @classmethod
    def check(cls, target: Target) -> None:
        checked_schema(target.schema)
        Address.parse(target.database or "")
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise ConfigError("loading into ClickHouse needs Arrow: pip install 'snowetl[parquet]'") from None

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[ClickHouseWarehouse]:
        address = Address.parse(target.database or "")
        yield cls(address, target.schema, say, target.copy_timeout, target.statement_timeout)

    @contextmanager
    def session(self) -> Iterator[ClickHouseSession]:
        client = Client(self._address, self._statement_seconds)
        try:
            yield ClickHouseSession(client, self.schema, self._say, self._copy_seconds)
        finally:
            client.close()

    def set_up(self, tables: Tables) -> list[Statement]:
        schema, there = self.schema, tables.comments
        statements = []
        if not tables.schema_exists:
            statements.append(Statement(f"create database {schema}", _create_database(schema)))
        if EVENTS not in there:
            statements += self.create_events(EVENTS)
        made = [(MANIFEST, ddl.create_manifest(schema)), (BAD_ROWS, ddl.create_bad_rows(schema))]
        return statements + [Statement(f"create {schema}.{name}", sql) for name, sql in made if name not in there]

    def create_events(self, table: str) -> list[Statement]:
        return [Statement(f"create {self.schema}.{table}", ddl.create_events(self.schema, table))]

    def add_columns(
        self, table: str, added: Sequence[AddedColumn], columns: Mapping[str, pa.DataType]
    ) -> list[Statement]:
        """A field inside of a column comes by a new type of the column."""
        name = f"alter {self.schema}.{table}"
        new = [path[0] for path, _ in added if len(path) == 1]
        grown = dict.fromkeys(path[0] for path, _ in added if len(path) > 1)
        return [Statement(name, ddl.add_column(self.schema, table, column, columns[column])) for column in new] + [
            Statement(name, ddl.grow_column(self.schema, table, column, columns[column])) for column in grown
        ]

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        name = f"copy {count(len(copy.files), 'file')} of {copy.folder.path} into {self.schema}.{copy.table}"
        return Statement(name, _insert(qualified(self.schema, copy.table), copy, load_id(run)))

    def dbt_output(self) -> Mapping[str, Any]:
        address = self._address
        return {
            "type": "clickhouse", "driver": "http", "host": address.host, "port": address.port, "user": address.user,
            "password": address.password, "secure": address.secure,
        }  # fmt: skip

    def preflight(self) -> list[str]:
        with self.session() as session:
            version = session.version()
        if version < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            return [f"the server at {self._address} is {'.'.join(map(str, version))}: {oldest} or later is needed"]
        return []


class ClickHouseSession:
    """See :class:`snowetl.load.warehouse.Session`."""

    def __init__(self, client: Client, schema: str, say: Say, copy_seconds: float) -> None:
        self._client = client
        self._schema = schema
        self._copy_seconds = copy_seconds
        self._turns = Turns(client, schema, say)
        self._manifest_row: ManifestRow | None = None
        self._load_id = ""

    def version(self) -> tuple[int, ...]:
        [version] = self._client.values("SELECT version()")
        return tuple(int(part) for part in str(version).split(".")[:2])

    # --- transactions -------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What was copied is published on leaving."""
        self._manifest_row, self._load_id = None, ""
        with turn_of(self._turns):
            try:
                yield
            except BaseException:
                with suppress(SnowetlError):  # else the next loader does it
                    self._drop_stages(self._turns.stage())
                raise
            if self._turns.is_ours:
                self._publish_ours()

    def lock(self) -> None:
        """Wait for our turn; bring to an end what loaders before us have left."""
        if not self._client.values(f"SELECT 1 FROM system.databases WHERE name = {text(self._schema)}"):
            self._client.run(_create_database(self._schema))
        left = self._turns.begin()
        half_published = [turn for turn in left if turn.phase == PUBLISHING]
        if half_published:
            self._turns.note(PUBLISHING)
            for turn in half_published:
                self._adopt(turn)
            self._publish()
        for turn in left:
            self._drop_stages(self._turns.stage(turn.number))
            self._turns.forget(turn)

    def _adopt(self, turn: Turn) -> None:
        """Take the tables of a turn: its loader, should it live, finds them no more. What it began is waited for."""
        theirs, ours = self._turns.stage(turn.number), self._turns.stage()
        for stage in self._stages(theirs):
            new = qualified(self._schema, ours + stage.removeprefix(theirs))
            self._client.run(f"RENAME TABLE {qualified(self._schema, stage)} TO {new}")
        busy = (
            f"SELECT count() FROM system.processes WHERE position(query, {text(theirs)}) > 0 "
            "AND position(query, 'ATTACH PARTITION') > 0 AND position(query, 'system.processes') = 0"
        )
        while self.number(busy):
            time.sleep(0.2)

    def _publish_ours(self) -> None:
        row = self._manifest_row
        if row is not None:
            names = (*COLUMNS, "ingestion_tstamp", LOAD_ID)
            values = [*map(_literal, row), "now64(6, 'UTC')", text(self._load_id)]
            stage = self._stage(MANIFEST)
            self._client.run(f"INSERT INTO {stage} ({', '.join(names)}) VALUES ({', '.join(values)})")
        if not self._stages(self._turns.stage()):
            return
        try:
            self._turns.note(PUBLISHING)
            self._publish()
        except ClickHouseError as error:
            raise taken_over(error) if error.code == UNKNOWN_TABLE else error from error

    def _publish(self) -> None:
        """Attach the staged parts, table by table, where their rows are not there; say so, and drop the stages.

        What has come in by half, when the server itself died, is deleted first.
        """
        turn = self._turns.stage()
        stages = self._stages(turn)
        for table in _PUBLISHED:
            stage = turn + table
            if stage not in stages:
                continue
            source, target = qualified(self._schema, stage), qualified(self._schema, table)
            for load, wanted in self._client.rows(f"SELECT {LOAD_ID}, count() FROM {source} GROUP BY {LOAD_ID}"):
                there = self.number(f"SELECT count() FROM {target} WHERE {LOAD_ID} = {text(load)}")
                if there == int(wanted):
                    continue
                if there:
                    self._client.run(f"DELETE FROM {target} WHERE {LOAD_ID} = {text(load)}")
                for partition in self._partitions(stage):
                    self._client.run(f"ALTER TABLE {target} ATTACH PARTITION ID {text(partition)} FROM {source}")
        self._turns.note(LOADING)
        self._drop_stages(turn)

    def _partitions(self, table: str) -> list[str]:
        return self._client.values(
            "SELECT DISTINCT partition_id FROM system.parts WHERE active AND "
            f"database = {text(self._schema)} AND table = {text(table)}"
        )

    def _stage(self, table: str) -> str:
        """The turn's own table, made like one of the warehouse."""
        stage = qualified(self._schema, self._turns.stage() + table)
        self._client.run(f"CREATE TABLE IF NOT EXISTS {stage} AS {qualified(self._schema, table)}")
        return stage

    def _stages(self, turn: str) -> list[str]:
        return self._client.values(
            f"SELECT name FROM system.tables WHERE database = {text(self._schema)} AND startsWith(name, {text(turn)})"
        )

    def _drop_stages(self, turn: str) -> None:
        for stage in self._stages(turn):
            self._client.run(f"DROP TABLE IF EXISTS {qualified(self._schema, stage)} SYNC")

    # --- statements ---------------------------------------------------------------------------------------------------

    def execute(self, statement: Statement) -> str | None:
        try:
            self._client.run(statement.sql)
        except ClickHouseError as error:
            if error.transient:
                raise
            raise StatementFailed(statement, str(error)) from error
        return None

    def script(self, sql: str) -> None:
        for statement in statements_of(sql):
            self._client.run(statement, seconds=self._copy_seconds)

    def vacuum(self, table: str) -> None:
        """Merge the parts of each partition that has got new ones."""
        name = qualified(self._schema, table)
        self._client.run(
            f"OPTIMIZE TABLE {name} FINAL SETTINGS optimize_skip_merged_partitions = 1", seconds=self._copy_seconds
        )

    def number(self, query: str) -> int:
        return int(self._client.values(query)[0])

    def tables(self) -> Tables:
        exists = self._client.values(f"SELECT 1 FROM system.databases WHERE name = {text(self._schema)}")
        found = self._client.rows(
            f"SELECT name, comment FROM system.tables WHERE database = {text(self._schema)} "
            f"AND NOT startsWith(name, {text(OURS)})"
        )
        schemas = {name: self._client.schema(qualified(self._schema, name)) for name, _ in found if name in _PUBLISHED}
        columns = {
            name: {column.name: Held(str(column.type), not column.nullable) for column in schema}
            for name, schema in schemas.items()
        }
        return Tables(dict(found), columns, bool(exists), schemas)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        there = f"database = {text(self._schema)} AND name = {text(MANIFEST)}"
        if not self._client.values(f"SELECT 1 FROM system.tables WHERE {there}"):
            return []
        wanted = row_of(run)
        shown = [f"toString({name})" if name in _TIMES else name for name in COLUMNS]
        last = wanted.base.rstrip("/").rpartition("/")[2]  # it may have been recorded by way of a link
        started, completed = (f"toDateTime64({text(value)}, 6, 'UTC')" for value in wanted[2:4])
        conditions = [
            f"base IN ({', '.join(map(text, addresses(run)))})",
            f"run_identity = {text(wanted.run_identity)}",
            f"(shredding_started = {started} AND shredding_completed = {completed})",
            f"endsWith(concat('/', base), {text(f'/{last}/')})",
        ]
        table = qualified(self._schema, MANIFEST)
        query = f"SELECT {', '.join(shown)} FROM {table} WHERE {' OR '.join(conditions)}"
        return [ManifestRow(*row) for row in self._client.rows(query)]

    def note_loaded(self, row: ManifestRow) -> None:
        self._manifest_row = row

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files))
        self._load_id = load_id(run)
        stage = self._stage(copy.table)
        sql = _insert(stage, copy, self._load_id) if copy.files else ""
        for file in copy.files:
            parquet_files.count_of(file)  # one that is not whole is told of as such
            self._client.run(sql, _rows_of(file), self._copy_seconds)
        loaded.rows = self.number(f"SELECT count() FROM {stage}")
        loaded.seconds = time.monotonic() - started
        return loaded

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{BAD_ROWS}", files=len(files))
        self._load_id = load_id(run)
        base, stage = row_of(run).base, self._stage(BAD_ROWS)
        types = ", ".join(f"{name} Nullable(String)" for name in bad_rows.COLUMNS[1:])
        columns = ", ".join(name for name in bad_rows.COLUMNS if name not in ("base", "failure_tstamp"))
        sql = (
            f"INSERT INTO {stage} (base, failure_tstamp, {columns}, {LOAD_ID}) SELECT {text(base)}, "
            f"toDateTime64OrNull(failure_tstamp, 6, 'UTC'), {columns}, {text(self._load_id)} "
            f"FROM input({text(types)}) FORMAT JSONCompactEachRow"
        )
        lines = (
            b"".join(jsontext.dumps(list(record)).encode("utf-8", "replace") + b"\n" for record in records)
            for records in bad_rows.batches(files)
        )
        self._client.run(sql, lines, self._copy_seconds)
        loaded.rows = self.number(f"SELECT count() FROM {stage}")
        loaded.seconds = time.monotonic() - started
        return loaded

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        table = qualified(self._schema, BAD_ROWS)
        return self.number(f"SELECT count() FROM {table} WHERE base = {text(row.base)}") == 0

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        """The bad rows themselves tell it."""

    def put_aside(self, aside: Aside, run: TransformedRun) -> TableLoad:
        raise LoadError(f"{aside.model.schema}: {aside.reason}")  # wide rows have one table, which is there

    def rejected(self) -> list[Rejected]:
        return []

    def retry(self, rejected: Rejected, copy: Copy, run: TransformedRun) -> TableLoad:
        raise LoadError("ClickHouse keeps no rows aside")


def load_id(run: TransformedRun) -> str:
    """What the rows of a run bear: the same whenever it is loaded."""
    row = row_of(run)
    known = row.run_identity or f"{row.base} {row.shredding_started} {row.shredding_completed}"
    return hashlib.sha256(f"{known} {run.failed_events}".encode("utf-8", "replace")).hexdigest()[:16]


def _insert(table: str, copy: Copy, load: str) -> str:
    """The statement that takes a file: its columns by name, those that are wanted."""
    types = parquet_files.schema_of(copy.files[0])
    pairs = [(name, place) for name, place in zip(copy.named, copy.columns, strict=True) if place]
    columns = ", ".join(quoted(place) for _, place in pairs)
    values = ", ".join(quoted(name) for name, _ in pairs)
    read = ", ".join(f"{quoted(name)} {ddl.sql_type(canonical(types.field(name).type))}" for name, _ in pairs)
    moment = f"toDateTime64({text(str(copy.load_tstamp))}, 6, 'UTC')"
    return (
        f"INSERT INTO {table} ({columns}, {LOAD_TSTAMP}, {LOAD_ID}) SELECT {values}, {moment}, {text(load)} "
        f"FROM input({text(read)}) FORMAT Parquet"
    )


def _rows_of(file: FileInfo) -> Iterator[bytes]:
    """A file as it is; with other names of fields, where the server has these for itself."""
    schema = parquet_files.schema_of(file)
    types = [ddl.renamed(field.type, ddl.RESERVED) for field in schema]
    if types == schema.types:
        with filesystem(file.url).open(file.url, expected=file) as source:
            yield from _pieces(source)
        return
    with tempfile.TemporaryFile(prefix="snowetl-") as copy:
        _write(file, schema, types, copy)
        copy.seek(0)
        yield from _pieces(copy)


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


def _write(file: FileInfo, schema: pa.Schema, types: Sequence[pa.DataType], target: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    named = pa.schema([field.with_type(type_) for field, type_ in zip(schema, types, strict=True)])
    with pq.ParquetWriter(target, named) as writer:
        for batch in parquet_files.batches(file, schema.names):
            arrays = [column.view(type_) for column, type_ in zip(batch.columns, types, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=named))


def _literal(value: str | int | None) -> str:
    return str(value) if isinstance(value, int) else text(value)


def _create_database(schema: str) -> str:
    return f"CREATE DATABASE IF NOT EXISTS {quoted(schema)}"


def _seconds(given: int | None, usual: float) -> float:
    """0 stands for no bound."""
    return usual if given is None else float(given or _FOR_EVER)
