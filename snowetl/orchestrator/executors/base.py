"""The contract of what runs steps: here, on a cluster, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from snowetl.orchestrator.planner import PlannedStep, RunPlan
from snowetl.orchestrator.prices import Usage
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.state import DONE, RUNNING
from snowetl.steps.base import Watch


class JobStatus(NamedTuple):
    """What is known of a job. ``state`` is an outcome of :mod:`snowetl.orchestrator.state`.

    ``again`` says that it failed before the step began (no machines, no capacity, refused requests): only then is the
    step tried again by itself.
    """

    job: str
    state: str = RUNNING
    reason: str = ""
    log: str = ""
    again: bool = False
    usage: Usage | None = None
    """What is billed for the job, where the service tells it."""


class StepExecutor(Protocol):
    """Runs the steps of one run. Entered once a run; leaving it ends whatever nobody would end otherwise.

    ``submit`` raises :class:`~snowetl.orchestrator.executors.aws.Unclear` where it is not known whether a job began.
    """

    here: bool
    """Whether a step is done in this process while it is submitted: it may be interrupted then."""

    def submit(self, step: PlannedStep, token: str) -> str:
        """Start a step, and return the id of its job; the same token starts it once, however often it is sent.

        An executor that works in this process returns when the step is done, and raises what stopped it.
        """

    def find(self, step: PlannedStep, token: str) -> str | None:
        """The job that was started with a token, even if its id was never noted; ``None`` if there is no such job."""

    def poll(self, jobs: Sequence[str]) -> list[JobStatus]:
        """How the jobs are, asked for with one request where that can be."""

    def cancel(self, job: str) -> None:
        """Have a job stopped; fine for one that has ended."""

    def log_tail(self, job: str) -> str:
        """The last lines of the log of a job that failed, as far as they can be had."""

    def detach(self) -> None:
        """Leave jobs, and where they run, as they are when the executor is left: another process will go on."""

    def notes(self) -> dict[str, str]:
        """What has to be kept with the run, so that another process finds its cluster."""


class AtOnce:
    """The base of executors whose submission returns when the step is over: there is no job to poll."""

    here = True

    def find(self, step: PlannedStep, token: str) -> str | None:
        return None

    def poll(self, jobs: Sequence[str]) -> list[JobStatus]:
        return [JobStatus(job, DONE) for job in jobs]

    def cancel(self, job: str) -> None:
        """There is nothing to stop."""

    def log_tail(self, job: str) -> str:
        return ""

    def detach(self) -> None:
        """There is nothing to leave."""

    def notes(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorRequest:
    """What an executor is opened for. ``notes`` are those that it kept with the run before."""

    settings: RunSettings
    plan: RunPlan
    watch: Watch
    notes: dict[str, str]
    folder: str
    """The run's own folder, where files for its jobs may be put."""
    looks: bool = False
    """Whether it is only looked at: nothing is started or ended."""


Opener = Callable[[ExecutorRequest], AbstractContextManager[StepExecutor]]


def _nothing(settings: RunSettings) -> None:
    """There is nothing to check."""


def _here(settings: RunSettings) -> str:
    return "the steps run on this machine, or on the Spark that --master names"


@dataclass(frozen=True, slots=True)
class ExecutorKind:
    """One way to run steps.

    ``check`` raises ``ConfigError`` with all that is wrong with the settings, and asks nobody; ``ready`` does so for
    what a run needs elsewhere, before it takes a file; ``examine`` is for ``snowetl doctor``: it tries all that can be
    tried, and tells what it found.
    """

    open: Opener
    check: Callable[[RunSettings], None] = _nothing
    ready: Callable[[RunSettings], None] = _nothing
    examine: Callable[[RunSettings], str] = _here
    here: bool = False
    """Whether the steps reach services from this machine, so that what cannot be reached from here is a fault."""
    rehearses: bool = False
    """Whether steps are only shown: no file is taken, nothing is written."""
