"""How runs stand, from what they have left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import NothingToDo
from snowetl.orchestrator import control, state
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.overview import overview
from snowetl.orchestrator.planner import RunRequest, plan_run
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.store import StateStore, Stored
from snowetl.runs.holder import Holder
from snowetl.runs.input_list import Amount
from snowetl.storage import FileInfo

RUN = "2026-01-02-03-04-05"


def settings(folder: Path) -> RunSettings:
    given: dict[str, Any] = {"input_folder": "raw", "input_format": "thrift", "iglu_config": {"name": "x"}}
    return RunSettings(output_folder=str(folder), **given)


@pytest.fixture
def begun(tmp_path: Path) -> Entry:
    entry = Entry(RUN, settings(tmp_path).runs_folder)
    entry.begin(settings(tmp_path), [FileInfo("/raw/a", 3, "t")])
    return entry


def fail(entry: Entry, folder: Path) -> None:
    """Note a failed attempt at the first step."""
    planned = plan_run(RunRequest(settings=settings(folder), run=RUN), Amount(1, 3), None, [])
    current, _ = state.begin(state.take_up(planned, None), "enrich", 1)
    failed = state.ended(current, "enrich", 2, state.FAILED, reason="no space left")
    StateStore(entry.runs_folder).put(failed, Stored(None, b""))


def lock(entry: Entry) -> None:
    """Leave the lease of a process that is gone."""
    gone = replace(Holder.this_process(), pid=2**22 + 1, renewed=0)
    Path(entry.lock_url).write_bytes(gone.content())


def test_a_run_that_died(begun: Entry) -> None:
    lock(begun)
    [view] = overview(begun.runs_folder)
    assert (view.state, view.files, view.bytes) == ("died", 1, 3)
    assert "is gone: resume the run" in view.why


def test_a_run_that_failed_and_died_when_it_was_tried_again(begun: Entry, tmp_path: Path) -> None:
    fail(begun, tmp_path)
    [view] = overview(begun.runs_folder)
    assert (view.state, view.step, view.why) == ("failed", "enrich", "no space left")
    lock(begun)
    [view] = overview(begun.runs_folder)
    assert (view.state, view.step, view.why) == ("died", "enrich", "no space left")


def test_a_run_of_an_earlier_release(begun: Entry) -> None:
    plan = begun.plan() or {}
    Path(begun.folder, "plan.json").write_text(json.dumps(plan | {"files": [["/raw/a", 3, "t"], ["/raw/b", 4, "t"]]}))
    [view] = overview(begun.runs_folder)
    assert (view.state, view.files, view.bytes) == ("waits", 2, 7)


def test_leases_of_the_dead_are_freed(begun: Entry, tmp_path: Path) -> None:
    with pytest.raises(NothingToDo):
        control.unlock(str(tmp_path), None)
    lock(begun)
    [freed] = control.unlock(str(tmp_path), None)
    assert f"run={RUN}" in freed
    assert not Path(begun.lock_url).exists()
