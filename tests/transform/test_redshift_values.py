"""As ``test_values.py``, for Redshift: what a valid event holds is what its stand-in returns, or is noted."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from snowetl.ddl import names, redshift
from snowetl.ddl.schema import parse
from snowetl.ddl.tables import NoTable, Table
from snowetl.jvm import jsontext
from snowetl.model.schema import SchemaKey
from tests.load import redshift_copy
from tests.load.redshift_standin import as_postgres
from tests.transform import generated, redshift_rules
from tests.transform.test_values import CENTRAL, SEED, at, central_families, rows_of, tables_of

_BATCHES = 30


class Model:
    """A family of schemas: its key and its versions, and the data that were sent."""

    def __init__(self, key: SchemaKey, documents: Sequence[dict[str, Any]]) -> None:
        self.key = key
        self.documents = documents
        self.table = redshift.table([parse(document) for document in documents])  # type: ignore[misc]
        self.name = names.distinct_table_name(key, 63)  # the stand-in's longest
        self.sent: list[tuple[str, Any]] = []

    def version(self, number: int) -> str:
        return f"iglu:{self.key.vendor}/{self.key.name}/jsonschema/1-0-{number}"


def load(url: str, models: Sequence[Model], random: Random, tries: int) -> psycopg.Connection[Any]:
    """Make the tables, send the data through the transform, and let ``COPY`` read what comes out: no row is refused."""
    files, tables = rows_of(models, "redshift", random, tries), tables_of(models)
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("DROP SCHEMA IF EXISTS v CASCADE; CREATE SCHEMA v")
    statements = [redshift.create_rejected_values("v")]
    for model in models:
        statements += redshift.create("v", model.name, _numbered(model.table), model.key)
    with connection.transaction():
        for statement in statements:
            connection.execute(as_postgres(statement))  # type: ignore[call-overload]
        for table, texts in files.items():
            _copy(connection, names.qualified("v", tables[table.vendor, table.name]), texts)
    return connection


def _numbered(table: Table | NoTable) -> Table:
    """The table with short names: the stand-in keeps 63 bytes of a name, Redshift 127."""
    assert isinstance(table, Table)
    return Table(tuple(column._replace(name=f"c{number}") for number, column in enumerate(table.columns)))


def _copy(connection: psycopg.Connection[Any], table: str, texts: Sequence[str]) -> None:
    columns = redshift_copy.table_columns(connection, table)
    with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[call-overload]
        for text in texts:
            copy.write_row(redshift_copy.values(text.encode("utf-8", "replace"), columns, False, False))


def check(connection: psycopg.Connection[Any], models: Sequence[Model]) -> int:
    """Compare every value that was sent with what its column returns. Gives how many were compared."""
    compared = 0
    rejected = {
        (str(event_id).strip(), column): value
        for event_id, column, value in connection.execute("SELECT root_id, column_name, value FROM v.rejected_values")
    }
    for model in models:
        assert isinstance(model.table, Table)
        shown = ", ".join(["root_id", *(f"c{number}" for number in range(len(model.table.columns)))])
        query = f"SELECT {shown} FROM {names.qualified('v', model.name)}"
        stored = {str(row[0]): row[1:] for row in connection.execute(query).fetchall()}  # type: ignore[call-overload]
        assert len(stored) == len(model.sent)
        for event_id, data in model.sent:
            for column, got in zip(model.table.columns, stored[event_id], strict=True):
                value = at(data, column.path or ())
                compared += 1
                told = f"{model.key}\n{model.documents}\n{column}: {value!r} -> {got!r}"
                if value is None:
                    assert got is None, told
                elif not redshift_rules.holds(column.type, value, got):
                    refused = got is None and redshift_rules.may_be_refused(column.type, value)
                    assert refused or redshift_rules.is_cut(column.type, value, got), told
                    kept = rejected.pop((event_id, _name(column.name)))
                    whole = redshift_rules.text(jsontext.dumps(value)).encode("utf-8", "replace")
                    assert kept == whole[:65535].decode("utf-8", "ignore"), told
    assert rejected == {}
    return compared


def _name(column: str) -> str:
    return generated.readable(redshift_rules.text(column))


@settings(
    max_examples=_BATCHES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(st.lists(generated.families(), min_size=1, max_size=25), st.integers(0, 2**32))
def test_generated_schemas(postgres_url: str, batch: list[list[dict[str, Any]]], seed: int) -> None:
    models = [
        Model(SchemaKey.parse(f"iglu:com.acme/m{number}/jsonschema/1-0-{len(versions) - 1}"), versions)
        for number, versions in enumerate(batch)
    ]
    with load(postgres_url, models, Random(seed), tries=8) as connection:
        check(connection, models)


@pytest.mark.shared
@pytest.mark.skipif(not CENTRAL.is_dir(), reason="needs ../shared/iglu-central")
def test_every_schema_of_iglu_central(postgres_url: str) -> None:
    models = [Model(key, documents) for key, documents in central_families()]
    assert not any(isinstance(model.table, NoTable) for model in models)
    with load(postgres_url, models, Random(SEED), tries=12) as connection:
        compared = check(connection, models)
    assert compared > 20_000
