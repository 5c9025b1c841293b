"""One run, from raw logs to tables: it is chosen, planned, and driven step by step until its report is written.

What is going to be done is written down before it is done (the run's input and plan, then each attempt at a step), and
a step is done when its report says so. So a run that was killed at any moment is finished by running it again: by this
machine or another one, with the settings it was begun with.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any

from snowetl.errors import NothingToDo, OutputExists, SnowetlError, TargetError
from snowetl.load.preflight import check_target
from snowetl.orchestrator import after, entries, state, step_choice
from snowetl.orchestrator.account import Account
from snowetl.orchestrator.archive import drive as archive
from snowetl.orchestrator.archive import record as archive_record
from snowetl.orchestrator.choice import choose
from snowetl.orchestrator.claim import claim, ledger_lease
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.executors import kind_of
from snowetl.orchestrator.executors.aws import Unclear
from snowetl.orchestrator.executors.base import ExecutorRequest, JobStatus, StepExecutor
from snowetl.orchestrator.executors.emr_logs import CAUSE
from snowetl.orchestrator.ledger import Ledger
from snowetl.orchestrator.notify.run import Notices
from snowetl.orchestrator.planner import PlannedStep, RunPlan
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.sources import opened
from snowetl.orchestrator.standing import checked_steps, done_run, evidence, plan_of, run_of
from snowetl.orchestrator.state import RunState, StepState
from snowetl.orchestrator.step_names import STEPS, without_work
from snowetl.orchestrator.store import StateStore, Stored
from snowetl.reporting.enrich import EnrichReport
from snowetl.reporting.json_form import to_json
from snowetl.reporting.transform import TransformReport
from snowetl.runs import interrupts
from snowetl.runs.lease import Lease
from snowetl.runs.run import Run
from snowetl.runs.writable import check_writable
from snowetl.steps import bad_share
from snowetl.steps.base import Unwatched, Watch, World
from snowetl.steps.lifecycle import tidy
from snowetl.steps.table import ENRICH
from snowetl.steps.transform_plan import FolderRun
from snowetl.storage import filesystem

_CANCELLING_SECONDS = 60.0
"""How long a job that was told to end is waited for."""


def run(settings: RunSettings, watch: Watch | None = None) -> dict[str, Any]:
    """Do what is left of a run, and return its report (``steps`` holds those of its steps).

    Raises ``UsageError`` (``ConfigError``; ``OutputExists`` where it was begun or done with other settings;
    ``LeaseHeld``), ``NothingToDo``, ``StorageError``, ``RegistryUnavailable``, ``LoadError``, ``TooManyBadRows``: what
    was done until then stays, the rest is done the next time.
    """
    watch = watch or Unwatched()
    started = World.of_now().now
    with Notices(settings, watch) as notices:
        try:
            report = _run(settings, watch, notices)
        except NothingToDo:
            archive.catch_up(settings, watch, started)
            raise
        archive.catch_up(settings, watch, started)
        return _with_archive(report, settings)


def _with_archive(report: dict[str, Any], settings: RunSettings) -> dict[str, Any]:
    """The report of a run with the present state of its archive: what failed at first may have been repaired."""
    archived = archive_record.of(Entry(report["run"], settings.runs_folder)) if "archive" in report else None
    return report if archived is None else {**report, "archive": to_json(archived)}


def _run(settings: RunSettings, watch: Watch, notices: Notices) -> dict[str, Any]:
    archive.check(settings)
    _check_places(settings, watch)
    entries.tidy(settings.runs_folder)
    entry = begun(settings, watch)
    for name, why in without_work((*settings.skip_step, *settings.include)).items():
        watch.say(f"{name}: there is no such step here: {why}")
    report = done_run(entry, settings)
    if report is not None:
        entry.tidy()
        watch.say(f"run={entry.id} is done already: {entry.page_url}")
        return report
    with Lease(entry.lock_url):
        if settings.redo_from is not None:
            _discard(settings, entry, watch)
        report = done_run(entry, settings)  # another process may have finished it since we looked
        if report is None:
            if entry.plan() is None:
                raise OutputExists(f"run={entry.id} was cancelled a moment ago: run again, its files are free now")
            notices.begun(entry)
            report = _Run(settings, entry, watch).finish()
            notices.done(report)
        return report


def begun(settings: RunSettings, watch: Watch) -> Entry:
    """The run that the settings mean. A new one has taken its files."""
    with opened(settings, watch) as given:
        try:
            chosen = choose(settings, World.of_now(), given)
            if done_run(chosen.entry, settings) is not None:
                return chosen.entry
            if settings.redo_from is None:  # which throws away what the check would look at
                checked_steps(settings, chosen.entry)
            check_writable(settings.written_folders)
            if chosen.files is None:
                return chosen.entry
            ENRICH.plan(
                settings.enrich_settings(chosen.entry.id), World.of_now(), chosen.files
            )  # refuses what is not as it should be
            return claim(settings, watch, given)
        except NothingToDo:
            given.recorded()
            raise


def _check_places(settings: RunSettings, watch: Watch) -> None:
    """Whether steps can run where they shall, and load where they shall. Raises ``ConfigError``."""
    step_choice.check(settings)
    kind = kind_of(settings.executor)
    kind.check(settings)
    kind.ready(settings)
    after.check(settings)
    after.check_programs(settings)
    if "load" not in settings.steps and not settings.after:
        return
    try:
        check_target(settings.target, watch.say)
    except TargetError as error:
        if kind.here or not error.transient:
            raise
        watch.warn(f"from here, {error}. The job may reach it: it runs elsewhere")


def rehearse(settings: RunSettings, watch: Watch) -> None:
    """Let an executor show what it would send; ``watch.planned`` hears it. No file is taken, nothing is written."""
    kind = kind_of(settings.executor)
    kind.check(settings)
    chosen = choose(settings, World.of_now())
    planned = plan_of(settings, chosen.entry, chosen)
    request = ExecutorRequest(settings=settings, plan=planned, watch=watch, notes={}, folder=chosen.entry.folder)
    with kind.open(request) as executor:
        for step in planned.for_executor:
            if not step.done:
                executor.submit(step, state.token(planned.run, step.name, 1))


def plan(settings: RunSettings) -> RunPlan:
    """What :func:`run` would do; nothing is written. Raises what it would raise before it writes."""
    chosen = choose(settings, World.of_now())
    return plan_of(settings, chosen.entry, chosen)


def dry_run(settings: RunSettings, watch: Watch) -> None:
    """Check what :func:`run` would meet before it writes; ``watch.planned`` hears the plan of the enrich step."""
    if "load" in settings.steps:
        check_target(settings.target, watch.say)
    chosen = choose(settings, World.of_now())
    planned = ENRICH.plan(settings.enrich_settings(chosen.entry.id), World.of_now(), chosen.files)
    if planned.done is None:
        ENRICH.dry_run(planned, watch)
    else:
        watch.planned(planned)


def _discard(settings: RunSettings, entry: Entry, watch: Watch) -> None:
    """Throw away what the steps from ``redo_from`` on have left. Raises :class:`OutputExists` where it is loaded."""
    about = settings.about()
    transformed = FolderRun(f"run={entry.id}", (about["transformedFolder"],))
    report = f"{transformed.folder}/_load_report.json"
    if "load" in settings.steps and (entry.is_done() or filesystem(report).exists(report)):
        raise OutputExists(
            f"run={entry.id} is loaded already, and redoing it would leave its old rows in the warehouse. "
            "Delete them there (all tables, by the event ids of the run, and the run in the manifest) and "
            f"{transformed.folder} and {entry.folder}, and give --run-id {entry.id} again; or run it into another "
            "--output-folder with another --schema"
        )
    _check_jobs(entry)
    with ledger_lease(settings):
        Ledger.of(settings.runs_folder).leave_out(entry.id)
    entry.forget()  # first: a report that says more than there is would be the end of the run
    runs: list[tuple[str, Run]] = [("enrich", Run(entry.id, settings.enriched_outputs())), ("transform", transformed)]
    if settings.wants_failed_events:
        runs.append(("transform", FolderRun(f"run={entry.id}", (about["transformedFailedFolder"],))))
    for name, step_run in runs:
        if STEPS.index(name) >= STEPS.index(settings.redo_from or "load"):
            watch.say(f"{name}: redone; {step_run.folders[0]} is deleted")
            step_run.wipe()
    entry.begin(settings, entry.inputs())


def _check_jobs(entry: Entry) -> None:
    """Raises :class:`OutputExists` where a job elsewhere may be at work on the run."""
    known = StateStore(entry.runs_folder).get(entry.id).state
    if known is None or known.executor == "local":
        return
    jobs = [step.last.job for step in known.steps if step.running and step.last is not None and step.last.job]
    if jobs:
        raise OutputExists(
            f"run={entry.id}: job {jobs[0]} may be at work on it. `snowetl resume {entry.id}` hears how it ends, "
            f"`snowetl cancel {entry.id}` stops it"
        )


def _running(current: RunState | None) -> list[StepState]:
    """The steps whose job may be at work."""
    return [] if current is None else [step for step in current.steps if step.running and not step.done]


@dataclass(slots=True)
class _Run:
    """A run in the making."""

    settings: RunSettings
    entry: Entry
    watch: Watch
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    sleep: Callable[[float], None] = time.sleep

    def finish(self) -> dict[str, Any]:
        """Do all steps that are not done, and leave the report."""
        settings, entry = self.settings, self.entry
        started = self.now()
        planned = plan_of(settings, entry)
        for step in planned.steps:
            if step.done:
                self.watch.say(f"{step.name}: done already, {step.outputs[0]}")
                if step.verb in ("enrich", "transform"):  # the others leave nothing half done
                    tidy(run_of(step.name, settings, entry.id))
                self._judge(step.name)
        store = StateStore(settings.runs_folder)
        stored = store.get(entry.id)
        stored = store.put(state.take_up(planned, stored.state), stored)
        assert stored.state is not None
        request = ExecutorRequest(
            settings=settings, plan=planned, watch=self.watch, notes=stored.state.notes or {}, folder=entry.folder
        )
        with kind_of(settings.executor).open(request) as executor:
            stored = self._drive_with(executor, planned, settings.steps, store, stored)
        # the executor is closed: no cluster is kept for what follows the load
        self._drive_with(after.AfterExecutor(request, entry), planned, settings.after, store, stored)
        archived = None if settings.archive is None else archive.archive(entry, settings.archive, self.watch)
        return Account(settings, entry).close(started, self.now(), archived)

    def _drive_with(
        self, executor: StepExecutor, planned: RunPlan, names: Collection[str], store: StateStore, stored: Stored
    ) -> Stored:
        """Let an executor do its steps, ``names``; of what stops it, nothing is left that nobody would end."""
        try:
            return self._drive(planned, names, store, stored, executor)
        except KeyboardInterrupt:
            self._interrupted(planned, store, executor)
            raise
        except (OutputExists, Unclear):  # another process drives the run now, or nobody knows what was begun
            executor.detach()
            raise
        except Exception:
            self._leave(planned, store, executor)
            raise

    # --- the end, before its time -------------------------------------------------------------------------------------

    def _interrupted(self, planned: RunPlan, store: StateStore, executor: StepExecutor) -> None:
        """Cancel the jobs that run. Interrupted again, leave them: the run can be taken up from anywhere."""
        stored = store.get(planned.run)
        try:
            with interrupts.again():
                for step in _running(stored.state):
                    job = step.last.job if step.last is not None else None
                    if job is None:
                        continue
                    self.watch.warn(
                        f"{step.name}: its job {job} is being cancelled. Interrupt again to leave it running"
                    )
                    executor.cancel(job)
                    self._wait_for_end(job, executor)
                    assert stored.state is not None
                    ended = state.ended(stored.state, step.name, self.now(), state.CANCELLED, reason="interrupted")
                    stored = store.put(ended, stored)
        except KeyboardInterrupt:
            self._leave(planned, store, executor)

    def _wait_for_end(self, job: str, executor: StepExecutor) -> None:
        give_up = self.now() + _CANCELLING_SECONDS * 1000
        while self.now() < give_up and executor.poll([job])[0].state == state.RUNNING:
            self.sleep(min(self.settings.emr_poll, 5.0))

    def _leave(self, planned: RunPlan, store: StateStore, executor: StepExecutor) -> None:
        """Let jobs that run go on without us, and say how they are found again."""
        with suppress(SnowetlError):
            for step in _running(store.get(planned.run).state):
                executor.detach()
                if step.last is not None and step.last.job:
                    resume = f"snowetl resume -o {self.settings.output_folder} {planned.run}"
                    self.watch.warn(
                        f"{step.name}: its job {step.last.job} runs on. `{resume}` continues it, `snowetl cancel` "
                        "stops it"
                    )

    def _judge(self, name: str) -> None:
        """Whether a run that is done so far has too many bad rows to go on. Raises ``TooManyBadRows``."""
        report = evidence(name, self.settings, self.entry.id)
        if isinstance(report, EnrichReport | TransformReport):
            bad_share.judge(report, self.settings.max_bad, self.watch)

    # --- steps --------------------------------------------------------------------------------------------------------

    def _drive(
        self, planned: RunPlan, names: Collection[str], store: StateStore, stored: Stored, executor: StepExecutor
    ) -> Stored:
        """Do the steps ``names``. Raises ``SnowetlError`` where one of them is not done in the end."""
        current = stored.state
        assert current is not None
        while True:
            running = [step for step in current.steps if step.running and not step.done and step.name in names]
            for step in running:
                current, stored = self._hear(planned.step(step.name), current, store, stored, executor)
            todo = [step for step in state.next_steps(planned, current, self.now()) if step.name in names]
            if not todo and not any(step.running and not step.done for step in current.steps if step.name in names):
                break
            for each in todo:
                self._before(each)
                self._pause(current, each.name)
                current, attempt = state.begin(current, each.name, self.now())
                stored = store.put(current, stored)
                with nullcontext() if executor.here else interrupts.deferred():
                    job = self._submit(each, attempt.token, current, store, stored, executor)
                    current = replace(state.submitted(current, each.name, job), notes=executor.notes())
                    stored = store.put(current, stored)
            if not todo and not executor.here:
                self.sleep(self.settings.emr_poll * random.uniform(0.67, 1.33))
        failed = next((step for step in current.steps if not step.done and step.name in names), None)
        if failed is not None:
            last = failed.last
            why = "it was not begun" if last is None else f"{last.outcome}: {last.reason or 'no reason is given'}"
            raise SnowetlError(f"run={planned.run}: {failed.name} is not done: {why}")
        return stored

    def _pause(self, current: RunState, name: str) -> None:
        """Before a step is tried again that did not get its machines: longer each time."""
        last = current.step(name).last
        if last is not None and last.again:
            self.sleep(self.settings.emr_poll * last.number * random.uniform(1.0, 3.0))

    def _before(self, step: PlannedStep) -> None:
        """What must hold before a step begins."""
        if step.verb == "load":
            Account(self.settings, self.entry).check_counts()

    def _submit(
        self,
        step: PlannedStep,
        token: str,
        current: RunState,
        store: StateStore,
        stored: Stored,
        executor: StepExecutor,
    ) -> str:
        try:
            return executor.submit(step, token)
        except Unclear:
            raise  # the attempt stays as it is: sent again with its token, it is found or begun
        except BaseException as error:
            outcome = state.CANCELLED if isinstance(error, KeyboardInterrupt) else state.FAILED
            with suppress(SnowetlError):  # what stopped the step says more than what stops the note of it
                store.put(state.ended(current, step.name, self.now(), outcome, reason=str(error)[:2000]), stored)
            raise

    def _hear(
        self, step: PlannedStep, current: RunState, store: StateStore, stored: Stored, executor: StepExecutor
    ) -> tuple[RunState, Stored]:
        """Ask how a step's job is. Whether the step is done, its report says."""
        last = current.step(step.name).last
        assert last is not None
        if last.job is None:  # killed between the note and the submission: the token starts it once, however often sent
            self._before(step)
            job = self._submit(step, last.token, current, store, stored, executor)
            current = replace(state.submitted(current, step.name, job), notes=executor.notes())
            return current, store.put(current, stored)
        [status] = executor.poll([last.job])
        if status.state == state.RUNNING:
            return current, stored
        if evidence(step.name, self.settings, self.entry.id) is not None:
            current = state.ended(current, step.name, self.now(), state.DONE, log=status.log, usage=status.usage)
            stored = store.put(current, stored)
            self._judge(step.name)
            return current, stored
        current = self._failed(step, current, status, executor)
        return current, store.put(current, stored)

    def _failed(self, step: PlannedStep, current: RunState, status: JobStatus, executor: StepExecutor) -> RunState:
        outcome = state.FAILED if status.state == state.DONE else status.state
        reason = status.reason or (
            "its job ended, but left no report" if status.state == state.DONE else "no reason is given"
        )
        tail = executor.log_tail(status.job)
        if tail.startswith(CAUSE):
            reason += f"; {tail.partition(chr(10))[0]}"
        self.watch.warn(f"{step.name}: {outcome}: {reason}" + (f"\n{tail}" if tail else ""))
        more = {"reason": reason, "log": status.log, "again": status.again, "usage": status.usage}
        return state.ended(current, step.name, self.now(), outcome, **more)
