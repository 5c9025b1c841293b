"""What is done to a run from outside: continue it, stop it and give its files back, free a lease, read its logs."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from snowetl.errors import LeaseHeld, NothingToDo, OutputExists, UsageError
from snowetl.jvm import jsontext, timestamps
from snowetl.jvm.strings import to_utf8
from snowetl.load.report import ALREADY, LOADED, kept
from snowetl.orchestrator import entries
from snowetl.orchestrator.claim import LEASE
from snowetl.orchestrator.entries import CANCELLED, Entry
from snowetl.orchestrator.executors import kind_of
from snowetl.orchestrator.executors.base import ExecutorRequest, StepExecutor
from snowetl.orchestrator.ledger import Ledger
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.standing import plan_of
from snowetl.orchestrator.state import RUNNING, Attempt, RunState
from snowetl.orchestrator.step_names import AFTER
from snowetl.orchestrator.store import StateStore
from snowetl.runs.lease import Lease, holder_of, living
from snowetl.runs.run import Run, absolute
from snowetl.settings.words import count
from snowetl.steps.base import Watch, World
from snowetl.steps.load import Load
from snowetl.storage import filesystem

_PATIENCE_SECONDS = 600.0
"""How long a job is waited for that was told to end."""


def runs_folder_of(output_folder: str) -> str:
    """Where the runs of an output folder are noted."""
    return absolute(f"{output_folder.rstrip('/')}/runs")


def find(output_folder: str, run: str | None) -> Entry:
    """The run of that name; without one, the latest that waits to be finished.

    Raises ``UsageError`` where there is no such run, ``NothingToDo`` where none waits.
    """
    folder = runs_folder_of(output_folder)
    if run is not None:
        entry = Entry(run.removeprefix("run="), folder)
        if entry.plan() is None:
            known = [each.id for each in islice(entries.entries(folder), 3)]
            others = f": the latest are {', '.join(known)}" if known else f": there is no run in {folder}"
            raise UsageError(f"run={entry.id} is not a run of {output_folder}{others}")
        return entry
    waits = Ledger.of(folder).unfinished()
    if not waits:
        raise NothingToDo(f"no run of {output_folder} waits to be finished")
    return waits[0]


class _WithoutSecrets(dict[str, str]):
    """The environment for a look, which needs no secrets: a variable that is not set has its own name as its value."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, f"${{{name}}}" if default is None else default)


def settings_of(entry: Entry, environment: Mapping[str, str] | None = None, **changed: Any) -> RunSettings:
    """The settings a run was begun with, of which some are ``changed``. Secrets come from the environment.

    Raises ``ConfigError`` that names the variables it lacks.
    """
    plan = entry.plan()
    assert plan is not None
    given = RunSettings.from_mapping(plan["settings"], environment)
    return replace(given, run_id=entry.id, redo_from=None, dry_run=False, **changed)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What became of a run that was stopped: jobs that were told to end, files that went back."""

    jobs: int
    files: int


def cancel(entry: Entry, settings: RunSettings, watch: Watch) -> Cancelled:
    """Stop the jobs of a run, throw away what it wrote when they have ended, and give its files back: the next run
    takes them.

    Raises ``OutputExists`` for a run that is done or loaded, and where a job does not end in time (nothing is thrown
    away then), ``LeaseHeld`` for one that a living process of this
    executor drives (it is stopped by SIGTERM there).
    """
    if entry.is_done():
        raise OutputExists(f"run={entry.id} is done: there is nothing to stop")
    about = settings.about()
    rows = [settings.transformed(entry.id)]
    if _is_loaded(entry, settings, watch):
        raise OutputExists(
            f"run={entry.id} is loaded into {settings.target}: finish it with `snowetl resume {entry.id}`"
        )
    jobs = _stop(entry, settings, watch)
    with Lease(entry.lock_url):
        files = size = 0
        for file in entry.inputs():
            files, size = files + 1, size + file.size
        now = timestamps.to_iso(World.of_now().now)
        note = {"run": entry.id, "at": now, "files": files, "bytes": size, "settings": about}
        url = f"{entry.folder}/{CANCELLED}"
        filesystem(url).put(url, to_utf8(jsontext.dumps(note)) + b"\n")
        Run(entry.id, settings.enriched_outputs()).wipe()
        if settings.wants_failed_events:
            rows.append(settings.transformed(entry.id, failed=True))
        for folder in rows:
            filesystem(folder).delete_tree(folder)
        entry.give_back()
    return Cancelled(jobs, files)


def _is_loaded(entry: Entry, settings: RunSettings, watch: Watch) -> bool:
    """Whether the warehouse holds the run. It is asked where a load was begun: one that was killed leaves no report.

    Raises ``LoadError``, ``ConfigError`` where it gives no answer.
    """
    report = kept(settings.transformed(entry.id))
    if report is not None and report.outcome in (LOADED, ALREADY):
        return True
    known = StateStore(entry.runs_folder).get(entry.id).state
    if known is None or not any(step.name == "load" and step.attempts for step in known.steps):
        return False
    load = Load()
    return bool(load.loaded(load.plan(settings.load_settings(entry.id), World.of_now()), watch))


def _stop(entry: Entry, settings: RunSettings, watch: Watch) -> int:
    """Tell the jobs of a run, and the process that drives it, to end."""
    store = StateStore(entry.runs_folder)
    stored = store.get(entry.id)
    if stored.state is None or stored.state.executor == "local":
        holder = living(entry.lock_url)
        if holder is not None:
            raise LeaseHeld(f"run={entry.id} is being worked on by {holder}: stop that process (SIGTERM) first")
        return 0
    state = replace(stored.state, cancelled=True)
    store.put(state, stored)
    planned = plan_of(settings, entry)
    with _executor(entry, settings, state, watch) as executor:
        jobs = []
        for step in (each for each in state.steps if each.running and each.name not in AFTER):
            assert step.last is not None
            job = step.last.job or executor.find(planned.step(step.name), step.last.token)
            if job is not None:
                executor.cancel(job)
                jobs.append(job)
        _wait_for_end(jobs, executor, settings, entry.id)
    return len(jobs)


def _wait_for_end(jobs: list[str], executor: StepExecutor, settings: RunSettings, run: str) -> None:
    """What a job writes after its output is thrown away would be left over. Raises ``OutputExists`` after a while."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while jobs and (running := [each.job for each in executor.poll(jobs) if each.state == RUNNING]):
        if time.monotonic() > give_up:
            raise OutputExists(
                f"run={run}: job {running[0]} was told to end, and has not in {_PATIENCE_SECONDS / 60:.0f} minutes. "
                f"Nothing is thrown away yet: `snowetl cancel {run}` goes on"
            )
        time.sleep(min(settings.emr_poll, 5.0))


