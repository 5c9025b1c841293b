"""Small wordings that messages share."""

from __future__ import annotations


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 file``, ``1,200 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
