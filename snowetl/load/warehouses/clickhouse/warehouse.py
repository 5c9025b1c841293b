"""A database of a ClickHouse server: how it is reached, and which statements make its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl import clickhouse as ddl
from snowetl.ddl.clickhouse import qualified
from snowetl.load.drivers import needed
from snowetl.load.plan import Copy
from snowetl.load.run import TransformedRun
from snowetl.load.target import COPY_SECONDS, STATEMENT_SECONDS, checked_schema
from snowetl.load.warehouse import LOADS_PARQUET, AddedColumn, Capabilities, Say, Statement, Tables
from snowetl.load.warehouses.clickhouse.client import EXAMPLE, Address, Client
from snowetl.load.warehouses.clickhouse.session import ClickHouseSession, create_database, insert, load_id
from snowetl.load.warehouses.clickhouse.stages import BAD_ROWS, EVENTS, MANIFEST
from snowetl.settings.words import count

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

_FOR_EVER = 7 * 24 * 3600
_OLDEST = (24, 3)


class ClickHouseWarehouse:
    """A database of a ClickHouse server."""

    name: ClassVar[str] = "clickhouse"
    capabilities: ClassVar[Capabilities] = replace(
        LOADS_PARQUET,
        reads_back=True,
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
        with needed("loading into ClickHouse needs Arrow", "parquet"):
            import pyarrow  # noqa: F401

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
            statements.append(Statement(f"create database {schema}", create_database(schema)))
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
        return Statement(name, insert(qualified(self.schema, copy.table), copy, load_id(run)))

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


def _seconds(given: int | None, usual: float) -> float:
    """0 stands for no bound."""
    return usual if given is None else float(given or _FOR_EVER)
