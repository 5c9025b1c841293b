"""Long lists that lie in temporary files: a driver holds a million files or parts in a few megabytes."""

from __future__ import annotations

import heapq
import os
import pickle
import tempfile
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")

_CHUNK = 500
"""Values that are packed together: a list from the start to the end reads few chunks."""
_SORTED_AT_ONCE = 50_000
_LEVEL = 1


class Spool(Sequence[T], Generic[T]):
    """Values in order, packed in a temporary file that is gone with the process. Values must be picklable.

    Memory: a chunk of values, and 16 bytes for each chunk that is written. Several iterations may go on at once.
    ``chunk`` is how many values are packed together: 1 for large values, and for access out of order.
    """

    def __init__(self, values: Iterable[T] = (), chunk: int = _CHUNK) -> None:
        self._chunk = chunk
        self._file = tempfile.TemporaryFile(prefix="snowetl-", buffering=0)  # noqa: SIM115 (closed with the spool)
        self._offsets = array("q", [0])
        self._latest: list[T] = []
        self.extend(values)

    def append(self, value: T) -> None:
        self._latest.append(value)
        if len(self._latest) == self._chunk:
            packed = zlib.compress(pickle.dumps(self._latest, pickle.HIGHEST_PROTOCOL), _LEVEL)
            self._file.write(packed)
            self._offsets.append(self._offsets[-1] + len(packed))
            self._latest = []

    def extend(self, values: Iterable[T]) -> None:
        for value in values:
            self.append(value)

    def __len__(self) -> int:
        return (len(self._offsets) - 1) * self._chunk + len(self._latest)

    def __iter__(self) -> Iterator[T]:
        for number in range(len(self._offsets) - 1):
            yield from self._read(number)
        yield from self._latest

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        number, within = divmod(place % len(self), self._chunk)
        values = self._latest if number == len(self._offsets) - 1 else self._read(number)
        return values[within]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self), self._chunk)

    def _read(self, number: int) -> list[T]:
        start, end = self._offsets[number : number + 2]
        values: list[T] = pickle.loads(zlib.decompress(os.pread(self._file.fileno(), end - start, start)))
        return values


class _Run(Generic[T]):
    """A sorted stretch of the values that are being sorted, with its first and last key."""

    def __init__(self, pairs: list[tuple[Any, T]]) -> None:
        self.first, self.last = pairs[0][0], pairs[-1][0]
        self.pairs = Spool(pairs)


def sorted_spool(values: Iterable[T], key: Callable[[T], Any] = lambda value: value) -> Spool[T]:
    """``values`` in the order of their keys; equal ones stay in the order they come in. In bounded memory."""
    runs: list[_Run[T]] = []
    pairs: list[tuple[Any, T]] = []

    def finish() -> None:
        pairs.sort(key=itemgetter(0))
        runs.append(_Run(pairs))
        pairs.clear()

    for value in values:
        pairs.append((key(value), value))
        if len(pairs) == _SORTED_AT_ONCE:
            finish()
    if not runs:
        pairs.sort(key=itemgetter(0))
        return Spool(value for _, value in pairs)
    if pairs:
        finish()
    in_order = all(left.last <= right.first for left, right in pairwise(runs))
    merged: Iterable[tuple[Any, T]]
    if in_order:
        merged = (pair for run in runs for pair in run.pairs)
    else:
        merged = heapq.merge(*(run.pairs for run in runs), key=itemgetter(0))
    return Spool(value for _, value in merged)
