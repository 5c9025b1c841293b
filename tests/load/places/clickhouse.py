"""ClickHouse: its engine behind its HTTP interface, read back as Arrow and asked by DuckDB."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from snowetl.ddl.clickhouse import RESERVED, renamed
from snowetl.errors import TargetError
from snowetl.load.target import Target
from snowetl.load.warehouses.clickhouse.client import Address, Client
from tests.load import clickhouse_server
from tests.load.places.duckdb import AskedOfDuckDb


class ClickHouse(AskedOfDuckDb):
    kind = "clickhouse"
    holds_null_composites = False

    def start(self, request: pytest.FixtureRequest) -> Target:
        if clickhouse_server.python() is None:
            pytest.skip("there is no chdb here: .ci/find-chdb installs it")
        address = clickhouse_server.address()
        self._client = Client(Address.parse(address), 60)
        self._client.run("DROP DATABASE IF EXISTS atomic SYNC")
        return Target(warehouse="clickhouse", database=address)

    def ready(self, connection: Any) -> None:
        for name in self.tables():
            answer = self._client.run(f"SELECT * FROM atomic.{name} FORMAT ArrowStream")
            rows = pa.ipc.open_stream(answer).read_all().combine_chunks()
            types = [renamed(field.type, {given: name for name, given in RESERVED.items()}) for field in rows.schema]
            arrays = [column.combine_chunks().view(type_) for column, type_ in zip(rows.columns, types, strict=True)]
            connection.register(name, pa.table(arrays, names=rows.column_names))

    def hang_up(self, session: Any) -> None:
        """No statement of the session is heard any more, not even that its turn has ended."""

        def unheard(*_: Any, **__: Any) -> bytes:
            raise TargetError("the server went away", transient=True)

        session._client.run = unheard

    def entities(self, name: str, *properties: str, table: str = "events") -> list[tuple[Any, ...]]:
        """A tuple of nulls is none."""
        found = super().entities(name, *properties, table=table)
        return [values for values in found if any(value is not None for value in values)]