def _executor(
    entry: Entry, settings: RunSettings, state: RunState, watch: Watch, *, looks: bool = False
) -> AbstractContextManager[StepExecutor]:
    """The executor that has the jobs of a run."""
    request = ExecutorRequest(
        settings=settings,
        plan=plan_of(settings, entry),
        watch=watch,
        notes=state.notes or {},
        folder=entry.folder,
        looks=looks,
    )
    return kind_of(state.executor).open(request)


def unlock(output_folder: str, run: str | None, *, force: bool = False) -> list[str]:
    """Remove leases whose holders are dead (with ``force`` those of the living, too), and name them.

    Raises ``NothingToDo`` where none is there, ``LeaseHeld`` for one whose holder may live.
    """
    folder = runs_folder_of(output_folder)
    places = {"the ledger": f"{folder}/{LEASE}"}
    if run is not None:
        places[f"run={run}"] = Entry(run, folder).lock_url
    else:
        places |= {f"run={id_}": url for id_, url in entries.locks(folder).items()}
    held = {name: (url, holder) for name, url in places.items() if (holder := holder_of(url)) is not None}
    if not held:
        raise NothingToDo(f"nothing is locked: no lease of {count(len(places), 'place')} below {folder} is held")
    for name, (url, holder) in held.items():
        if not force and living(url) is not None:
            raise LeaseHeld(
                f"{name} is held by {holder}, which may be alive. Stop it first; if it is surely dead, add --force"
            )
    for url, _ in held.values():
        filesystem(url).delete_tree(url)
    return [f"{name}, held by {holder}" for name, (_, holder) in held.items()]


@dataclass(frozen=True, slots=True)
class Log:
    """Attempts at a step, a line each, and the end of the log of the last one."""

    attempts: list[str]
    tail: str


def logs(entry: Entry, step: str | None, watch: Watch) -> Log:
    """What is known of the attempts at a step (without one, of the one the run stands at).

    Raises ``NothingToDo`` where there was none.
    """
    state = StateStore(entry.runs_folder).get(entry.id).state
    steps = [] if state is None else list(state.steps)
    tried = [each for each in steps if each.attempts and step in (None, each.name)]
    if state is None or not tried:
        raise NothingToDo(f"run={entry.id}: {step or 'no step'} was {'not ' if step else ''}tried")
    wanted = next((each for each in tried if not each.done), tried[-1])
    lines = [_line_of(wanted.name, attempt) for attempt in wanted.attempts]
    last = wanted.attempts[-1]
    if last.job is None or state.executor == "local" or wanted.name in AFTER:
        return Log(lines, f"{wanted.name} ran in the process of `snowetl run`: its messages are there")
    with _executor(entry, settings_of(entry, _WithoutSecrets(os.environ)), state, watch, looks=True) as executor:
        tail = executor.log_tail(last.job)
    return Log(lines, tail or f"no log of job {last.job} yet{f': {last.log}' if last.log else ''}")


def _line_of(name: str, attempt: Attempt) -> str:
    job = f", job {attempt.job}" if attempt.job else ""
    reason = f": {attempt.reason}" if attempt.reason else ""
    log = f" ({attempt.log})" if attempt.log else ""
    return f"{name} {attempt.number}, {timestamps.to_iso(attempt.submitted)}{job}, {attempt.outcome}{reason}{log}"
