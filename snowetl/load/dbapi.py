"""What drivers of databases (DB-API 2.0) have in common."""

from __future__ import annotations


def is_driver_error(error: Exception) -> bool:
    """Whether a driver raised it: these are subclasses of an ``Error`` of its own, whatever module it lives in."""
    return any(base.__name__ == "Error" for base in type(error).__mro__) or isinstance(error, OSError)
