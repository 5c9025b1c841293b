"""Delta Lake: a folder, and one on the S3 endpoint."""

from __future__ import annotations

import pyarrow as pa
import pytest

from snowetl.load.target import Target
from tests.load.places.lakes import FEW_CALLS, Lake
from tests.load.places.on_s3 import BUCKET, put
from tests.load.places.read_back import table_of


class Delta(Lake):
    kind = "delta"

    def start(self, request: pytest.FixtureRequest) -> Target:
        return Target(warehouse="delta", database=f"{self.folder}/lake")

    def read(self, table: str) -> pa.Table:
        return table_of(self.target, table)


class DeltaOnS3(Delta):
    """Runs and tables on S3."""

    calls = FEW_CALLS

    def start(self, request: pytest.FixtureRequest) -> Target:
        request.getfixturevalue("aws")
        return Target(warehouse="delta", database=f"s3://{BUCKET}/{self.folder.name}/lake")

    def put(self, folder: str) -> str:
        return put(folder, self.folder.name)
