"""Sets of characters as sorted code point ranges, and the named ones of Java regular expressions."""

from __future__ import annotations

from collections.abc import Iterable

Ranges = list[tuple[int, int]]

MAX_CODE = 0x10FFFF
EVERYTHING: Ranges = [(0, MAX_CODE)]
_SPECIAL = frozenset(map(ord, "\\^$.|?*+()[]{}-&~#/:<>=!,%@'\"`; "))

LINE_ENDS: Ranges = [(0x0A, 0x0A), (0x0D, 0x0D), (0x85, 0x85), (0x2028, 0x2029)]
DIGIT: Ranges = [(0x30, 0x39)]
WORD: Ranges = [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
SPACE: Ranges = [(0x09, 0x0D), (0x20, 0x20)]
HORIZONTAL: Ranges = [
    (0x09, 0x09), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x180E, 0x180E), (0x2000, 0x200A), (0x202F, 0x202F),
    (0x205F, 0x205F), (0x3000, 0x3000),
]  # fmt: skip
VERTICAL: Ranges = [(0x0A, 0x0D), (0x85, 0x85), (0x2028, 0x2029)]

POSIX: dict[str, Ranges] = {
    "Lower": [(0x61, 0x7A)],
    "Upper": [(0x41, 0x5A)],
    "ASCII": [(0x00, 0x7F)],
    "Alpha": [(0x41, 0x5A), (0x61, 0x7A)],
    "Digit": DIGIT,
    "Alnum": [(0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)],
    "Punct": [(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)],
    "Graph": [(0x21, 0x7E)],
    "Print": [(0x20, 0x7E)],
    "Blank": [(0x09, 0x09), (0x20, 0x20)],
    "Cntrl": [(0x00, 0x1F), (0x7F, 0x7F)],
    "XDigit": [(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)],
    "Space": SPACE,
    "L1": [(0x00, 0xFF)],
}
"""``\\p{Name}`` without Unicode mode."""

_CATEGORIES = "Cn Lu Ll Lt Lm Lo Mn Me Mc Nd Nl No Zs Zl Zp Cc Cf Co Cs Pd Ps Pe Pc Po Sm Sc Sk So Pi Pf L M N Z C P S"
CATEGORIES = frozenset(_CATEGORIES.split())
"""General categories Java knows by these names."""


def normal(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Sorted, without overlaps."""
    result: Ranges = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return result


def complement(ranges: Ranges) -> Ranges:
    result: Ranges = []
    start = 0
    for low, high in normal(ranges):
        if low > start:
            result.append((start, low - 1))
        start = high + 1
    if start <= MAX_CODE:
        result.append((start, MAX_CODE))
    return result


def intersection(one: Ranges, other: Ranges) -> Ranges:
    return complement([*complement(one), *complement(other)])


def both_cases(ranges: Ranges) -> Ranges:
    """With the other case of every ASCII letter: Java's ``CASE_INSENSITIVE`` without ``UNICODE_CASE``."""
    more = list(ranges)
    for low, high in ranges:
        for start, end, shift in ((0x41, 0x5A, 32), (0x61, 0x7A, -32)):
            first, last = max(low, start), min(high, end)
            if first <= last:
                more.append((first + shift, last + shift))
    return normal(more)


def literal(code: int) -> str:
    """A character as it is written in a Python pattern, inside and outside of brackets."""
    if code in _SPECIAL:
        return "\\" + chr(code)
    return chr(code) if chr(code).isprintable() else f"\\U{code:08x}"


def bracket(ranges: Ranges) -> str:
    """The set in brackets; an empty one matches nothing."""
    ranges = normal(ranges)
    if not ranges:
        return "(?!)"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return literal(ranges[0][0])
    negated = complement(ranges)
    if ranges[-1][1] == MAX_CODE and negated and len(negated) <= len(ranges):
        return "[^" + "".join(map(_range, negated)) + "]"
    return "[" + "".join(map(_range, ranges)) + "]"


def _range(bounds: tuple[int, int]) -> str:
    low, high = bounds
    if low == high:
        return literal(low)
    return literal(low) + ("" if high == low + 1 else "-") + literal(high)
