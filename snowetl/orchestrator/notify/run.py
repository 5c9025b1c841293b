"""The notices of one run: begun, done, failed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from snowetl.errors import LeaseHeld, NothingToDo, SnowetlError
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.notify import FAILED, FINISHED, STARTED, Notice, StepNotice, tell
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.state import StepState
from snowetl.orchestrator.store import StateStore
from snowetl.reporting.runs_index import line_of
from snowetl.settings.secrets import redact
from snowetl.steps.base import Watch

_LONGEST_REASON = 2000
_NO_FAILURES = (NothingToDo, LeaseHeld)
"""What ends a scheduled run, and is as it should be: nothing is new, or the run before still goes on."""


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Notices:
    """Entered around a run; left by an exception, it tells that the run failed, and why."""

    settings: RunSettings
    watch: Watch
    started: int = field(default_factory=_now)
    entry: Entry | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None or isinstance(error, _NO_FAILURES):
            return
        if isinstance(error, KeyboardInterrupt):
            reason = "it was interrupted (SIGTERM, Ctrl-C)"
        else:
            reason = str(error) if isinstance(error, SnowetlError) else f"{type(error).__name__}: {error}"
        self._tell(FAILED, reason=redact(reason)[:_LONGEST_REASON])

    def begun(self, entry: Entry) -> None:
        """The run is chosen and its work begins."""
        self.entry, self.started = entry, _now()
        self._tell(STARTED)

    def done(self, report: Mapping[str, Any]) -> None:
        line = line_of(report)
        plan = (self.entry.plan() if self.entry is not None and self.settings.notify else None) or {}
        counts = {
            "records": line.records,
            "events": line.events,
            "badRows": line.bad_rows,
            "rows": line.rows,
            "files": plan.get("files"),
            "bytes": plan.get("bytes"),
            "latenessSeconds": line.lateness,
        }
        numbers = {key: float(value) for key, value in counts.items() if isinstance(value, int | float)}
        self._tell(FINISHED, reason="; ".join(report.get("differences") or ()), counts=numbers)

    def _tell(self, event: str, reason: str = "", counts: Mapping[str, float] | None = None) -> None:
        if not self.settings.notify:
            return
        entry = self.entry
        link = "" if entry is None else entry.page_url if event == FINISHED else f"{entry.folder}/"
        notice = Notice(
            event=event,
            pipeline=self.settings.runs_folder.removesuffix("/runs"),
            run="" if entry is None else entry.id,
            at=_now(),
            started=self.started,
            reason=reason,
            link=link,
            counts=counts or {},
            steps=() if entry is None else self._steps(entry),
        )
        tell(self.settings.notify, notice, self.watch)

    def _steps(self, entry: Entry) -> tuple[StepNotice, ...]:
        with suppress(SnowetlError):  # what is told of a run is not worth its failure
            state = StateStore(entry.runs_folder).get(entry.id).state
            if state is not None:
                return tuple(map(_step_of, state.steps))
        return ()


def _step_of(step: StepState) -> StepNotice:
    last = step.last
    state = "done" if step.done else "waits" if last is None or step.running else "failed"
    return StepNotice(
        name=step.name,
        state=state,
        started=None if last is None else last.submitted,
        ended=None if last is None else last.ended,
    )
