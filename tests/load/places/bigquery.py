"""BigQuery: its REST API on this machine, over DuckDB."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from snowetl.ddl.bigquery import NESTED
from snowetl.load.target import Target
from snowetl.load.warehouses.bigquery.client import EMULATOR
from tests.load.bigquery_server import PROJECT, bigquery_server
from tests.load.places.duckdb import AskedOfDuckDb
from tests.load.places.lakes import Lake


class BigQuery(AskedOfDuckDb):
    kind = "bigquery"
    holds_null_composites = False
    holds_nulls_in_arrays = False
    calls = Lake.calls

    def start(self, request: pytest.FixtureRequest) -> Target:
        stack = ExitStack()
        request.addfinalizer(stack.close)
        address, self._them = stack.enter_context(bigquery_server())
        request.getfixturevalue("monkeypatch").setenv(EMULATOR, address)
        return Target(warehouse="bigquery", database=f"bigquery://{PROJECT}?location=EU")

    def ready(self, connection: Any) -> None:
        for name in self._them.tables:
            with self._them.lock:
                rows = self._them.connection.sql(f"SELECT * FROM {name}").to_arrow_table()
            connection.register(name.partition(".")[2], rows)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Arrays inside of arrays without the structs that hold them."""
        return [tuple(_plain(value) for value in row) for row in super().query(sql)]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return _plain(value[NESTED]) if value.keys() == {NESTED} else {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
