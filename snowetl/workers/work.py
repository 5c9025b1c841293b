"""The work of a step: splits and the bytes each stands for, in a file rather than in memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

from snowetl.spool import Spool
from snowetl.storage.splits import Split


class Work(NamedTuple):
    """A split and the input bytes it stands for."""

    split: Split
    bytes: int


class WorkList(Sequence[Work]):
    """Work, the largest first: the last task to start is a short one. Holds 24 bytes a split; the rest is on disk."""

    def __init__(self, splits: Iterable[Split]) -> None:
        self._splits: Spool[Split] = Spool(chunk=1)
        self._sizes = array("q")
        self._noted = frozenset[int]()
        for split in splits:
            self._splits.append(split)
            self._sizes.append(split.bytes)
        self._order = array("q", sorted(range(len(self._sizes)), key=lambda place: -self._sizes[place]))

    @property
    def bytes(self) -> int:
        return sum(self._sizes)

    @property
    def splits(self) -> Sequence[Split]:
        """In the order of their numbers."""
        return self._splits

    def noting(self, splits: frozenset[int]) -> WorkList:
        """The same work, of which the splits of these numbers are ``noted``: each task hears of its own split only."""
        noted = WorkList(())
        noted._splits, noted._sizes, noted._order, noted._noted = self._splits, self._sizes, self._order, splits
        return noted

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Work]:
        return map(self._at, self._order)

    @overload
    def __getitem__(self, place: int) -> Work: ...
    @overload
    def __getitem__(self, place: slice) -> list[Work]: ...
    def __getitem__(self, place: int | slice) -> Work | list[Work]:
        found = self._order[place]
        return self._at(found) if isinstance(found, int) else [self._at(each) for each in found]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkList) and self._splits == other._splits and self._noted == other._noted

    __hash__ = None  # type: ignore[assignment]

    def _at(self, place: int) -> Work:
        split = self._splits[place]
        if split.index in self._noted:
            split = split._replace(noted=True)
        return Work(split, self._sizes[place])
