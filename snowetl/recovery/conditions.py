"""When a flow is for a bad row: tests of values in its ``data``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snowetl.jvm import jsontext
from snowetl.recovery import paths, patterns

_SIZES = {
    "eq": lambda size, number: size == number,
    "gt": lambda size, number: size > number,
    "lt": lambda size, number: size < number,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """``matcher`` is one of ``{"value": V}``, ``{"regex": R}``, ``{"size": {"eq"|"gt"|"lt": N}}``."""

    path: paths.Path
    matcher: Mapping[str, Any]

    def holds(self, data: Any) -> bool:
        """Whether a value is there that matches; behind a filter, one of them."""
        return any(matches(self.matcher, value) for value in paths.read(data, self.path))


def matches(matcher: Mapping[str, Any], value: Any) -> bool:
    """Whether a value is as a matcher says. A regular expression sees the JSON of it: a text has its quotes."""
    if "value" in matcher:
        return _same(matcher["value"], value)
    if "regex" in matcher:
        return patterns.found(matcher["regex"], jsontext.dumps(value))
    [(name, number)] = matcher["size"].items()
    size = _size(value)
    return size is not None and bool(_SIZES[name](size, number))


def problems(matcher: Any) -> str:
    """What is wrong with a matcher; empty if nothing is."""
    if not isinstance(matcher, dict) or len(matcher) != 1 or not matcher.keys() <= {"value", "regex", "size"}:
        return 'must be {"value": …}, {"regex": …} or {"size": …}'
    if "regex" in matcher:
        try:
            patterns.compiled(matcher["regex"] if isinstance(matcher["regex"], str) else "(")
        except ValueError as error:
            return str(error)
    if "size" in matcher:
        size = matcher["size"]
        whole = isinstance(size, dict) and len(size) == 1 and size.keys() <= _SIZES.keys()
        if not whole or not isinstance(next(iter(size.values())), (int, float)):
            return 'size must be {"eq": N}, {"gt": N} or {"lt": N}'
    return ""


def _size(value: Any) -> int | None:
    if isinstance(value, str):
        return len(value.encode("utf-16-le", "surrogatepass")) // 2
    if isinstance(value, list):
        return len(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return math.ceil(value)
    return None


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal. In Python ``1 == True``."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
