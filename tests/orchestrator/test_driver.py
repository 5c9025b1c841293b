"""What a run does before its steps: files are claimed one process at a time, nothing is redone under a living job."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import LeaseHeld, OutputExists
from snowetl.orchestrator import claim, driver, state
from snowetl.orchestrator.claim import LEASE
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.executors.base import AtOnce
from snowetl.orchestrator.planner import PlannedStep, RunRequest, plan_run
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.sources import input_of
from snowetl.orchestrator.store import StateStore, Stored
from snowetl.runs.input_list import Amount
from snowetl.runs.lease import Lease
from snowetl.steps.base import Unwatched
from snowetl.storage import FileInfo

RUN = "2026-01-02-03-04-05"


def settings(folder: Path, **more: Any) -> RunSettings:
    given: dict[str, Any] = {"input_folder": str(folder / "raw"), "output_folder": str(folder / "out")}
    return RunSettings(**(given | {"input_format": "thrift", "iglu_config": {"name": "x"}} | more))


@pytest.mark.slow
def test_another_pipeline_that_takes_its_files_is_waited_for(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a").write_text("a")
    with Lease(f"{ours.runs_folder}/{LEASE}") as other:
        release = threading.Timer(1.0, other.__exit__, (None, None, None))
        release.start()
        entry = claim.claim(ours, Unwatched(), input_of(ours))
        release.join()
    assert [file.url.rpartition("/")[2] for file in entry.inputs()] == ["a"]


def test_it_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "_PATIENCE_SECONDS", 0.0)
    ours = settings(tmp_path)
    with (
        Lease(f"{ours.runs_folder}/{LEASE}", "the ledger"),
        pytest.raises(LeaseHeld, match="the ledger of this output folder"),
    ):
        time.sleep(0.01)
        claim.claim(ours, Unwatched(), input_of(ours))


def test_a_run_with_a_job_elsewhere_is_not_redone(tmp_path: Path) -> None:
    again = settings(tmp_path, run_id=RUN, redo_from="enrich", transformation="widerow-json")
    entry = Entry(RUN, again.runs_folder)
    entry.begin(again, [FileInfo("/raw/a", 1, "t")])
    planned = plan_run(RunRequest(settings=again, run=RUN), Amount(1, 1), None, [])
    begun, _ = state.begin(state.take_up(planned, None), "enrich", 1)
    elsewhere = replace(state.submitted(begun, "enrich", "j-1/s-1"), executor="emr")
    StateStore(entry.runs_folder).put(elsewhere, Stored(None, b""))
    with pytest.raises(OutputExists, match=f"job j-1/s-1 may be at work on it. `snowetl resume {RUN}`"):
        driver._discard(again, entry, Unwatched())
    assert entry.plan() is not None


def test_a_step_of_a_killed_run_is_redone_here_without_a_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = settings(tmp_path, skip_step=("transform", "load"))
    entry = Entry(RUN, ours.runs_folder)
    planned = plan_run(RunRequest(settings=ours, run=RUN), Amount(1, 1), None, ())
    begun, _ = state.begin(state.take_up(planned, None), "enrich", 1)  # the process was killed before it was submitted
    store = StateStore(ours.runs_folder)
    done: list[str] = []
    monkeypatch.setattr(driver, "evidence", lambda step, *_: step if step in done else None)

    class Here(AtOnce):
        def submit(self, step: PlannedStep, token: str) -> str:
            done.append(step.name)
            return token

    run = driver._Run(ours, entry, Unwatched(), sleep=lambda seconds: pytest.fail(f"it waited for {seconds} s"))
    run._drive(planned, ("enrich",), store, store.put(begun, store.get(RUN)), Here())
    assert done == ["enrich"]
