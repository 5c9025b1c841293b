"""Small wordings that messages share."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What moves a terminal's cursor, turns its text around or hides in it: C0 but tab and line feed, C1, marks of
direction, tags, lone surrogates."""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 file``, ``1,200 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Sequence[str]) -> str:
    """``run``, ``run and load``, ``run, backfill and load``."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def size(number: int) -> str:
    """``512 B``, ``1.5 KB``, ``20.1 MB`` (units of 1024)."""
    if number < 1024:
        return f"{number} B"
    value = float(number)
    for unit in ("KB", "MB", "GB", "TB"):
        value /= 1024
        if value < 1024 or unit == "TB":
            break
    return f"{value:.1f} {unit}"


def amount(files: int, stored: int, tasks: int) -> str:
    """``1 file, 2.0 KB, 1 task``."""
    return f"{count(files, 'file')}, {size(stored)}, {count(tasks, 'task')}"


def printable(text: str) -> str:
    """``text`` with ``\\x1b`` and the like for characters that would act on a terminal instead of being seen."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape", "backslashreplace").decode("ascii"), text)


def printable_json(text: str) -> str:
    """JSON text that says the same, with JSON's escapes for the characters of :func:`printable`."""
    return _UNPRINTABLE.sub(lambda match: json.dumps(match[0])[1:-1], text)


def duration_text(seconds: float) -> str:
    """``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
