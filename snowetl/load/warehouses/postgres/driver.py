"""PostgreSQL's driver, psycopg 3, and the server's words in its errors."""

from __future__ import annotations

from typing import Any

from snowetl.load.drivers import needed


def driver() -> Any:
    """The module. Raises ``ConfigError`` where it is not installed."""
    with needed("loading into PostgreSQL needs its driver", "postgres"):
        import psycopg
    return psycopg


def words(error: Any) -> str:
    """What the server says: its message and, of some errors, more."""
    diagnosis = error.diag
    parts = [diagnosis.message_primary or str(error).strip(), diagnosis.message_detail]
    return " — ".join(part for part in parts if part)
