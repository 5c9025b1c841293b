"""Notices about a run, and the contract of the notifiers that send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

STARTED, FINISHED, FAILED = "run-started", "run-finished", "run-failed"
DEADLINE_SECONDS = 10.0
"""Within this, a notifier has told what it has to tell, or has given up."""


@dataclass(frozen=True, slots=True)
class StepNotice:
    """How a step of the run stands: ``done``, ``failed`` or ``waits``. Times are epoch milliseconds."""

    name: str
    state: str
    started: int | None = None
    ended: int | None = None

    @property
    def seconds(self) -> float:
        return 0.0 if self.started is None or self.ended is None else (self.ended - self.started) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One event in the life of a run. It holds no secrets."""

    event: str
    """``run-started``, ``run-finished`` or ``run-failed``."""
    pipeline: str
    """The output folder."""
    run: str
    """Id of the run; empty for one that failed before it had one."""
    at: int
    """Epoch milliseconds."""
    started: int
    """When the run, or this attempt at it, began; epoch milliseconds."""
    reason: str = ""
    """Why it failed, or what does not add up."""
    link: str = ""
    """The page of a run that is done, else its folder."""
    counts: Mapping[str, float] = field(default_factory=dict)
    """Of a run that is done: records, events, badRows, rows, files, bytes, and latenessSeconds of the middle event."""
    steps: tuple[StepNotice, ...] = ()

    @property
    def seconds(self) -> float:
        return (self.at - self.started) / 1000

    @property
    def text(self) -> str:
        """One line for people."""
        name = f"run={self.run}" if self.run else "a run"
        told = f"snowetl: {name} of {self.pipeline} {self.event.removeprefix('run-')}"
        if self.event == FINISHED:
            told += f" in {self.seconds:.0f} s: " + ", ".join(
                f"{self.counts[key]:,.0f} {words}"
                for key, words in (("events", "events"), ("badRows", "bad rows"), ("rows", "rows"))
                if key in self.counts
            )
        if self.reason:
            told += f": {self.reason}"
        return f"{told} ({self.link})" if self.link else told

    def to_json(self) -> dict[str, Any]:
        """What a program gets. ``text`` is what chat services show."""
        return {
            "format": "snowetl-notice/1",
            "event": self.event,
            "text": self.text,
            "pipeline": self.pipeline,
            "run": self.run,
            "at": self.at,
            "started": self.started,
            "seconds": self.seconds,
            "reason": self.reason,
            "link": self.link,
            "counts": dict(self.counts),
            "steps": [{"name": step.name, "state": step.state, "seconds": step.seconds} for step in self.steps],
        }


class Notifier(Protocol):
    """Tells somebody of runs. One file each, named in ``NOTIFIERS``."""

    example: ClassVar[str]
    """How ``--notify`` names one."""

    @classmethod
    def of(cls, address: str) -> Self:
        """The notifier of what ``--notify`` says. Raises ``ValueError`` for what it cannot be; opens nothing."""
        ...

    def send(self, notice: Notice) -> None:
        """Tell it, within ``DEADLINE_SECONDS``. Any exception means that it was not told."""
        ...
