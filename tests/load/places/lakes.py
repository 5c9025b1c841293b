"""Lakes: tables that are folders of Parquet, read back by Arrow and asked by DuckDB."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tests.load.places.duckdb import AskedOfDuckDb

FEW_CALLS = ("copy", "note_loaded")
"""Of tables on S3: each load there takes seconds, and the folders have died in all the others."""


class Lake(AskedOfDuckDb):
    """A subclass also says how a table is read."""

    calls = tuple(name for name in AskedOfDuckDb.calls if name != "execute")

    def read(self, table: str) -> pa.Table:
        raise NotImplementedError

    def ready(self, connection: Any) -> None:
        for name in self.tables():
            connection.register(name, self.read(name))
