"""Iceberg: a folder with its catalog, and a catalog in Glue with the tables on the S3 endpoint."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snowetl.load.evolution import canonical
from snowetl.load.target import Target
from snowetl.load.warehouses.iceberg import catalog_of
from tests.load.places.lakes import FEW_CALLS, Lake
from tests.load.places.on_s3 import BUCKET, put


class Iceberg(Lake):
    kind = "iceberg"

    def start(self, request: pytest.FixtureRequest) -> Target:
        return Target(warehouse="iceberg", database=f"{self.folder}/lake")

    def read(self, table: str) -> pa.Table:
        """By Arrow, of the files that the table's scan names: pyiceberg reads null arrays of structs as empty ones."""
        found = catalog_of(str(self.target.database)).load_table((self.target.schema, table))
        types = {column.name: canonical(column.type) for column in found.schema().as_arrow()}
        schema = pa.schema([*types.items()])
        parts = [
            pq.ParquetFile(found.io.new_input(task.file.file_path).open()).read() for task in found.scan().plan_files()
        ]
        return pa.concat_tables([_in(schema, part) for part in parts]) if parts else schema.empty_table()


class IcebergInGlue(Iceberg):
    """Runs and tables on S3, the catalog in Glue."""

    calls = FEW_CALLS

    def start(self, request: pytest.FixtureRequest) -> Target:
        request.getfixturevalue("aws")
        address = f"glue:?warehouse=s3://{BUCKET}/{self.folder.name}/lake"
        return Target(warehouse="iceberg", database=address, schema=re.sub(r"\W", "_", self.folder.name.lower()))

    def put(self, folder: str) -> str:
        return put(folder, self.folder.name)


def _in(schema: pa.Schema, rows: pa.Table) -> pa.Table:
    """Rows of a file in the columns of its table, those and the fields it lacks as nulls."""
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
