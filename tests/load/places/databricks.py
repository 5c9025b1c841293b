"""Databricks: a stand-in on Spark SQL and Delta Lake (tests/load/databricks_standin.py), read back by delta-rs."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from snowetl.load.target import Target
from tests.load.databricks_standin import TOKEN
from tests.load.places.lakes import FEW_CALLS, Lake


class Databricks(Lake):
    kind = "databricks"
    calls = FEW_CALLS

    def start(self, request: pytest.FixtureRequest) -> Target:
        request.getfixturevalue("monkeypatch").setenv("DATABRICKS_TOKEN", TOKEN)
        standin: tuple[Path, str] = request.getfixturevalue("databricks")
        self._tables, port = standin[0] / "tables", standin[1]
        return Target(
            warehouse="databricks",
            database=f"databricks://127.0.0.1:{port}/spark_catalog?warehouse=w&volume=/Volumes/a/b/c&protocol=http",
            schema=f"s{abs(hash((request.node.nodeid, self.folder)))}",
        )

    def read(self, table: str) -> pa.Table:
        return DeltaTable(str(self._tables / f"{self.target.schema}.db/{table}")).to_pyarrow_table()
