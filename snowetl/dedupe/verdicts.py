"""What deduplication decided about the lines of one split: a small file beside the run, read by the split's task."""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping

from snowetl.errors import StorageError
from snowetl.storage import filesystem

DROP, KNOWN, RENAME = 1, 2, 3
_MAGIC = b"snowetl-decisions/1\n"
VERDICTS = (DROP, KNOWN, RENAME)


class Decisions:
    """Verdicts on lines, by their numbers (from 0): natural duplicate, known from an earlier batch, new id."""

    def __init__(self, lines: Mapping[int, Iterable[int]] | None = None) -> None:
        self._verdicts = {line: verdict for verdict, numbers in (lines or {}).items() for line in numbers}

    def of(self, line: int) -> int:
        """The verdict on a line; 0 for most."""
        return self._verdicts.get(line, 0)

    def write(self, folder: str, split: int) -> None:
        """Leave the decisions where the task of ``split`` finds them. Raises ``StorageError``."""
        by_verdict: dict[int, list[int]] = {verdict: [] for verdict in VERDICTS}
        for line, verdict in self._verdicts.items():
            by_verdict[verdict].append(line)
        content = _MAGIC + b"".join(_packed(by_verdict[verdict]) for verdict in VERDICTS)
        url = decisions_url(folder, split)
        filesystem(url).put(url, zlib.compress(content, 1))

    @classmethod
    def read(cls, folder: str, split: int) -> Decisions:
        """The decisions about ``split``. Raises ``StorageError`` or ``UsageError`` when they are not there."""
        url = decisions_url(folder, split)
        try:
            rest = zlib.decompress(filesystem(url).get(url))[len(_MAGIC) :]
        except zlib.error as error:
            raise StorageError(f"{url} is damaged ({error}): run again") from None
        lines: dict[int, Iterable[int]] = {}
        for verdict in VERDICTS:
            lines[verdict], rest = _unpacked(rest)
        return cls(lines)


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
