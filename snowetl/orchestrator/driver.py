"""One run, from raw logs to tables: it is chosen, planned, and driven step by step until its report is written.

What is going to be done is written down before it is done (the run's input and plan, then each attempt at a step), and
a step is done when its report says so. So a run that was killed at any moment is finished by running it again: by this
machine or another one, with the settings it was begun with.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any

from snowetl.errors import LeaseHeld, OutputExists, SnowetlError, TargetError
from snowetl.jvm import timestamps
from snowetl.load import bad_rows
from snowetl.load.preflight import check_target
from snowetl.load.report import LoadReport, TableLoad, kept
from snowetl.orchestrator import counts, entries, run_folders, state
from snowetl.orchestrator.choice import Choice, choose
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.executors import kind_of
from snowetl.orchestrator.executors.aws import Unclear
from snowetl.orchestrator.executors.base import ExecutorRequest, JobStatus, StepExecutor
from snowetl.orchestrator.executors.emr_logs import CAUSE
from snowetl.orchestrator.ledger import Ledger
from snowetl.orchestrator.notify.run import Notices
from snowetl.orchestrator.planner import DONE, NEW, WAITS, KnownRun, PlannedStep, RunPlan, RunRequest, plan_run
from snowetl.orchestrator.settings import LOAD_FAILED, STEPS, TRANSFORM_FAILED, RunSettings
from snowetl.orchestrator.state import RunState, StepState
from snowetl.orchestrator.store import StateStore, Stored
from snowetl.reporting.enrich import EnrichReport
from snowetl.reporting.parts import StepReport
from snowetl.reporting.transform import TransformReport
from snowetl.runs import interrupts
from snowetl.runs.input_list import Amount
from snowetl.runs.lease import Lease, holder_of
from snowetl.runs.run import Run
from snowetl.runs.writable import check_writable
from snowetl.settings import Fingerprint
from snowetl.settings.words import count, size
from snowetl.steps import bad_share
from snowetl.steps.base import Unwatched, Watch, World
from snowetl.steps.lifecycle import done_report, tidy
from snowetl.steps.table import ENRICH
from snowetl.steps.transform_plan import FolderRun
from snowetl.storage import filesystem
from snowetl.version import __version__

FORMAT = "snowetl-run-report/1"
LEASE = "_lease.json"
_LOOKED_AT = 3
"""So many runs are looked at for estimates, and for what has changed since."""
_CLAIM_SECONDS = 120.0
"""How long another process is waited for that takes files."""
_CANCELLING_SECONDS = 60.0
"""How long a job that was told to end is waited for."""


def run(settings: RunSettings, watch: Watch | None = None) -> dict[str, Any]:
    """Do what is left of a run, and return its report (``steps`` holds those of its steps).

    Raises ``UsageError`` (``ConfigError``; ``OutputExists`` where it was begun or done with other settings;
    ``LeaseHeld``), ``NothingToDo``, ``StorageError``, ``RegistryUnavailable``, ``LoadError``, ``TooManyBadRows``: what
    was done until then stays, the rest is done the next time.
    """
    watch = watch or Unwatched()
    with Notices(settings, watch) as notices:
        return _run(settings, watch, notices)


def _run(settings: RunSettings, watch: Watch, notices: Notices) -> dict[str, Any]:
    _check_places(settings, watch)
    entries.tidy(settings.runs_folder)
    chosen = choose(settings, World.of_now())
    entry = chosen.entry
    report = _done(entry, settings)
    if report is not None:
        entry.tidy()
        watch.say(f"run={entry.id} is done already: {entry.page_url}")
        return report
    check_writable(settings.written_folders)
    if chosen.files is not None:
        ENRICH.plan(
            settings.enrich_settings(entry.id), World.of_now(), chosen.files
        )  # refuses what is not as it should be
        entry = _claim(settings, watch)
    with Lease(entry.lock_url):
        if settings.redo_from is not None:
            _discard(settings, entry, watch)
        report = _done(entry, settings)  # another process may have finished it since we looked
        if report is None:
            if entry.plan() is None:
                raise OutputExists(f"run={entry.id} was cancelled a moment ago: run again, for its files are free now")
            notices.begun(entry)
            report = _Run(settings, entry, watch).finish()
            notices.done(report)
        return report


def _check_places(settings: RunSettings, watch: Watch) -> None:
    """Whether steps can run where they shall, and load where they shall. Raises ``ConfigError``."""
    kind = kind_of(settings.executor)
    kind.check(settings)
    if "load" not in settings.steps:
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
        for step in planned.steps:
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


def _claim(settings: RunSettings, watch: Watch) -> Entry:
    """Take the files that are new for a run, while nobody else takes any."""
    with _ledger_lease(settings):
        chosen = choose(settings, World.of_now())  # another process may have taken them since we looked
        if chosen.files is not None:
            _tell(chosen, watch)
            Ledger.of(settings.runs_folder).leave_out(chosen.entry.id)
            chosen.entry.begin(settings, chosen.files)
            Ledger.of(settings.runs_folder).merge()
        return chosen.entry


@contextmanager
def _ledger_lease(settings: RunSettings) -> Iterator[None]:
    """Held inside ``with``. Another pipeline of the same output folder holds it while it lists its input: waited for.

    Raises :class:`LeaseHeld` where that takes too long.
    """
    with ExitStack() as stack:
        give_up = time.monotonic() + _CLAIM_SECONDS
        while True:
            try:
                stack.enter_context(Lease(f"{settings.runs_folder}/{LEASE}", "the ledger of this output folder"))
                break
            except LeaseHeld:
                if time.monotonic() > give_up:
                    raise
                time.sleep(random.uniform(0.5, 1.5))
        yield


def _tell(chosen: Choice, watch: Watch) -> None:
    for entry in chosen.others:
        if holder_of(entry.lock_url) is None:
            watch.warn(
                f"run={entry.id} took files of another input, or wrote to other folders, and is not done: "
                f"`snowetl resume {entry.id}` finishes it, `snowetl cancel {entry.id}` gives its files back"
            )
    found = chosen.found
    if found is None:
        return
    if found.taken:
        watch.say(f"{count(found.taken.files, 'file')} of the input taken by earlier runs")
    if found.late:
        watch.say(f"late: {count(found.late.files, 'file')}, such as {found.late.names[0]}")
    if found.replaced:
        watch.warn(
            f"{count(found.replaced.files, 'file')} changed since a run took them, such as {found.replaced.names[0]}: "
            "left alone, for their events would come twice (--settle waits for writers, --all-files takes them again)"
        )
    if found.vanished:
        watch.say(
            f"gone since a run took them: {count(found.vanished.files, 'file')}, such as {found.vanished.names[0]}"
        )
    for some, why in (
        (found.too_young, "too young"),
        (found.too_old, "too old"),
        (found.too_many, "left for the next"),
    ):
        if some:
            watch.say(f"{count(some.files, 'file')} ({size(some.bytes)}) {why}")


def _done(entry: Entry, settings: RunSettings) -> dict[str, Any] | None:
    """The report of a run that is done; ``None`` where it waits, or the load has something left to do."""
    report = entry.report() if settings.redo_from is None else None
    return None if report is None or ("load" in settings.steps and _is_load_left(report, settings)) else report


def _is_load_left(report: dict[str, Any], settings: RunSettings) -> bool:
    """Whether a run that is done was loaded into another warehouse than this, or without its bad rows."""
    target = settings.target
    if report.get("target") not in (None, str(target)):
        return True
    if not (settings.load_bad_rows and target.capabilities.bad_rows_table):
        return False
    enriched, transformed, *others = report["steps"]
    loads = [step for step in others if step["step"] == "load"]
    bad = counts.bad_rows(enriched) + counts.bad_rows(transformed)
    return bad > 0 and not any(
        table["table"].endswith(f".{bad_rows.TABLE}") for load in loads for table in load["tables"]
    )


def _discard(settings: RunSettings, entry: Entry, watch: Watch) -> None:
    """Throw away what the steps from ``redo_from`` on have left. Raises :class:`OutputExists` where it is loaded."""
    about = settings.about()
    transformed = FolderRun(f"run={entry.id}", (about["transformedFolder"],))
    report = f"{transformed.folder}/_load_report.json"
    if "load" in settings.steps and (entry.is_done() or filesystem(report).exists(report)):
        raise OutputExists(
            f"run={entry.id} is loaded already, and redoing it would leave its old rows in the warehouse. "
            "Delete them there (all tables, by the event ids of the run, and the run in the manifest) and "
            f"{transformed.folder} and {entry.folder}, or run it into another --output-folder with another --schema"
        )
    _check_jobs(entry)
    with _ledger_lease(settings):
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


def plan_of(settings: RunSettings, entry: Entry, chosen: Choice | None = None) -> RunPlan:
    """The plan of a run as it stands: what of it is done, what is left."""
    if chosen is not None and chosen.files is not None:
        inputs, state_of = Amount(len(chosen.files), sum(file.size for file in chosen.files)), NEW
    else:
        inputs = entries.amount_of(entry.plan() or {})
        state_of = DONE if _done(entry, settings) is not None else WAITS
    written = [
        name for name in settings.steps if not name.startswith("load")
    ]  # what is loaded, the warehouse alone knows
    done = frozenset(name for name in written if _evidence(name, settings, entry.id) is not None)
    request = RunRequest(settings=settings, run=entry.id, state=state_of, done=done)
    input_list = entry.inputs_url if entry.has_inputs() or (chosen is not None and chosen.files is not None) else None
    return plan_run(request, inputs, None if chosen is None else chosen.found, _known(settings), input_list)


def _known(settings: RunSettings) -> list[KnownRun]:
    """The last runs, for estimates and for what has changed since."""
    latest = run_folders.latest(settings.runs_folder, _LOOKED_AT, entries.REPORT)
    return [_known_run(Entry(id_, settings.runs_folder)) for id_ in latest]


def _known_run(entry: Entry) -> KnownRun:
    begun, report = entry.plan() or {}, entry.report() or {}
    return KnownRun(
        run=entry.id,
        bytes=entries.amount_of(begun).bytes,
        seconds={step["step"]: float(step.get("seconds", 0)) for step in report.get("steps", ())},
        fingerprint=Fingerprint.from_json(begun["fingerprint"]) if begun.get("fingerprint") else None,
    )


def _evidence(name: str, settings: RunSettings, id_: str) -> StepReport | LoadReport | None:
    """The report of a step that is done with these settings; ``None`` while it is not."""
    own, outputs = settings.step(name, id_)
    run_ = _run_of(name, settings, id_)
    if name == "enrich":
        return done_report(run_, EnrichReport, own.fingerprint())
    if isinstance(run_, FolderRun) and name in ("transform", TRANSFORM_FAILED):
        return _transformed(run_) if run_.is_complete() else None
    report = kept(run_.folders[0])
    return report if report is not None and report.target == outputs[0] else None


def _running(current: RunState | None) -> list[StepState]:
    """The steps whose job may be at work."""
    return [] if current is None else [step for step in current.steps if step.running and not step.done]


def _run_of(name: str, settings: RunSettings, id_: str) -> Run:
    """The folders in which a step leaves its report."""
    if name == "enrich":
        return Run(id_, settings.enriched_outputs())
    folder = settings.transformed(id_, failed=name in (TRANSFORM_FAILED, LOAD_FAILED)).rpartition("/")[0]
    return FolderRun(f"run={id_}", (folder,))


def _transformed(run_: FolderRun) -> TransformReport:
    from snowetl.steps.table import TRANSFORM

    [report] = TRANSFORM.reports([run_])
    return report


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
                if step.verb != "load":  # which leaves nothing half done
                    tidy(_run_of(step.name, settings, entry.id))
                self._judge(step.name)
        store = StateStore(settings.runs_folder)
        stored = store.get(entry.id)
        stored = store.put(state.take_up(planned, stored.state), stored)
        assert stored.state is not None
        request = ExecutorRequest(
            settings=settings, plan=planned, watch=self.watch, notes=stored.state.notes or {}, folder=entry.folder
        )
        with kind_of(settings.executor).open(request) as executor:
            try:
                self._drive(planned, store, stored, executor)
            except KeyboardInterrupt:
                self._interrupted(planned, store, executor)
                raise
            except (OutputExists, Unclear):  # another process drives the run now, or nobody knows what was begun
                executor.detach()
                raise
            except Exception:
                self._leave(planned, store, executor)
                raise
        return self._report(started)

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
                        f"{step.name}: its job {step.last.job} runs on. `{resume}` goes on with it, `snowetl cancel` "
                        "stops it"
                    )

    def _judge(self, name: str) -> None:
        """Whether a run that is done so far has too many bad rows to go on. Raises ``TooManyBadRows``."""
        report = _evidence(name, self.settings, self.entry.id)
        if isinstance(report, EnrichReport | TransformReport):
            bad_share.judge(report, self.settings.max_bad, self.watch)

    # --- steps --------------------------------------------------------------------------------------------------------

    def _drive(self, planned: RunPlan, store: StateStore, stored: Stored, executor: StepExecutor) -> None:
        current = stored.state
        assert current is not None
        while True:
            running = [step for step in current.steps if step.running and not step.done]
            for step in running:
                current, stored = self._hear(planned.step(step.name), current, store, stored, executor)
            todo = state.next_steps(planned, current, self.now())
            if not todo and not any(step.running and not step.done for step in current.steps):
                break
            for each in todo:
                self._before(each)
                self._pause(current, each.name)
                current, attempt = state.begin(current, each.name, self.now())
                stored = store.put(current, stored)
                with nullcontext() if kind_of(self.settings.executor).here else interrupts.deferred():
                    job = self._submit(each, attempt.token, current, store, stored, executor)
                    current = replace(state.submitted(current, each.name, job), notes=executor.notes())
                    stored = store.put(current, stored)
            if not todo:
                self.sleep(self.settings.emr_poll * random.uniform(0.67, 1.33))
        failed = next((step for step in current.steps if not step.done), None)
        if failed is not None:
            last = failed.last
            why = "it was not begun" if last is None else f"{last.outcome}: {last.reason or 'no reason is given'}"
            raise SnowetlError(f"run={planned.run}: {failed.name} is not done: {why}")

    def _pause(self, current: RunState, name: str) -> None:
        """Before a step is tried again that did not get its machines: longer each time."""
        last = current.step(name).last
        if last is not None and last.again:
            self.sleep(self.settings.emr_poll * last.number * random.uniform(1.0, 3.0))

    def _before(self, step: PlannedStep) -> None:
        """What must hold before a step begins."""
        if step.verb == "load":
            self._check_counts()

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
        if _evidence(step.name, self.settings, self.entry.id) is not None:
            current = state.ended(current, step.name, self.now(), state.DONE, log=status.log)
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
        return state.ended(current, step.name, self.now(), outcome, reason=reason, log=status.log, again=status.again)

    # --- counts and report --------------------------------------------------------------------------------------------

    def _reports(self) -> list[StepReport | LoadReport | None]:
        return [_evidence(name, self.settings, self.entry.id) for name in self.settings.steps]

    def _check_counts(self) -> None:
        """Of good events and, if they are wanted, of failed ones, as far as they are transformed."""
        done = dict(zip(self.settings.steps, self._reports(), strict=True))
        enriched = done["enrich"]
        for name, compare in (("transform", counts.before_load), (TRANSFORM_FAILED, counts.failed_before_load)):
            transformed = done.get(name)
            if enriched is None or transformed is None:
                continue
            differences = compare(enriched.to_json(), transformed.to_json())
            if differences:
                folder = self.settings.transformed(self.entry.id, failed=name == TRANSFORM_FAILED)
                raise SnowetlError(
                    f"run={self.entry.id}: the counts do not add up ({'; '.join(differences)}): somebody has changed "
                    f"its files. Delete {self.settings.about()['enrichedFolder']}/run={self.entry.id} and {folder}, "
                    "and run again"
                )

    def _report(self, started: int) -> dict[str, Any]:
        settings, entry = self.settings, self.entry
        steps = [report.to_json() for report in self._reports() if report is not None]
        differences: list[str] = []
        if "load" in settings.steps:
            differences = self._check_load(steps)
        else:
            self._check_counts()
        finished = self.now()
        report = {
            "format": FORMAT,
            "run": entry.id,
            "snowetl": __version__,
            "started": timestamps.to_iso(started),
            "finished": timestamps.to_iso(finished),
            "seconds": (finished - started) / 1000,
            "settings": settings.about(),
            "fingerprint": settings.fingerprint().to_json(),
            "target": str(settings.target) if "load" in settings.steps else None,
            "runIdentity": steps[1].get("runIdentity"),
            "counts": [[line.name, line.number, line.level] for line in counts.table_of(steps)],
            "differences": differences,
            "steps": steps,
        }
        entry.finish(report)
        return report

    def _check_load(self, steps: list[dict[str, Any]]) -> list[str]:
        """Where the warehouse holds other numbers than were transformed; a load that found its rows is filled in."""
        enriched, *rest = steps
        differences: list[str] = []
        for place in range(0, len(rest), 2):  # good events, then failed ones
            transformed, loaded = rest[place : place + 2]
            bad = self._bad_to_load(transformed) + (self._bad_to_load(enriched) if place == 0 else 0)
            loaded = steps[place + 2] = self._filled_in(loaded, transformed, bad)
            limit = self.settings.target.capabilities.max_identifier
            differences += counts.after_load(transformed, loaded, limit, bad)
        return differences

    def _bad_to_load(self, report: dict[str, Any]) -> int:
        wanted = self.settings.load_bad_rows and self.settings.target.capabilities.bad_rows_table
        return counts.bad_rows(report) if wanted else 0

    def _filled_in(self, loaded: dict[str, Any], transformed: dict[str, Any], bad: int) -> dict[str, Any]:
        """The report of a load, with its rows where the warehouse had them already."""
        if loaded["outcome"] != "already loaded":
            return loaded
        limit = self.settings.target.capabilities.max_identifier
        rows = counts.rows_by_table(transformed, limit) | ({"bad_rows": bad} if bad else {})
        report = LoadReport.from_json(loaded)
        report.tables = [TableLoad(f"{self.settings.schema}.{table}", number) for table, number in rows.items()]
        return report.to_json()
