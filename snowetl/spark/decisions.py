"""What deduplication decided about the lines of one split: a small file beside the run, read by the split's task."""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable

from snowetl.storage import filesystem

DROP, RENAME = 1, 2
_MAGIC = b"snowetl-decisions/1\n"


class Decisions:
    """Numbers of the lines (from 0) whose events are dropped or get a new id."""

    def __init__(self, dropped: Iterable[int] = (), renamed: Iterable[int] = ()) -> None:
        self._dropped = frozenset(dropped)
        self._renamed = frozenset(renamed)

    def drops(self, line: int) -> bool:
        return line in self._dropped

    def renames(self, line: int) -> bool:
        return line in self._renamed

    def write(self, folder: str, split: int) -> None:
        """Leave the decisions where the task of ``split`` finds them. Raises ``StorageError``."""
        content = _MAGIC + b"".join(_packed(lines) for lines in (self._dropped, self._renamed))
        url = decisions_url(folder, split)
        filesystem(url).put(url, zlib.compress(content, 1))

    @classmethod
    def read(cls, folder: str, split: int) -> Decisions:
        """The decisions about ``split``. Raises ``StorageError`` or ``UsageError`` when they are not there."""
        url = decisions_url(folder, split)
        content = zlib.decompress(filesystem(url).get(url))
        dropped, rest = _unpacked(content[len(_MAGIC) :])
        renamed, _ = _unpacked(rest)
        return cls(dropped, renamed)


def decisions_url(folder: str, split: int) -> str:
    return f"{folder.rstrip('/')}/split-{split:05d}"


def _packed(lines: Iterable[int]) -> bytes:
    numbers = array("Q", sorted(lines))
    count = array("Q", [len(numbers)])
    if sys.byteorder == "big":
        numbers.byteswap()
        count.byteswap()
    return count.tobytes() + numbers.tobytes()


def _unpacked(content: bytes) -> tuple[array[int], bytes]:
    count = int.from_bytes(content[:8], "little")
    numbers = array("Q", content[8 : 8 + 8 * count])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers, content[8 + 8 * count :]
