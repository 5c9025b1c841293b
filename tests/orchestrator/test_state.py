"""What is done next, from what was tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import OutputExists
from snowetl.orchestrator import state
from snowetl.orchestrator.planner import RunPlan, RunRequest, plan_run
from snowetl.orchestrator.prices import Price
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.state import RunState
from snowetl.orchestrator.store import StateStore
from snowetl.runs.input_list import Amount

RUN = "2026-01-02-03-04-05"


def plan(*done: str) -> RunPlan:
    given: dict[str, Any] = {"input_folder": "raw", "input_format": "thrift", "iglu_config": {"name": "x"}}
    settings = RunSettings(output_folder="out", **given)
    request = RunRequest(settings=settings, run=RUN, done=frozenset(done))
    return plan_run(request, Amount(2, 100), None, [])


def names(planned: RunPlan, current: RunState) -> list[str]:
    return [step.name for step in state.next_steps(planned, current, 0)]


def tried(current: RunState, name: str, outcome: str, **more: Any) -> RunState:
    current, _ = state.begin(current, name, 1)
    return state.ended(current, name, 2, outcome, **more)


def test_steps_follow_each_other() -> None:
    planned = plan()
    current = state.take_up(planned, None)
    for name in ("enrich", "transform", "load"):
        assert names(planned, current) == [name]
        current, attempt = state.begin(current, name, 1)
        assert attempt.number == 1
        assert names(planned, current) == []
        current = state.ended(state.submitted(current, name, "job"), name, 2, state.DONE)
    assert names(planned, current) == []
    assert all(step.done for step in current.steps)


def test_what_has_a_report_is_not_done_again() -> None:
    planned = plan("enrich")
    assert names(planned, state.take_up(planned, None)) == ["transform"]


def test_a_step_that_failed_ends_the_run_until_it_is_taken_up_again() -> None:
    planned = plan()
    current = tried(state.take_up(planned, None), "enrich", state.FAILED, reason="a bug")
    assert names(planned, current) == []
    again = state.take_up(planned, current)
    assert names(planned, again) == ["enrich"]
    assert again.tries == 2
    _, attempt = state.begin(again, "enrich", 3)
    assert attempt.number == 2


def test_a_step_that_never_began_is_tried_again_three_times() -> None:
    planned = plan()
    current = state.take_up(planned, None)
    for _ in range(state.MAX_ATTEMPTS):
        assert names(planned, current) == ["enrich"]
        current = tried(current, "enrich", state.FAILED, again=True)
    assert names(planned, current) == []


def test_nothing_of_a_cancelled_run_is_begun() -> None:
    planned = plan()
    assert names(planned, replace(state.take_up(planned, None), cancelled=True)) == []


def test_a_token_names_an_attempt() -> None:
    tokens = {state.token(RUN, step, number) for step in ("enrich", "load") for number in (1, 2)}
    assert len(tokens) == 4
    assert state.token(RUN, "load", 1) in tokens


def test_a_state_is_kept_and_read_back(tmp_path: Path) -> None:
    store = StateStore(str(tmp_path))
    current = tried(state.take_up(plan(), None), "enrich", state.LOST, reason="gone", log="s3://log")
    stored = store.put(current, store.get(RUN))
    assert store.get(RUN) == stored
    assert stored.state == current


def test_who_did_not_read_the_last_state_stops(tmp_path: Path) -> None:
    store = StateStore(str(tmp_path))
    first = store.put(state.take_up(plan(), None), store.get(RUN))
    assert first.state is not None
    begun, _ = state.begin(first.state, "enrich", 5)
    store.put(begun, first)
    other, _ = state.begin(first.state, "enrich", 6)
    with pytest.raises(OutputExists, match=f"another process has taken over run={RUN}"):
        store.put(other, first)


def test_a_plan_is_data(tmp_path: Path) -> None:
    planned = replace(plan("enrich"), skipped=("models",), price=Price(vcpu=0.05, gb=0.006))
    kinds = {step.name: type(step.settings) for step in planned.steps}
    assert RunPlan.from_json(planned.to_json(), kinds) == planned
