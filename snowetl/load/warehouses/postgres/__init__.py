"""PostgreSQL: any server by URL, or the embedded one. ``COPY`` by psycopg 3, one transaction a run."""

from __future__ import annotations

from snowetl.load.warehouses.postgres.warehouse import PostgresWarehouse

__all__ = ["PostgresWarehouse"]
