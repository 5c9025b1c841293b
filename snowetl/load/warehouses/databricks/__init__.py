"""Databricks SQL: wide rows in Parquet, merged into Delta tables by a SQL warehouse (rdb-loader 5.6.3 for the tables).

A load is up to three commits, in this order: events, bad rows, the manifest's row; each does nothing where it was done.
They are made when the transaction of the load is left, so that what fails before leaves nothing.
"""

from __future__ import annotations

from snowetl.load.warehouses.databricks.warehouse import DatabricksWarehouse

__all__ = ["DatabricksWarehouse"]
