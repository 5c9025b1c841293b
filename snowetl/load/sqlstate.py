"""What PostgreSQL's error codes say about an error: whether one row caused it, whether it passes, who may help."""

from __future__ import annotations

_BY_ROWS = ("20", "21", "22", "23", "2F", "38", "39", "44", "54", "P0")
"""Data exceptions, constraints, check options, limits, and what goes wrong in functions of triggers and checks."""
_SERVERS_OWN = ("53", "55", "57", "58", "72", "XX")
"""Classes of the server among those that the standard leaves free; the others are a trigger's own."""
_PASSING = ("08", "40", "57P", "53300", "53400", "55P03", "58000", "58030")
"""Lost connections, deadlocks, servers that start or stop, too many connections, locks, I/O errors."""
INSUFFICIENT_PRIVILEGE = "42501"
_LASTING_REFUSALS = (
    "password authentication failed",
    "no password supplied",
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "could not translate host name",
    "name or service not known",
    "nodename nor servname",
    "no such file or directory",
    "invalid",
    "certificate",
    "does not support ssl",
    "permission denied",
)
"""Texts (lower case) of refused connections that a second try does not cure: libpq gives them no code."""


def caused_by_rows(code: str | None) -> bool:
    """Whether an error is about the rows of a statement, so that others may go in without them."""
    if code is None:
        return False
    free = "5" <= code[0] <= "9" or "I" <= code[0] <= "Z"
    return code.startswith(_BY_ROWS) or (free and not code.startswith(_SERVERS_OWN))


def is_passing(code: str | None) -> bool:
    """Whether the same statement may succeed later. A broken connection has no code."""
    return code is None or code.startswith(_PASSING)


def is_lasting_refusal(text: str) -> bool:
    """Whether a connection was refused for a reason that stays."""
    lowered = text.lower()
    return "temporary failure" not in lowered and any(part in lowered for part in _LASTING_REFUSALS)
