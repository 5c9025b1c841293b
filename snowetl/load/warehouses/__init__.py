"""The kinds of warehouses: one file each, found by name in :data:`WAREHOUSES`.

Another package adds one by an entry point of the group ``snowetl.warehouses`` whose value is its class.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from snowetl import extensions
from snowetl.errors import ConfigError
from snowetl.load.warehouse import Warehouse

GROUP = "snowetl.warehouses"
WAREHOUSES: Mapping[str, str] = {
    "postgres": "snowetl.load.warehouses.postgres:PostgresWarehouse",
    "redshift": "snowetl.load.warehouses.redshift:RedshiftWarehouse",
    "duckdb": "snowetl.load.warehouses.duckdb:DuckDbWarehouse",
    "delta": "snowetl.load.warehouses.delta:DeltaWarehouse",
    "iceberg": "snowetl.load.warehouses.iceberg:IcebergWarehouse",
    "clickhouse": "snowetl.load.warehouses.clickhouse:ClickHouseWarehouse",
    "bigquery": "snowetl.load.warehouses.bigquery:BigQueryWarehouse",
    "snowflake": "snowetl.load.warehouses.snowflake:SnowflakeWarehouse",
    "databricks": "snowetl.load.warehouses.databricks:DatabricksWarehouse",
}
"""Class of each kind, as ``module:name``: a driver is imported only where it is used."""

SCHEMES: Mapping[str, str] = {
    "redshift": "redshift",
    "duckdb": "duckdb",
    "clickhouse": "clickhouse",
    "bigquery": "bigquery",
    "snowflake": "snowflake",
    "databricks": "databricks",
}
"""Schemes of ``--database`` that tell the kind of the warehouse."""


def names() -> list[str]:
    """What ``--warehouse`` takes."""
    return sorted({*WAREHOUSES, *(point.name for point in entry_points(group=GROUP))})


def warehouse_class(name: str) -> type[Warehouse]:
    """The kind of warehouse called ``name``. Raises ``ConfigError`` listing those there are."""
    if name in WAREHOUSES:
        module, _, attribute = WAREHOUSES[name].partition(":")
        found: type[Warehouse] = getattr(import_module(module), attribute)
        return found
    for extension in extensions.installed(GROUP, "warehouse", _fault):
        if extension.name == name:
            added: type[Warehouse] = extension.value
            return added
    raise ConfigError(f"--warehouse {name} is unknown; there are {', '.join(names())}")


def _fault(value: Any) -> str | None:
    missing = [name for name in ("name", "capabilities", "check", "open", "session") if not hasattr(value, name)]
    return f"must be a class with {', '.join(missing)} (see snowetl.load.warehouse.Warehouse)" if missing else None
