"""How job flows of the old programs stand, and how that is worded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from snowetl.errors import ConfigError
from snowetl.orchestrator.imports.emr_etl_runner.job_flow import (
    ClusterBusy,
    ClusterNotUnique,
    ClusterState,
    Outcome,
    StepState,
    discover,
    failed_text,
    failure_text,
    log_folder,
    outcome,
    step_log_prefix,
    step_text,
)

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
LOAD = "[rdb_load] Load W Storage Target"


def _steps(**states: str) -> list[StepState]:
    return [StepState(name, state) for name, state in states.items()]


@pytest.mark.parametrize(
    ("steps", "reason", "expected"),
    [
        ([], "", Outcome(done=False)),
        (_steps(a="COMPLETED", b="PENDING"), "", Outcome(done=False)),
        (_steps(a="FAILED", b="CANCEL_PENDING"), "", Outcome(done=False)),
        (_steps(a="COMPLETED"), "ALL_STEPS_COMPLETED", Outcome(done=True, success=True)),
        (_steps(a="INTERRUPTED"), "", Outcome(done=True)),
        (_steps(a="COMPLETED", b="CANCELLED"), "USER_REQUEST", Outcome(done=True)),
        (_steps(a="CANCELLED"), "On the master instance, bootstrap action 1 failed", Outcome(True, False, True)),
        (_steps(a="FAILED"), "BOOTSTRAP_FAILURE", Outcome(done=True)),
        ([], "BOOTSTRAP_FAILURE", Outcome(True, False, True)),
        ([StepState(LOAD, "FAILED")], "STEP_FAILURE", Outcome(done=True, load_failed=True)),
        ([StepState(LOAD, "CANCELLED")], "STEP_FAILURE", Outcome(done=True, load_cancelled=True)),
    ],
)
def test_steps_tell_how_a_job_ended(steps: list[StepState], reason: str, expected: Outcome) -> None:
    assert outcome(steps, reason) == expected


def test_a_cluster_is_found_by_its_name() -> None:
    assert discover("n", []) is None
    assert discover("n", [ClusterState("j-1", "WAITING")]) == "j-1"
    with pytest.raises(ClusterBusy, match="found RUNNING") as busy:
        discover("n", [ClusterState("j-1", "RUNNING")])
    assert busy.value.exit_code == 18
    with pytest.raises(ClusterNotUnique, match="found 2 with name n"):
        discover("n", [ClusterState("j-1", "WAITING"), ClusterState("j-2", "WAITING")])


def test_a_failure_in_words() -> None:
    hour = timedelta(hours=1, minutes=2, seconds=3)
    cluster = ClusterState("j-1", "TERMINATED_WITH_ERRORS", "STEP_FAILURE", "", NOON, NOON, NOON + hour)
    steps = [StepState("b", "CANCELLED"), StepState("a", "FAILED", NOON, NOON + hour)]
    headline, *lines = failure_text(cluster, steps).splitlines()
    assert headline.startswith("EMR jobflow j-1 failed, check Amazon EMR console")
    assert lines == [
        "j-1: TERMINATED_WITH_ERRORS [STEP_FAILURE] ~ 01:02:03 [2026-03-05T12:00:00Z - 2026-03-05T13:02:03Z]",
        " - 1. a: FAILED ~ 01:02:03 [2026-03-05T12:00:00Z - 2026-03-05T13:02:03Z]",
        " - 2. b: CANCELLED ~ elapsed time n/a [ - ]",
    ]
    assert failed_text(steps) == "2/2 steps failed to complete successfully"
    assert failed_text([StepState("a", "COMPLETED")]) is None
    assert step_text(StepState("a", "RUNNING")) is None
    assert step_text(StepState("a", "INTERRUPTED", NOON, NOON, id="s-1")) == (
        "Step 'a' with id 's-1' was INTERRUPTED - StartTime: 2026-03-05T12:00:00Z - EndTime: 2026-03-05T12:00:00Z"
    )


def test_where_logs_are() -> None:
    assert log_folder("s3://b/a/c/") == ("b", "a/c")
    assert step_log_prefix("s3://b/a/", "j-1", "s-1") == "a/j-1/steps/s-1/"
    assert step_log_prefix("s3://b", "j-1", "s-1") == "j-1/steps/s-1/"
    for wrong in ("", "b/a"):
        with pytest.raises(ConfigError):
            log_folder(wrong)
