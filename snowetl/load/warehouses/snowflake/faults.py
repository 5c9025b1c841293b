"""What errors of Snowflake's driver say: whether values of the rows caused one, whether it passes, who may help."""

from __future__ import annotations

from snowetl.load.drivers import is_driver_error

_LASTING = (
    "incorrect username or password", "jwt token is invalid", "oauth", "does not exist", "not authorized",
    "is disabled", "locked", "not allowed", "expired", "mfa", "multi-factor", "private key", "decrypt", "suspended",
)  # fmt: skip
"""Texts (lower case) of refused logins that a second try does not cure."""
_PASSING_CODES = frozenset((603, 604, 606, 625, 630, 639))
"""Internal errors, statements that were cancelled or took too long, locks that were not to be had."""


def _code(error: Exception) -> int:
    code = getattr(error, "errno", None)
    return code if isinstance(code, int) else -1


def _state(error: Exception) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def is_about_rows(error: Exception) -> bool:
    """Whether a value of the rows caused it: data exceptions of the standard, and Snowflake's own numbers of them."""
    return is_driver_error(error) and (_state(error).startswith("22") or 100_000 <= _code(error) < 101_000)


def is_refusal(error: Exception) -> bool:
    """Whether the server refuses this very statement, for a reason other than rights."""
    return is_driver_error(error) and (_state(error).startswith(("42", "0A", "22")) and _state(error) != "42501")


def is_passing(error: Exception) -> bool:
    """Whether the same load may succeed later: the connection broke, the server was busy, a lock was not given."""
    kind = type(error).__name__
    return kind in ("OperationalError", "InterfaceError", "InternalError") or _code(error) in _PASSING_CODES


def is_lasting_refusal(words: str) -> bool:
    """Whether a refused login is refused again, whenever it is tried."""
    return any(part in words.lower() for part in _LASTING)


def words(error: Exception) -> str:
    return " ".join(str(error).split())
