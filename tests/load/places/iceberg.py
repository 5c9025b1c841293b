"""Iceberg: a folder with its catalog, and a catalog in Glue with the tables on the S3 endpoint."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from snowetl.load.target import Target
from tests.load.places.lakes import FEW_CALLS, Lake
from tests.load.places.on_s3 import BUCKET, put
from tests.load.places.read_back import table_of


class Iceberg(Lake):
    kind = "iceberg"

    def start(self, request: pytest.FixtureRequest) -> Target:
        return Target(warehouse="iceberg", database=f"{self.folder}/lake")

    def read(self, table: str) -> pa.Table:
        return table_of(self.target, table)


class IcebergInGlue(Iceberg):
    """Runs and tables on S3, the catalog in Glue."""

    calls = FEW_CALLS

    def start(self, request: pytest.FixtureRequest) -> Target:
        request.getfixturevalue("aws")
        address = f"glue:?warehouse=s3://{BUCKET}/{self.folder.name}/lake"
        return Target(warehouse="iceberg", database=address, schema=re.sub(r"\W", "_", self.folder.name.lower()))

    def put(self, folder: str) -> str:
        return put(folder, self.folder.name)
