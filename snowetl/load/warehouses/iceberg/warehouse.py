"""A namespace of an Iceberg catalog: how it is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from snowetl.errors import ConfigError
from snowetl.load.lake import LakeSession, LakeStatements
from snowetl.load.parquet_files import local_path
from snowetl.load.target import checked_schema
from snowetl.load.warehouse import LOADS_PARQUET, Capabilities, Say
from snowetl.load.warehouses.iceberg.catalog import catalog_of, driver, explained, properties_of
from snowetl.load.warehouses.iceberg.table import IcebergTable

if TYPE_CHECKING:
    from snowetl.load.target import Target


class IcebergWarehouse(LakeStatements):
    """A namespace of an Iceberg catalog."""

    name: ClassVar[str] = "iceberg"
    capabilities: ClassVar[Capabilities] = replace(
        LOADS_PARQUET,
        reads_back=True,
        extra="iceberg",
        modules=("pyiceberg", "pyiceberg_core", "sqlalchemy", "pyarrow"),
        required=(("database",),),
        database_example="glue:?warehouse=s3://BUCKET/FOLDER",
    )

    def __init__(self, address: str, schema: str = "atomic") -> None:
        self.address = address
        self.schema = checked_schema(schema)

    @classmethod
    def check(cls, target: Target) -> None:
        checked_schema(target.schema)
        driver()
        properties_of(target.database or "")

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[IcebergWarehouse]:
        yield cls(target.database or "", target.schema)

    @contextmanager
    def session(self) -> Iterator[LakeSession]:
        with explained(urlsplit(self.address)._replace(query="").geturl()):
            catalog = catalog_of(self.address)
            yield LakeSession(lambda name: IcebergTable(catalog, self.schema, name), self.schema)

    def dbt_output(self) -> Mapping[str, Any]:
        raise ConfigError("dbt has no adapter for Iceberg alone: it builds in Spark, Athena or Trino")

    def preflight(self) -> list[str]:
        folder = local_path(self.address)
        if folder is not None:
            return [f"{folder} is a file: give a folder"] if Path(folder).is_file() else []
        with self.session() as session:
            session.tables()
        return []
