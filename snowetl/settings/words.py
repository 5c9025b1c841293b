"""Small wordings that messages share."""

from __future__ import annotations


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 file``, ``1,200 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


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
