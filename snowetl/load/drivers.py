"""Drivers of databases: whether one is installed, and which errors are its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from snowetl.errors import ConfigError


@contextmanager
def needed(purpose: str, extra: str) -> Iterator[None]:
    """Around the import of a package: where it is missing, raise ``ConfigError`` naming the extra that brings it."""
    try:
        yield
    except ImportError:
        raise ConfigError(f"{purpose}: pip install 'snowetl[{extra}]'") from None


def is_driver_error(error: Exception) -> bool:
    """Whether a DB-API driver raised it: its errors are subclasses of an ``Error`` of its own, or of ``OSError``."""
    return any(base.__name__ == "Error" for base in type(error).__mro__) or isinstance(error, OSError)
