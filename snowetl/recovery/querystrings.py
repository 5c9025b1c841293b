"""Query strings that no parser takes, brought into the form that every one does."""

from __future__ import annotations

import re
from urllib.parse import quote

from snowetl.recovery.failure import RecoveryFailure

_LEGAL = re.compile(r"%[0-9A-Fa-f]{2}|[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]")


def cleaned(text: str) -> dict[str, str]:
    """Names and values of ``k=v&…``; what may not stand in a query string is percent-encoded, a blank is a plus.

    Raises :class:`RecoveryFailure` for a text of another form.
    """
    pairs = [part.partition("=") for part in text.split("&") if part]
    if not pairs or not all(equals for _, equals, _ in pairs):
        raise RecoveryFailure(
            f"Supplied data: {text} in querystring, does not comply expected data format (k1=v1&k2=v2). Raised error: "
            + ("it is empty" if not pairs else "a part has no =")
        )
    return {name: encoded(value) for name, _, value in pairs}


def encoded(value: str) -> str:
    """A value with what is illegal percent-encoded."""
    pieces, at = [], 0
    while at < len(value):
        match = _LEGAL.match(value, at)
        pieces.append(match[0] if match else "+" if value[at] == " " else quote(value[at], safe="", errors="replace"))
        at = match.end() if match else at + 1
    return "".join(pieces)
