"""Text as ``java.lang.String`` treats it."""

from __future__ import annotations

_BLANKS = "".join(map(chr, range(33)))


def trim(text: str) -> str:
    """``String.trim``: characters up to the blank (U+0020) go from both ends, other white space stays."""
    return text.strip(_BLANKS)
