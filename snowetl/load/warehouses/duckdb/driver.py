"""DuckDB's driver: files opened, and its errors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from snowetl.errors import TargetError
from snowetl.load.drivers import needed

_WAIT_SECONDS = 10.0
"""For how long another process may hold the file before it is told of."""
_PAUSE_SECONDS = 0.2


def driver() -> Any:
    """The module. Raises ``ConfigError`` where it is not installed."""
    with needed("loading into DuckDB needs its driver", "duckdb"):
        import duckdb
    return duckdb


def connect(path: Path) -> Any:
    """Open the file. Raises ``TargetError`` where it is not DuckDB's, or another process keeps it too long."""
    duckdb = driver()
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection = duckdb.connect(str(path))
            break
        except duckdb.Error as error:
            if not _is_locked(error):
                raise TargetError(f"{path} cannot be opened: {words(error)}") from None
            if time.monotonic() > until:
                raise TargetError(f"{path} is in use: {words(error)}", transient=True) from None
            time.sleep(_PAUSE_SECONDS)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def words(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def is_passing(error: Exception) -> bool:
    return isinstance(error, driver().TransactionException)


def _is_locked(error: Exception) -> bool:
    return "lock on file" in str(error)
