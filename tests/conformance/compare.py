"""Differences between what a vector expects and what we made, path by path."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.conformance.runner import Mismatch

ANY = "@ANY@"
_JSON_COLUMNS = frozenset(("contexts", "derived_contexts", "unstruct_event"))
_DEEP = 40_000
_UNORDERED = frozenset(("dataReports", "schemaIssues", "errors"))


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Room to compare what is nested deeply; restored before our own code runs again."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_DEEP)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def exact_json(text: str) -> Any:
    """Parse JSON so that number text counts: ``1.0`` differs from ``1.00`` and from ``1``."""
    return json.loads(text, parse_float=lambda t: ("number", t), parse_int=lambda t: ("number", t))


def differences(path: str, expected: Any, got: Any) -> Iterator[Mismatch]:
    """Every place where ``got`` is not ``expected``; ``@ANY@`` matches anything, key order does not count."""
    if expected == ANY:
        return
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            child = f"{path}.{key}"
            if key not in expected:
                yield Mismatch(child, "absent", got[key])
            elif key not in got:
                yield Mismatch(child, expected[key], "absent")
            elif key in _UNORDERED and isinstance(expected[key], list) and isinstance(got[key], list):
                yield from unordered(child, expected[key], got[key])
            else:
                yield from differences(child, expected[key], got[key])
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            yield Mismatch(path, expected, got)
            return
        for index, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from differences(f"{path}.{index}", one, other)
    elif expected != got or type(expected) is not type(got):
        yield Mismatch(path, expected, got)


def unordered(path: str, expected: list[Any], got: list[Any]) -> Iterator[Mismatch]:
    """Lists whose order the reference leaves to hash sets: each expected element must be there once."""
    left = list(got)
    missing = []
    for element in expected:
        match = next((other for other in left if not list(differences("", element, other))), None)
        if match is None:
            missing.append(element)
        else:
            left.remove(match)
    if len(missing) == 1 and len(left) == 1:
        yield from differences(f"{path}.0", missing[0], left[0])
    elif missing or left:
        yield Mismatch(path, missing, left)


def event_differences(path: str, expected: dict[str, Any], got: dict[str, str | None]) -> Iterator[Mismatch]:
    """Columns by name; JSON columns are compared parsed. ``got`` holds every column, ``expected`` the non-null ones."""
    for column in [*expected, *(name for name, value in got.items() if value is not None and name not in expected)]:
        yield from column_differences(f"{path}.{column}", column, expected.get(column) or None, got.get(column))


def column_differences(path: str, column: str, expected: Any, got: str | None) -> Iterator[Mismatch]:
    if column in _JSON_COLUMNS and isinstance(expected, str) and expected != ANY and got is not None:
        if expected != got:
            with deep_recursion():
                yield from list(differences(path, exact_json(expected), exact_json(got)))
    else:
        yield from differences(path, expected, got)
