"""DuckDB: a file."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from snowetl.load.target import Target
from tests.load.places.base import Place


class AskedOfDuckDb(Place):
    """What is looked into by way of DuckDB."""

    def ready(self, connection: Any) -> None:
        """Bring the tables into a connection."""
        raise NotImplementedError

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            self.ready(connection)
            return connection.execute(sql).fetchall()


class DuckDb(AskedOfDuckDb):
    kind = "duckdb"

    def start(self, request: pytest.FixtureRequest) -> Target:
        self._path = self.folder / "warehouse/x.duckdb"
        return Target(warehouse="duckdb", database=f"duckdb://{self._path}")

    def execute(self, sql: str) -> None:
        with duckdb.connect(str(self._path)) as connection:
            connection.execute(sql)

    def ready(self, connection: Any) -> None:
        connection.execute(f"ATTACH '{self._path}' AS them (READ_ONLY); USE them.atomic")
