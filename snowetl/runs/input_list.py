"""The input of a run as a file of its own: one line of JSON a file, in the order of their addresses, gzipped.

Written and read in a stream, so that a run of a million files holds none of them.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from snowetl.errors import StorageError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.storage import FileInfo, filesystem
from snowetl.storage.base import StagedFile

_CHUNK = 1 << 20


class Amount(NamedTuple):
    """How much there is in a list."""

    files: int
    bytes: int


def write(url: str, files: Iterable[FileInfo]) -> Amount:
    """Write ``files``, which come in the order of their addresses, as the list ``url``, at once or not at all."""
    count = size = 0

    def lines() -> Iterator[list[object]]:
        nonlocal count, size
        for file in files:
            count += 1
            size += file.size
            yield list(file[:3])

    write_lines(url, lines())
    return Amount(count, size)


def read(url: str) -> Iterator[FileInfo]:
    """The files of the list ``url``. Raises ``StorageError`` where it is damaged, ``UsageError`` where it is gone."""
    for line in read_lines(url):
        if not isinstance(line, list) or [type(value) for value in line] != [str, int, str]:
            raise StorageError(f"{url} is not a list of input files: it has the line {line!r:.80}")
        yield FileInfo(*line)


def write_lines(url: str, lines: Iterable[object]) -> None:
    """Write values as lines of JSON, gzipped, the same bytes for the same values."""
    staged = filesystem(url).stage(url)
    try:
        writer = _Gzip(staged)
        for line in lines:
            writer.add(to_utf8(jsontext.dumps(line)) + b"\n")
        writer.finish()
        filesystem(url).commit(staged.close())
    except BaseException:
        staged.abort()
        raise


def read_lines(url: str) -> Iterator[object]:
    """The values that :func:`write_lines` wrote."""
    with filesystem(url).open(url) as stored, gzip.GzipFile(fileobj=stored) as lines:
        try:
            for line in lines:
                yield jsontext.loads(line.decode("utf-8"))
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise StorageError(f"{url} cannot be read: {error}") from None


class _Gzip:
    """Compresses into a staged file."""

    def __init__(self, staged: StagedFile) -> None:
        self._staged = staged
        self._compress = zlib.compressobj(6, zlib.DEFLATED, 31)
        self._waiting = bytearray()

    def add(self, data: bytes) -> None:
        self._waiting += data
        if len(self._waiting) >= _CHUNK:
            self._staged.write(self._compress.compress(bytes(self._waiting)))
            self._waiting.clear()

    def finish(self) -> None:
        self._staged.write(self._compress.compress(bytes(self._waiting)) + self._compress.flush())
