"""A session of ClickHouse that loads runs: see :class:`snowetl.load.warehouse.Session`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from snowetl.ddl import clickhouse as ddl
from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.clickhouse import LOAD_ID, qualified, quoted, text
from snowetl.ddl.tables import Held
from snowetl.errors import SnowetlError
from snowetl.jvm import jsontext
from snowetl.load import bad_rows, parquet_files
from snowetl.load.evolution import canonical
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, end_of_address, row_of
from snowetl.load.plan import Copy
from snowetl.load.report import TableLoad
from snowetl.load.run import TransformedRun
from snowetl.load.sql_script import statements_of
from snowetl.load.warehouse import NothingAside, Say, Statement, StatementFailed, Tables
from snowetl.load.warehouses.clickhouse.bodies import body_of
from snowetl.load.warehouses.clickhouse.client import UNKNOWN_TABLE, ClickHouseError, Client
from snowetl.load.warehouses.clickhouse.stages import BAD_ROWS, MANIFEST, PUBLISHED, Stages
from snowetl.load.warehouses.clickhouse.turns import OURS, PUBLISHING, Turns, taken_over, turn_of
from snowetl.storage import FileInfo

if TYPE_CHECKING:
    import pyarrow as pa

_TIMES = ("shredding_started", "shredding_completed", "min_collector_tstamp", "max_collector_tstamp")


class ClickHouseSession(NothingAside):
    """See :class:`snowetl.load.warehouse.Session`."""

    def __init__(self, client: Client, schema: str, say: Say, copy_seconds: float) -> None:
        self._client = client
        self._schema = schema
        self._copy_seconds = copy_seconds
        self._turns = Turns(client, schema, say)
        self._stages = Stages(client, schema, self._turns)
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
                    self._stages.drop(self._turns.stage())
                raise
            if self._turns.is_ours:
                self._publish_ours()

    def lock(self) -> None:
        """Wait for our turn; bring to an end what loaders before us have left."""
        if not self._client.values(f"SELECT 1 FROM system.databases WHERE name = {text(self._schema)}"):
            self._client.run(create_database(self._schema))
        left = self._turns.begin()
        half_published = [turn for turn in left if turn.phase == PUBLISHING]
        if half_published:
            self._turns.note(PUBLISHING)
            for turn in half_published:
                self._stages.adopt(turn)
            self._stages.publish()
        for turn in left:
            self._stages.drop(self._turns.stage(turn.number))
            self._turns.forget(turn)

    def _publish_ours(self) -> None:
        row = self._manifest_row
        if row is not None:
            names = (*COLUMNS, "ingestion_tstamp", LOAD_ID)
            values = [*map(_literal, row), "now64(6, 'UTC')", text(self._load_id)]
            stage = self._stages.make(MANIFEST)
            self._client.run(f"INSERT INTO {stage} ({', '.join(names)}) VALUES ({', '.join(values)})")
        if not self._stages.of(self._turns.stage()):
            return
        try:
            self._turns.note(PUBLISHING)
            self._stages.publish()
        except ClickHouseError as error:
            raise taken_over(error) if error.code == UNKNOWN_TABLE else error from error

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
        schemas = {name: self._client.schema(qualified(self._schema, name)) for name, _ in found if name in PUBLISHED}
        columns = {
            name: {column.name: Held(str(column.type), not column.nullable) for column in schema}
            for name, schema in schemas.items()
        }
        return Tables(dict(found), columns, bool(exists), schemas)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def read(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        names = ", ".join(map(quoted, columns))
        query = f"SELECT {names} FROM {qualified(self._schema, table)}"
        yield from self._client.batches(query, self._copy_seconds)

    def manifest_rows(self, run: TransformedRun) -> list[ManifestRow]:
        there = f"database = {text(self._schema)} AND name = {text(MANIFEST)}"
        if not self._client.values(f"SELECT 1 FROM system.tables WHERE {there}"):
            return []
        wanted = row_of(run)
        shown = [f"toString({name})" if name in _TIMES else name for name in COLUMNS]
        started, completed = (f"toDateTime64({text(value)}, 6, 'UTC')" for value in wanted[2:4])
        conditions = [
            f"base IN ({', '.join(map(text, addresses(run)))})",
            f"run_identity = {text(wanted.run_identity)}",
            f"(shredding_started = {started} AND shredding_completed = {completed})",
            f"endsWith(concat('/', base), {text(end_of_address(run))})",
        ]
        table = qualified(self._schema, MANIFEST)
        query = f"SELECT {', '.join(shown)} FROM {table} WHERE {' OR '.join(conditions)}"
        return [ManifestRow(*row) for row in self._client.rows(query)]

    def note_loaded(self, row: ManifestRow) -> None:
        self._manifest_row = row

    def copy(self, copy: Copy, run: TransformedRun) -> TableLoad:
        with TableLoad(f"{self._schema}.{copy.table}", files=len(copy.files)).timed() as loaded:
            self._load_id = load_id(run)
            stage = self._stages.make(copy.table)
            sql = insert(stage, copy, self._load_id) if copy.files else ""
            for file in copy.files:
                parquet_files.count_of(file)  # one that is not whole is told of as such
                self._client.run(sql, body_of(file), self._copy_seconds)
            loaded.rows = self.number(f"SELECT count() FROM {stage}")
        return loaded

    def copy_bad_rows(self, files: Sequence[FileInfo], run: TransformedRun) -> TableLoad:
        with TableLoad(f"{self._schema}.{BAD_ROWS}", files=len(files)).timed() as loaded:
            self._load_id = load_id(run)
            base, stage = row_of(run).base, self._stages.make(BAD_ROWS)
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
        return loaded

    def lacks_bad_rows(self, row: ManifestRow) -> bool:
        table = qualified(self._schema, BAD_ROWS)
        return self.number(f"SELECT count() FROM {table} WHERE base = {text(row.base)}") == 0

    def note_bad_rows(self, row: ManifestRow, count: int) -> None:
        """The bad rows themselves tell it."""


def load_id(run: TransformedRun) -> str:
    """What the rows of a run bear: the same whenever it is loaded."""
    row = row_of(run)
    known = row.run_identity or f"{row.base} {row.shredding_started} {row.shredding_completed}"
    return hashlib.sha256(f"{known} {run.failed_events}".encode("utf-8", "replace")).hexdigest()[:16]


def insert(table: str, copy: Copy, load: str) -> str:
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


def create_database(schema: str) -> str:
    return f"CREATE DATABASE IF NOT EXISTS {quoted(schema)}"


def _literal(value: str | int | None) -> str:
    return str(value) if isinstance(value, int) else text(value)
