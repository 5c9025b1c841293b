"""Java's regular expressions, searched and replaced under a time limit: texts come from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import regex

from snowetl.jvm.regex import PatternFault, translate
from snowetl.recovery.failure import RecoveryFailure

_SECONDS = 1.0
_REFERENCE = re.compile(r"\\(?P<literal>.)|\$(?P<number>\d)|\$\{(?P<name>\w+)\}", re.DOTALL)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> tuple[Any, Mapping[str, int]]:
    """The pattern, and the numbers of its named groups. Raises ``ValueError`` for one that Java refuses."""
    try:
        found = translate(pattern)
        return regex.compile(found.source), found.names
    except (PatternFault, regex.error, OverflowError, RecursionError) as fault:
        raise ValueError(f"{pattern} is not a regular expression: {fault}") from None


def found(pattern: str, text: str) -> bool:
    """``Matcher.find``. Raises :class:`RecoveryFailure` where it takes too long."""
    try:
        return compiled(pattern)[0].search(text, timeout=_SECONDS) is not None
    except TimeoutError:
        raise RecoveryFailure(f"The search for {pattern} takes too long") from None


def replaced(pattern: str, replacement: str, text: str) -> str:
    """``String.replaceAll``, with ``$1`` and ``${name}`` for groups. Raises :class:`RecoveryFailure`."""

    search, names = compiled(pattern)

    def expand(match: Any) -> str:
        def reference(part: re.Match[str]) -> str:
            if part["literal"] is not None:
                return part["literal"]
            return str(match[int(part["number"]) if part["number"] is not None else names[part["name"]]] or "")

        return _REFERENCE.sub(reference, replacement)

    try:
        return str(search.sub(expand, text, timeout=_SECONDS))
    except TimeoutError:
        raise RecoveryFailure(f"The search for {pattern} takes too long") from None
    except (IndexError, KeyError):
        raise RecoveryFailure(f"{pattern} has not the groups of {replacement}") from None
