"""The contract between steps, which describe work as tasks, and pools, which do it somewhere.

A task is data: a pool pickles it, sends it to its workers with the files it wants, and runs it once for each split.
The result of a task does not depend on the pool.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar, cast

from snowetl.storage.splits import Split
from snowetl.workers.work import Work

if TYPE_CHECKING:  # a worker that does not deduplicate starts without
    from snowetl.dedupe.decide import Decided, KeyRow, Request

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


Advance = Callable[[int, int], None]
"""Called with progress: the records and input bytes done since the last call."""


def unheard(records: int, size: int) -> None:
    """An ``Advance`` for work that nobody observes."""


class SplitProgress:
    """Passes on progress within a split of ``size`` bytes: never more bytes than that, and with :meth:`finish` all."""

    def __init__(self, advance: Advance, size: int) -> None:
        self._advance = advance
        self._left = size

    def __call__(self, records: int, size: int) -> None:
        size = min(size, self._left)
        self._left -= size
        self._advance(records, size)

    def finish(self) -> None:
        left, self._left = self._left, 0
        self._advance(0, left)


class Task(Protocol[R_co]):
    """The work on a split. Picklable."""

    @property
    def files(self) -> Mapping[str, str]:
        """Files and folders the task reads, by a name of its own: their paths on the driver."""

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> R_co:
        """Do the work of one split. ``files`` are those of :attr:`files`, with their paths on this machine.

        A folder may have become a zip archive, in which it has its name. ``advance`` is called with records and
        stored bytes while they are read; the pool sees to it that the bytes of a split are told once
        (:class:`SplitProgress`).
        """


class WorkerPool(Protocol):
    """Runs tasks. Every method raises :class:`SnowetlError` when a split fails for good."""

    def run(self, task: Task[R], work: Sequence[Work], advance: Advance) -> Iterator[R]:
        """Yield the result of ``task`` for each split as it comes, in any order.

        Results of attempts that were repeated or lost are left out. The driver holds a bounded number of them.
        """

    def distinct(self, task: Task[Iterable[str]], work: Sequence[Work], advance: Advance) -> Iterator[str]:
        """Yield all values that ``task`` finds, as they come: each once per split, or once for several splits.

        The driver holds the values of a bounded number of splits.
        """

    def deduplicate(
        self, task: Task[Iterator[KeyRow]], work: Sequence[Work], request: Request, advance: Advance
    ) -> Decided:
        """Decide which events of all splits are duplicates; leave a file of verdicts for each split that has any."""


# --- prepared once per process --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pickled(Generic[T]):
    """A value that travels as bytes, so that a worker unpacks it once and not for every split."""

    key: str
    """The digest of the bytes."""
    content: bytes

    @classmethod
    def of(cls, value: T) -> Pickled[T]:
        content = pickle.dumps(value)
        return cls(hashlib.sha256(content).hexdigest(), content)

    def unpack(self) -> T:
        return cast("T", pickle.loads(self.content))


class _Kept(NamedTuple):
    key: str
    value: object
    drop: Callable[[], None]


_latest: _Kept | None = None


def once_per_process(key: str, build: Callable[[], T], drop: Callable[[T], None] = lambda value: None) -> T:
    """What ``build`` makes for ``key``: built on the first call of a process, kept until another key is asked for.

    ``drop`` is told of it then. A process works on one step at a time; keeping only the latest frees the enricher when
    the transform begins.
    """
    global _latest
    latest = _latest
    if latest is None or latest.key != key:
        if latest is not None:
            latest.drop()
        _latest = None
        value = build()
        latest = _latest = _Kept(key, value, lambda: drop(value))
    return cast("T", latest.value)
