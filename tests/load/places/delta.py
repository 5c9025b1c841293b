"""Delta Lake: a folder, and one on the S3 endpoint."""

from __future__ import annotations

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from snowetl.load.target import Target
from snowetl.load.warehouses.delta import storage_options
from tests.load.places.lakes import FEW_CALLS, Lake
from tests.load.places.on_s3 import BUCKET, put


class Delta(Lake):
    kind = "delta"

    def start(self, request: pytest.FixtureRequest) -> Target:
        return Target(warehouse="delta", database=f"{self.folder}/lake")

    def read(self, table: str) -> pa.Table:
        url = f"{self.target.database}/{self.target.schema}/{table}"
        return DeltaTable(url, storage_options=storage_options(url)).to_pyarrow_table()


class DeltaOnS3(Delta):
    """Runs and tables on S3."""

    calls = FEW_CALLS

    def start(self, request: pytest.FixtureRequest) -> Target:
        request.getfixturevalue("aws")
        return Target(warehouse="delta", database=f"s3://{BUCKET}/{self.folder.name}/lake")

    def put(self, folder: str) -> str:
        return put(folder, self.folder.name)
