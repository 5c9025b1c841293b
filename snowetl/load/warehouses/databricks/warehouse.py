"""A schema in a catalog of Databricks: what is checked, how it is reached, and which statements make its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl import databricks as ddl
from snowetl.errors import LoadError, TargetError
from snowetl.load.plan import Copy
from snowetl.load.run import TransformedRun
from snowetl.load.target import COPY_SECONDS, STATEMENT_SECONDS, checked_schema
from snowetl.load.warehouse import LOADS_PARQUET, AddedColumn, Capabilities, Say, Statement, Tables
from snowetl.load.warehouses.databricks import rows
from snowetl.load.warehouses.databricks.client import EXAMPLE, Address, Client, DatabricksError, address_of
from snowetl.load.warehouses.databricks.places import Places
from snowetl.load.warehouses.databricks.session import DatabricksSession
from snowetl.load.warehouses.databricks.tables import OWN_TABLES
from snowetl.storage import FileInfo
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

_GRANTS = (
    "whoever loads needs USE CATALOG, USE SCHEMA and CREATE TABLE there (to make the schema: CREATE SCHEMA), CAN USE "
    "of the SQL warehouse, and READ FILES on the external location of the rows, or READ VOLUME and WRITE VOLUME"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabricksWarehouse:
    """A schema in a catalog of Databricks. Times are in seconds, 0 for no limit."""

    name: ClassVar[str] = "databricks"
    capabilities: ClassVar[Capabilities] = replace(
        LOADS_PARQUET,
        max_identifier=ddl.MAX_NAME_BYTES,
        reads_from=frozenset(("file", "s3", "s3a", "s3n")),
        ddl_in_transaction=False,
        stages=True,
        dbt_adapter="databricks",
        extra="parquet",
        modules=("pyarrow",),
        required=(("database",),),
        database_example=EXAMPLE,
    )
    address: Address
    schema: str = "atomic"
    copy_seconds: int = COPY_SECONDS
    statement_seconds: int = STATEMENT_SECONDS

    @classmethod
    def check(cls, target: Target) -> None:
        cls._of(target)

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[DatabricksWarehouse]:
        yield cls._of(target)

    @classmethod
    def _of(cls, target: Target) -> DatabricksWarehouse:
        return cls(
            address=address_of(target.database or ""),
            schema=checked_schema(target.schema),
            copy_seconds=target.copy_seconds,
            statement_seconds=target.statement_seconds,
        )

    @contextmanager
    def session(self) -> Iterator[DatabricksSession]:
        client = Client(self.address)
        try:
            yield DatabricksSession(client, self.schema, self.address.volume, self.copy_seconds, self.statement_seconds)
        except DatabricksError as error:
            denied = "INSUFFICIENT_PERMISSIONS" in str(error) or "PERMISSION_DENIED" in f"{error.code} {error}"
            remedy = f"; {_GRANTS}" if denied else ""
            raise LoadError(f"{self.address.shown}: {error}{remedy}", transient=error.passing) from error
        finally:
            client.close()

    def set_up(self, tables: Tables) -> list[Statement]:
        return OWN_TABLES.set_up(self.schema, tables, self.create_events("events"))

    def create_events(self, table: str) -> list[Statement]:
        return [Statement(f"create {self.schema}.{table}", ddl.create_events(self.schema, table))]

    def add_columns(
        self, table: str, added: Sequence[AddedColumn], columns: Mapping[str, pa.DataType]
    ) -> list[Statement]:
        name = f"alter {self.schema}.{table}"
        return [Statement(name, ddl.add_column(self.schema, table, path, type_)) for path, type_ in added]

    def staging(self, run: TransformedRun, folder: str, files: Sequence[FileInfo]) -> list[Statement]:
        """Uploads are requests, no statements."""
        volume = self.address.volume
        uploads = [file for file in files if scheme_of(file.url) == "file"]
        return [Statement(f"upload {file.url}", f"-- to the volume {volume}") for file in uploads]

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        name = f"merge {copy.folder.path} into {self.schema}.{copy.table}"
        place = Places(self.address.volume, run).of(copy.files[0].url.rpartition("/")[0] + "/") if copy.files else ""
        return Statement(name, rows.merge_events(self.schema, copy, run, place, {}, {}, {}))

    def dbt_output(self) -> Mapping[str, Any]:
        given = self.address
        login = (
            {"token": given.token}
            if given.client is None
            else {"auth_type": "oauth", "client_id": given.client[0], "client_secret": given.client[1]}
        )
        return {
            "type": "databricks", "catalog": given.catalog, "host": given.url.partition("://")[2],
            "http_path": f"/sql/1.0/warehouses/{given.warehouse}", **login,
        }  # fmt: skip

    def preflight(self) -> list[str]:
        try:
            with self.session() as session:
                session.tables()
        except LoadError as error:
            raise TargetError(str(error), transient=error.transient) from error
        return []
