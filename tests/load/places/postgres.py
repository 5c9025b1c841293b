"""PostgreSQL, on the server that the tests share."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from snowetl.load.target import Target
from tests.load.places.base import Place

SHOWN = "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'atomic'"


class InPostgres(Place):
    """What is looked into by way of PostgreSQL: the database at ``url``."""

    url: str

    def execute(self, sql: str, values: list[Any] | None = None) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(sql, values)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, options="-c search_path=atomic") as connection:
            return connection.execute(sql).fetchall()


class Postgres(InPostgres):
    kind = "postgres"

    def start(self, request: pytest.FixtureRequest) -> Target:
        self.url = request.getfixturevalue("database")
        return Target(warehouse="postgres", database=self.url)

    def hang_up(self, session: Any) -> None:
        connection = session.connection
        with psycopg.connect(self.url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        connection.execute("SELECT 1")

    def entities(self, name: str, *properties: str, table: str = "events") -> list[tuple[Any, ...]]:
        return entities_of_their_table(self, name, *properties, table=table)


class PostgresWideJson(Postgres):
    transformation = "widerow-json"

    def entities(self, name: str, *properties: str, table: str = "events") -> list[tuple[Any, ...]]:
        return Place.entities(self, name, *properties, table=table)


def entities_of_their_table(place: Place, name: str, *properties: str, table: str) -> list[tuple[Any, ...]]:
    """Of shredded rows: what the table of entities holds."""
    failed = table.removesuffix("events")
    own = f"{failed}com_acme_{name}_1"
    if own not in place.tables():
        return []
    columns = ", ".join(f'c."{name}"' for name in properties)
    return place.query(
        f"SELECT {columns} FROM {own} c JOIN {table} e ON c.root_id::text = e.event_id::text ORDER BY c.root_id, 1"
    )
