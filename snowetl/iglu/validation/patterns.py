"""Search functions of Java regular expressions whose running time is bounded."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from snowetl.caching import Memo
from snowetl.iglu.validation.report import ValidationCrash
from snowetl.jvm.regex import PatternFault, Translation, translate

Search = Callable[[str], bool]

TIMEOUT: Final = 0.05
"""Seconds one search may take, for the first hundred kilobytes of text."""
_STEPS: Final = 4_000_000
_LONGEST: Final = {0: _STEPS, 1: 2_000, 2: 158, 3: 44, 4: 20}
"""Longest text whose search takes no more steps than that, by ambiguous runs."""


@lru_cache(maxsize=4096)
def search(pattern: str) -> Search:
    """``Matcher.find`` of a Java pattern. Raises :class:`ValidationCrash` where Java refuses the pattern."""
    try:
        found = translate(pattern)
        return _search(found, full=False)
    except (PatternFault, re.error, OverflowError, RecursionError) as fault:
        raise ValidationCrash(
            f"com.networknt.schema.JsonSchemaException: java.util.regex.PatternSyntaxException: {fault}"
        ) from None


@lru_cache(maxsize=64)
def full_match(pattern: str) -> Search:
    """``Matcher.matches`` of a Java pattern of our own tables."""
    return _search(translate(pattern), full=True)


def _search(pattern: Translation, full: bool) -> Search:
    """Short texts go to ``re``, which is fastest; what might run long is searched under a time limit."""
    if pattern.unicode:
        return _limited(pattern.source, full)
    compiled = re.compile(pattern.source)
    method = compiled.fullmatch if full else compiled.search
    longest = 0 if pattern.runaway else _LONGEST.get(pattern.ambiguous, 0)
    if longest >= _STEPS:
        return _found(pattern.source, method)
    if not longest:
        return _limited(pattern.source, full)
    limited: list[Search] = []

    def search(text: str) -> bool:
        if len(text) <= longest:
            return method(text) is not None
        if not limited:
            limited.append(_limited(pattern.source, full))
        return limited[0](text)

    return search


def _found(source: str, method: Callable[[str], re.Match[str] | None]) -> Search:
    def search(text: str) -> bool:
        return method(text) is not None

    return Memo(search, 4096, 512).__getitem__ if source.startswith("^iglu:") else search  # few, again and again


def _limited(source: str, full: bool) -> Search:
    import regex

    try:
        compiled = regex.compile(source, regex.V1)
    except regex.error as fault:
        raise PatternFault(str(fault)) from None
    method = compiled.fullmatch if full else compiled.search

    def search(text: str) -> bool:
        try:
            return method(text, timeout=TIMEOUT + len(text) * 1e-6) is not None
        except TimeoutError:
            raise ValidationCrash(f"the pattern takes too long on a text of {len(text)} characters: {source}") from None

    return search
