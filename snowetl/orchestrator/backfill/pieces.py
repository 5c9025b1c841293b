"""Cuts an archive into runs, in the order of time. Pure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from snowetl.storage import FileInfo

_TIME = re.compile(
    r"(?<!\d)(?:year=|y=)?(?P<year>20\d\d)[-_/.]?(?:month=|m=)?(?P<month>0[1-9]|1[0-2])[-_/.]?(?:day=|d=)?"
    r"(?P<day>0[1-9]|[12]\d|3[01])(?!\d)(?:(?:[-_T/.]|/(?:hour|hh|h)=)(?P<hour>[01]\d|2[0-3])(?!\d))?"
)


def time_in(address: str) -> int | None:
    """Epoch milliseconds of the last day, or hour, that an address names; ``None`` where it names none."""
    found: int | None = None
    for match in _TIME.finditer(address):
        try:
            moment = datetime(
                int(match["year"]), int(match["month"]), int(match["day"]), int(match["hour"] or 0), tzinfo=UTC
            )
        except ValueError:  # 30 February
            continue
        found = int(moment.timestamp() * 1000)
    return found


def cut(files: Iterable[FileInfo], run_bytes: int) -> Iterator[list[FileInfo]]:
    """Files, which come in the order of time, as the input of one run after the other: each has no more than
    ``run_bytes``, but one file at least.
    """
    piece: list[FileInfo] = []
    size = 0
    for file in files:
        if piece and size + file.size > run_bytes:
            yield piece
            piece, size = [], 0
        piece.append(file)
        size += file.size
    if piece:
        yield piece


def is_in_sample(file: FileInfo, percent: int) -> bool:
    """Whether a file belongs to a sample: the same ones each time, from all times."""
    return zlib.crc32(file.url.encode("utf-8", "surrogatepass")) % 100 < percent
