"""How far a run is: its steps, and every attempt at each. Pure: a state and what was heard in, the next state out.

A step is done when its report says so, whatever became of the job that did it; the state tells what was tried, where it
runs, and whether it may be tried again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from snowetl.orchestrator.planner import PlannedStep, RunPlan
from snowetl.orchestrator.prices import Usage
from snowetl.reporting.json_form import from_json, to_json

FORMAT = "snowetl-run-state/1"
RUNNING, DONE, FAILED, CANCELLED, LOST = "running", "done", "failed", "cancelled", "lost"
"""Outcomes of an attempt. ``lost``: nobody knows of its job any more."""
MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a step. ``token`` names it at whoever runs it: asked twice, it is done once. Times are epoch ms."""

    number: int
    token: str
    submitted: int
    job: str | None = None
    ended: int | None = None
    outcome: str = RUNNING
    reason: str = ""
    log: str = ""
    """Where the job's log is."""
    again: bool = False
    """Whether it failed before the step had begun (no machine, no capacity): then it is tried again."""
    usage: Usage | None = None
    """What is billed for its job, where the service tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    name: str
    attempts: tuple[Attempt, ...] = ()
    done: bool = False

    @property
    def last(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def usage(self) -> Usage | None:
        """What is billed for all attempts, where that is known of any."""
        known = [attempt.usage for attempt in self.attempts if attempt.usage is not None]
        return sum(known, Usage()) if known else None

    @property
    def running(self) -> bool:
        return self.last is not None and self.last.outcome == RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """``notes`` is what the executor keeps with the run (the id of its cluster); ``tries`` counts from 1 how often the
    run was taken up: attempts of earlier ones do not count against a step.
    """

    run: str
    executor: str
    steps: tuple[StepState, ...] = ()
    tries: int = 0
    first_attempts: tuple[int, ...] = ()
    """For each step, how many attempts there were when the run was taken up the last time."""
    cancelled: bool = False
    notes: dict[str, str] | None = None

    def step(self, name: str) -> StepState:
        return next(step for step in self.steps if step.name == name)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **to_json(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> RunState:
        """Raises ``ValueError`` for a state that this release cannot read."""
        if document.get("format") != FORMAT:
            raise ValueError(f"its format is {document.get('format')!r}, not '{FORMAT}'")
        return from_json(cls, dict(document))


def take_up(plan: RunPlan, state: RunState | None) -> RunState:
    """The state of a run that is begun or continued."""
    known = {step.name: step for step in state.steps} if state is not None else {}
    steps = tuple(replace(known.get(step.name, StepState(name=step.name)), done=step.done) for step in plan.steps)
    return RunState(
        run=plan.run,
        executor=plan.executor,
        steps=steps,
        tries=1 if state is None else state.tries + 1,
        first_attempts=tuple(len(step.attempts) for step in steps),
        notes=None if state is None or state.executor != plan.executor else state.notes,
    )


def next_steps(plan: RunPlan, state: RunState, now: int) -> list[PlannedStep]:
    """The steps to submit now: the first one that is not done, unless it is being done or may not be tried again."""
    if state.cancelled:
        return []
    for index, (planned, step) in enumerate(zip(plan.steps, state.steps, strict=True)):
        if step.done:
            continue
        tried = step.attempts[state.first_attempts[index] :]
        if step.running or (tried and not (tried[-1].again and len(tried) < MAX_ATTEMPTS)):
            return []
        return [planned]
    return []


def begin(state: RunState, name: str, now: int) -> tuple[RunState, Attempt]:
    """The state with one more attempt at a step, to be kept before the step is submitted, and that attempt."""
    number = len(state.step(name).attempts) + 1
    attempt = Attempt(number=number, token=token(state.run, name, number), submitted=now)
    return _changed(state, name, (*state.step(name).attempts, attempt)), attempt


def token(run: str, step: str, attempt: int) -> str:
    """The same for the same attempt, whoever asks: a submission that is repeated starts nothing."""
    return hashlib.sha256(f"{run}/{step}/{attempt}".encode()).hexdigest()[:32]


def submitted(state: RunState, name: str, job: str) -> RunState:
    """The state that knows the job of the last attempt."""
    *before, last = state.step(name).attempts
    return _changed(state, name, (*before, replace(last, job=job)))


def ended(state: RunState, name: str, now: int, outcome: str, **more: Any) -> RunState:
    """The state after the last attempt at a step has ended. ``more``: ``reason``, ``log``, ``again``, ``usage``."""
    *before, last = state.step(name).attempts
    attempts = (*before, replace(last, ended=now, outcome=outcome, **more))
    return _changed(state, name, attempts, done=outcome == DONE)


def _changed(state: RunState, name: str, attempts: tuple[Attempt, ...], done: bool = False) -> RunState:
    steps = tuple(
        replace(step, attempts=attempts, done=step.done or done) if step.name == name else step for step in state.steps
    )
    return replace(state, steps=steps)
