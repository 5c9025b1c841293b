"""A raw stream that ends after a number of bytes."""

from __future__ import annotations

import io
from typing import BinaryIO


class RangeReader(io.RawIOBase):
    """The next ``length`` bytes of ``source``, which it closes with itself."""

    def __init__(self, source: BinaryIO, length: int) -> None:
        self._source = source
        self._left = max(length, 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._source.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
