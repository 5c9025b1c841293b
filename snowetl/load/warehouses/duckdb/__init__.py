"""DuckDB: one file, in this process. Wide rows in Parquet; one transaction a run, its row of the manifest included.

A file is written by one process at a time, and by one session of a process: a second loader waits.
"""

from __future__ import annotations

from snowetl.load.warehouses.duckdb.warehouse import DuckDbWarehouse

__all__ = ["DuckDbWarehouse"]
