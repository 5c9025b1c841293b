"""Steps in this process, or on the Spark that it starts: one pool of workers for all steps of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from snowetl.orchestrator.executors.base import AtOnce, ExecutorKind, ExecutorRequest
from snowetl.orchestrator.planner import PlannedStep
from snowetl.steps.base import Numbered, World
from snowetl.steps.table import STEPS
from snowetl.workers import WorkerPool, open_pool


class LocalExecutor(AtOnce):
    """Does each step while it is submitted."""

    def __init__(self, request: ExecutorRequest, pool: WorkerPool) -> None:
        self._request = request
        self._pool = pool

    def submit(self, step: PlannedStep, token: str) -> str:
        names = [each.name for each in self._request.plan.steps]
        watch = Numbered(self._request.watch, f"{names.index(step.name) + 1}/{len(names)}")
        kind = STEPS[step.verb]
        plan = kind.plan(step.settings, World.of_now())
        watch.say(f"{step.name}: {plan.describe()}")
        kind.execute(plan, self._pool, watch)
        return token


@contextmanager
def open_local(request: ExecutorRequest) -> Iterator[LocalExecutor]:
    """The executor of this process. Spark starts with the first task, not before."""
    settings, size = request.settings, request.plan.inputs.bytes
    todo = [step for step in request.plan.steps if not step.done]
    size_known = size if any(step.name == "enrich" for step in todo) else None
    app = f"snowetl run {request.plan.run}"
    with open_pool(settings.master, settings.workers, app, input_bytes=size_known, say=request.watch.say) as pool:
        yield LocalExecutor(request, pool)


LOCAL = ExecutorKind(open_local, here=True)
