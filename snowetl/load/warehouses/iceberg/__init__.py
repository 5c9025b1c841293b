"""Apache Iceberg, by pyiceberg: tables of a catalog (SQLite in a local folder, Glue, REST), without a JVM.

A snapshot bears the names of its run in its summary. Snapshots expire; then the rows of ``manifest`` and of
``bad_rows`` tell what is loaded.
"""

from __future__ import annotations

from snowetl.load.warehouses.iceberg.warehouse import IcebergWarehouse

__all__ = ["IcebergWarehouse"]
