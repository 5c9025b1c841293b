"""ClickHouse: wide rows in Parquet, over its HTTP interface, into MergeTree tables.

There is no transaction over tables. A load fills tables of its own that are made like those of the warehouse, counts
what came in, says that it publishes, and attaches their parts to the warehouse's: events, bad rows, the row of the
manifest, each in one step. Until it says so nothing is visible; from then on whoever comes next publishes the rest
(:mod:`snowetl.load.warehouses.clickhouse.turns`). A step that was made is known by the rows that bear the load's id.
"""

from __future__ import annotations

from snowetl.load.warehouses.clickhouse.warehouse import ClickHouseWarehouse

__all__ = ["ClickHouseWarehouse"]
