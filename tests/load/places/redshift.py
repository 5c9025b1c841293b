"""Redshift: a stand-in on PostgreSQL, which reads the runs from an S3 endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from snowetl.load.target import Target
from snowetl.load.warehouse import Warehouse
from snowetl.load.warehouses.redshift import RedshiftWarehouse
from snowetl.load.warehouses.redshift.login import CopyCredentials, Login
from tests.load.places.on_s3 import put
from tests.load.places.postgres import InPostgres, entities_of_their_table
from tests.load.redshift_standin import StandIn

ROLE = CopyCredentials(role_arn="arn:aws:iam::123456789012:role/copy")


class Redshift(InPostgres):
    kind = "redshift"
    keeps_the_runs_time = False
    keeps_rows_aside = False
    serves_processes = False

    def start(self, request: pytest.FixtureRequest) -> Target:
        self._s3 = request.getfixturevalue("aws")
        self.url = request.getfixturevalue("database")
        self._prefix = self.url.rpartition("/")[2].partition("?")[0]
        return Target(warehouse="redshift", database="redshift://cluster/dev", role_arn=ROLE.role_arn)

    @contextmanager
    def open(self) -> Iterator[Warehouse]:
        connections: list[StandIn] = []

        def connect(**_: Any) -> StandIn:
            connections.append(StandIn(self.url, self._s3))
            return connections[-1]

        try:
            yield RedshiftWarehouse(Login({"host": "cluster", "database": "dev"}), ROLE, "eu-west-1", connect=connect)
        finally:
            for connection in connections:
                connection.close()

    def put(self, folder: str) -> str:
        return put(folder, self._prefix)

    def hang_up(self, session: Any) -> None:
        session._connection.go_away()

    def entities(self, name: str, *properties: str, table: str = "events") -> list[tuple[Any, ...]]:
        return entities_of_their_table(self, name, *properties, table=table)
