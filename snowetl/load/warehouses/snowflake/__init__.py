"""Snowflake: wide rows in JSON, copied from a stage into ``events`` (rdb-loader 5.6.3).

DDL commits there: schemas, tables, columns and stages are made before the transaction, each by a statement that does
nothing where it was done. The transaction then holds the copies and the manifest's row, and nothing else: a load that
dies leaves columns without values at most. An update of the one row of ``loader_lock`` keeps other loaders out of it.
"""

from __future__ import annotations

from snowetl.load.warehouses.snowflake.warehouse import SnowflakeWarehouse

__all__ = ["SnowflakeWarehouse"]
