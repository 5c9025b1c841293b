"""Where the tests reach each warehouse: one file a target, found by name in :data:`PLACES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.load.places.base import Place

PLACES: Mapping[str, str] = {
    "postgres": "postgres:Postgres",
    "postgres, wide JSON": "postgres:PostgresWideJson",
    "redshift": "redshift:Redshift",
    "duckdb": "duckdb:DuckDb",
    "delta": "delta:Delta",
    "delta on s3": "delta:DeltaOnS3",
    "iceberg": "iceberg:Iceberg",
    "clickhouse": "clickhouse:ClickHouse",
    "bigquery": "bigquery:BigQuery",
    "iceberg in glue on s3": "iceberg:IcebergInGlue",
    "snowflake": "snowflake:Snowflake",
    "databricks": "databricks:Databricks",
}
"""Class of each place, as ``module:name``: a driver is imported only where it is used."""

SLOW = frozenset({"delta on s3", "iceberg in glue on s3", "databricks"})
"""Places whose kind is there nearer, too, or has a test file for the rest: what differs is tried there, not everything.
"""
LONG = frozenset({"databricks"})
"""Places that take minutes (``make test-long``)."""


def place_class(name: str) -> type[Place]:
    module, _, attribute = PLACES[name].partition(":")
    found: type[Place] = getattr(import_module(f"{__name__}.{module}"), attribute)
    return found


def places(choose: Callable[[type[Place]], bool] = lambda place: True, slow: bool = False) -> list[Any]:
    """Names of places, those of a kind, as parameters of a fixture."""
    found = [name for name in PLACES if (slow or name not in SLOW) and choose(place_class(name))]
    return [pytest.param(name, marks=pytest.mark.long) if name in LONG else name for name in found]


def loads_shredded_rows(place: type[Place]) -> bool:
    return place.rows() == "shred"


def loads_parquet(place: type[Place]) -> bool:
    return place.rows() == "widerow-parquet"


def loads_wide_json(place: type[Place]) -> bool:
    return place.rows() == "widerow-json"


def start(name: str, request: pytest.FixtureRequest, folder: Path | None = None) -> Place:
    """The place, empty; on disk it lies in ``folder``, by default that of the test."""
    return place_class(name)(request, folder or request.getfixturevalue("tmp_path"))
