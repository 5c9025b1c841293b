"""Passes over a batch that end in the memory of one process: distinct values, keys of events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from snowetl.dedupe.decide import Decided, KeyRow, Request, decide_in_memory
from snowetl.dedupe.rules import Key
from snowetl.storage.splits import Split
from snowetl.workers.base import Advance, R, Task
from snowetl.workers.work import Work

V = TypeVar("V")


class Gathering(ABC):
    """The passes, for a pool that gathers their results here."""

    @abstractmethod
    def run(self, task: Task[R], work: Sequence[Work], advance: Advance) -> Iterator[R]: ...

    def distinct(self, task: Task[Iterable[str]], work: Sequence[Work], advance: Advance) -> Iterator[str]:
        """All values of all splits, each once a split."""
        for values in self.run(_Distinct(task), work, advance):
            yield from values

    def deduplicate(
        self, task: Task[Iterator[KeyRow]], work: Sequence[Work], request: Request, advance: Advance
    ) -> Decided:
        """Decide with the keys of the whole batch in memory."""
        by_split = sorted(self.run(_Keys(task), work, advance), key=lambda keys: keys.split)
        splits = decide_in_memory([key for keys in by_split for key in keys.keys], request)
        return Decided(splits, frozenset().union(*(keys.tags for keys in by_split)))


@dataclass(frozen=True, slots=True)
class _Wrapped(Generic[V]):
    """Makes a value that can leave the worker of what a task hands out bit by bit."""

    task: Task[V]

    @property
    def files(self) -> Mapping[str, str]:
        return self.task.files


class _Distinct(_Wrapped[Iterable[str]]):
    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> set[str]:
        return set(self.task.run(split, files, advance))


@dataclass(frozen=True, slots=True)
class _SplitKeys:
    split: int
    keys: list[Key]
    tags: frozenset[str]


class _Keys(_Wrapped[Iterator[KeyRow]]):
    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> _SplitKeys:
        keys: list[Key] = []
        tags: set[str] = set()
        for key, new in self.task.run(split, files, advance):
            keys.append(key)
            tags.update(new)
        return _SplitKeys(split.index, keys, frozenset(tags))
