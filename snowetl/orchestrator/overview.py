"""The state of all runs of a pipeline, from the files in their folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from snowetl.errors import SnowetlError
from snowetl.orchestrator import run_folders
from snowetl.orchestrator.archive import record
from snowetl.orchestrator.archive.record import Archived
from snowetl.orchestrator.entries import CANCELLED, PLAN, Entry, amount_of, read_document
from snowetl.orchestrator.ledger import Ledger
from snowetl.orchestrator.state import FAILED, LOST, RunState
from snowetl.orchestrator.store import StateStore
from snowetl.reporting.runs_index import line_of
from snowetl.runs.lease import holder_of
from snowetl.runs.run import run_start

DONE, RUNNING, DIED, FAILED_RUN, WAITS, STOPPED = "done", "running", "died", "failed", "waits", "cancelled"
_READERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run. ``state``: ``done``, ``running``, ``died`` (its process is gone), ``failed``, ``waits``, ``cancelled``.

    ``step`` is the one it stands at, ``why`` what happened or what to do; times are ISO 8601, UTC.
    """

    run: str
    state: str
    files: int = 0
    bytes: int = 0
    step: str = ""
    why: str = ""
    executor: str = ""
    events: int = 0
    bad_rows: int = 0
    rows: int = 0
    started: str = ""
    finished: str = ""
    seconds: float = 0.0
    loaded: bool | None = None
    """Whether its rows are in a warehouse; ``None`` for a run that ends before."""
    log: str = ""
    archived: bool | None = None
    """Whether all its raw files are in the archive; ``None`` for a run without one."""

    @property
    def wants_care(self) -> bool:
        """Whether somebody, or the next run, has to do something."""
        return self.state in (DIED, FAILED_RUN, WAITS)


def overview(runs_folder: str, latest: int = 50) -> list[RunView]:
    """The latest runs and all that are not done, the last first. Raises ``StorageError``."""
    ids = list(run_folders.latest(runs_folder, latest, PLAN, CANCELLED))
    ids += [entry.id for entry in Ledger.of(runs_folder).unfinished() if entry.id not in ids]
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(lambda id_: view(Entry(id_, runs_folder)), ids))


def view(entry: Entry) -> RunView:
    """How one run stands."""
    cancelled = read_document(f"{entry.folder}/{CANCELLED}")
    plan = entry.plan()
    if plan is None:
        amount = {name: (cancelled or {}).get(name, 0) for name in ("files", "bytes")}
        return RunView(run=entry.id, state=STOPPED, **amount, why="its files went back: the next run takes them")
    known: dict[str, Any] = {"run": entry.id, **amount_of(plan)._asdict()}
    report = entry.report()
    if report is not None:
        return _done(report, known, record.of(entry) if "archive" in report else None)
    state = StateStore(entry.runs_folder).get(entry.id).state
    known |= _step_of(state)
    holder = holder_of(entry.lock_url)
    if holder is not None and holder.seems_alive():
        return RunView(**(known | {"state": RUNNING, "why": str(holder)}))
    if holder is not None:
        return RunView(**({"why": f"{holder} is gone: resume the run"} | known | {"state": DIED}))
    if known.get("why"):
        return RunView(**known, state=FAILED_RUN)
    return RunView(**(known | {"state": WAITS, "why": "it was begun and is not finished: resume it"}))


def _done(report: Mapping[str, Any], known: dict[str, Any], archived: Archived | None) -> RunView:
    line = line_of(report)
    has_load = any(step["step"] == "load" for step in report["steps"])
    left_out = report.get("skipped") or []
    notes = list(report.get("differences") or ())
    notes += [f"without {', '.join(left_out)} (--skip)"] if left_out else []
    notes += [f"archive: {archived.text}"] if archived is not None and not archived.done else []
    return RunView(
        **known,
        state=DONE,
        why="; ".join(notes),
        events=line.events,
        bad_rows=line.bad_rows,
        rows=line.rows,
        started=line.started,
        finished=str(report.get("finished", "")),
        seconds=line.seconds,
        loaded=False if "load" in left_out else True if has_load else None,
        archived=None if archived is None else archived.done,
    )


def _step_of(state: RunState | None) -> dict[str, Any]:
    """The current step of a run, and how the last attempt at it ended."""
    if state is None:
        return {}
    step = next((step for step in state.steps if not step.done), None)
    found: dict[str, Any] = {"executor": state.executor}
    if step is not None:
        found |= {"step": step.name, "loaded": False}
        if step.last is not None and step.last.outcome in (FAILED, LOST):
            found |= {"why": step.last.reason, "log": step.last.log}
    return found


def lateness(views: list[RunView], now: int) -> float | None:
    """Seconds since the end of the last run that was finished; ``None`` without one. ``now`` in epoch ms."""
    ends = [end for view_ in views if view_.state == DONE and (end := _end_of(view_)) is not None]
    return (now - max(ends)) / 1000 if ends else None


def _end_of(view_: RunView) -> int | None:
    try:
        return run_start(view_.finished[:19].replace("T", "-").replace(":", "-"))
    except SnowetlError:
        return None


def waiting(views: list[RunView]) -> Iterator[RunView]:
    """Runs that somebody has to care for, the oldest first."""
    return (each for each in reversed(views) if each.wants_care)
