"""What Redshift's errors mean: what the server said, whether it passes, whether it is about the statement."""

from __future__ import annotations

import re

from snowetl.load import sqlstate

_FATAL = (
    "illegalstate",
    "invalid operation",
    "disk full",
    "out of memory",
    "data loading error iam role",
    "cannot copy into nonexistent table",
    "permission denied for",
    "stl_load_errors",
)
"""Texts (lower case) of errors that a second try does not cure."""
_SAME_SIZE = re.compile(r'cannot alter column "[^\s]+" of relation "[^\s]+", target column size should be different')
_REFUSALS = ("42", "0A", "54", "22", "2B")
"""Beginnings of SQL states of statements that the server will never take."""
_ELSEWHERE = ("permission denied", "disk full", "out of memory")


def words(error: Exception) -> str:
    """What the server said: the driver wraps it in a dict of protocol fields."""
    detail = error.args[0] if error.args else error
    if isinstance(detail, dict):
        return f"{detail.get('M', detail)} = SqlState: {detail.get('C', 'unknown')}"
    return str(detail).strip()


def is_passing(reason: str) -> bool:
    """Whether the same load may succeed later. An error without a SQL state is a connection's, unless it says more."""
    code = reason.rpartition("SqlState: ")[2] if "SqlState: " in reason else None
    if code is not None and sqlstate.is_passing(code):
        return True
    if code == "23505" and '"pg_' in reason:  # two loaders made the same schema or table at once
        return True
    return code in (None, "unknown", "XX000") and not any(text in reason.lower() for text in _FATAL)


def is_refusal(reason: str) -> bool:
    """Whether the server refuses this very statement, for a reason other than rights, space or memory."""
    lowered = reason.lower()
    code = reason.rpartition("SqlState: ")[2][:2]
    return (code in _REFUSALS or "invalid operation" in lowered) and not any(text in lowered for text in _ELSEWHERE)


def widens_to_the_same(reason: str) -> bool:
    """Whether an earlier try widened the column already."""
    return _SAME_SIZE.search(reason) is not None
