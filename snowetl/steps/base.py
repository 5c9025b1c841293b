"""The contract of a step: plan the work, then do it on the workers of a pool."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from snowetl.settings import Fingerprint, Settings
from snowetl.workers import Advance, WorkerPool
from snowetl.workers.base import unheard

S_contra = TypeVar("S_contra", bound=Settings, contravariant=True)
P = TypeVar("P", bound="Plan")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class World:
    """What a plan depends on besides settings and storage: the time, in epoch milliseconds."""

    now: int

    @classmethod
    def of_now(cls) -> World:
        return cls(time.time_ns() // 1_000_000)


class Watch(Protocol):
    """Observes a step."""

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def planned(self, plan: Any) -> None:
        """Called with the plan of a dry run."""

    def progress(self, total_bytes: int, stage: str = "") -> AbstractContextManager[Advance]:
        """Entered while a step works; the step calls what it yields with the records and input bytes done.

        ``stage`` is the name of the step.
        """
        ...

    def done(self, report: Any) -> None:
        """Called with the report of each run as soon as the run is finished."""


class Unwatched:
    """A watch that ignores everything; derive from it to observe a part."""

    def say(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        pass

    def planned(self, plan: Any) -> None:
        pass

    @contextmanager
    def progress(self, total_bytes: int, stage: str = "") -> Iterator[Advance]:
        yield unheard

    def done(self, report: Any) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Numbered:
    """A watch on one step of several. ``place`` (``2/3``) goes before every message."""

    watch: Watch
    place: str

    def say(self, text: str) -> None:
        self.watch.say(f"{self.place} {text}")

    def warn(self, text: str) -> None:
        self.watch.warn(text)

    def planned(self, plan: Any) -> None:
        self.watch.planned(plan)

    def progress(self, total_bytes: int, stage: str = "") -> AbstractContextManager[Advance]:
        return self.watch.progress(total_bytes, f"{self.place} {stage}")

    def done(self, report: Any) -> None:
        self.watch.done(report)


class Plan(Protocol):
    """The work of a step, as data without secrets."""

    @property
    def fingerprint(self) -> Fingerprint: ...

    def describe(self) -> str:
        """The work in a few words."""

    def to_json(self) -> dict[str, Any]: ...

    def work_lines(self) -> Iterator[object]:
        """The work that is planned, as values of JSON, one after the other: it may be too much for one document."""


class Step(Protocol[S_contra, P, R_co]):
    """One step from logs to tables."""

    name: ClassVar[str]

    def plan(self, settings: S_contra, world: World) -> P:
        """Check everything and write nothing.

        Raises :class:`UsageError` for mistakes of the user, :class:`NothingToDo`, :class:`StorageError`.
        """
        ...

    def dry_run(self, plan: P, watch: Watch) -> None:
        """Check everything that :meth:`execute` checks before it writes; ``watch.planned`` is called with the plan."""
        ...

    def execute(self, plan: P, workers: WorkerPool, watch: Watch) -> Sequence[R_co]:
        """Carry out the plan. Returns the report of each run.

        After any exception, nothing of the run is published and nothing is left behind.
        """
        ...
