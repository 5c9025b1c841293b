"""Snowflake: its driver against a stand-in on a loopback port, over PostgreSQL and the S3 endpoint."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from snowetl.load.target import Target
from tests.load.places.postgres import InPostgres
from tests.load.snowflake_standin import snowflake_server


class Snowflake(InPostgres):
    kind = "snowflake"

    def start(self, request: pytest.FixtureRequest) -> Target:
        request.getfixturevalue("monkeypatch").setenv("SNOWFLAKE_PASSWORD", "secret")
        self.url = request.getfixturevalue("database")
        running = ExitStack()
        request.addfinalizer(running.close)
        self.server, port = running.enter_context(snowflake_server(self.url, request.getfixturevalue("aws")))
        address = f"snowflake://loader@acme/DB?warehouse=W&host=127.0.0.1&port={port}&protocol=http"
        return Target(warehouse="snowflake", database=address)
