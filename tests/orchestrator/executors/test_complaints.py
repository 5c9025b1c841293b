"""What users of step orchestrators complained about for years, each shown not to happen here.

``test_complaint_NN`` are the rows of reference 09 §4, by their numbers. Two are no matter of executors: 13 is in
``tests/integration/test_backfill.py``, 15 in ``test_growing.py`` there. ``test_lesson_…`` are what other orchestrators
learned (reference 11 §5b).
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3
import psycopg
import pytest

from snowetl import references
from snowetl.cli.main import main
from snowetl.orchestrator import control, state
from snowetl.orchestrator.executors import aws as clients
from snowetl.orchestrator.executors import emr
from snowetl.orchestrator.executors.emr_requests import LONGEST_STEP
from snowetl.orchestrator.store import StateStore
from snowetl.runs.lease import Lease
from snowetl.runs.run import absolute
from tests.databases import ADMIN, ADMIN_PASSWORD, postgres_server
from tests.integration.support import ROOT, environment
from tests.orchestrator.executors.aws import BUCKET, Aws, s3
from tests.orchestrator.executors.support import (
    CLUSTER,
    EXPECTED,
    RUN,
    arguments,
    objects,
    on_cluster,
    on_serverless,
    rows,
    text,
)

URL = "postgresql://loader@db.example.com/x"
STATE = f"out/runs/run={RUN}/state.json"
Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.long


@pytest.fixture
def unreached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks the database, for runs that end before their load."""
    monkeypatch.setattr("snowetl.orchestrator.driver.check_target", lambda target, say: None)


def resume() -> int:
    return main(["resume", "-o", "s3://lake/out", RUN])


def attempts(aws: Aws) -> dict[str, list[str]]:
    """Outcomes of the attempts at each step, by the run's state."""
    return {
        step["name"]: [each["outcome"] for each in step["attempts"]] for step in json.loads(text(aws, STATE))["steps"]
    }


def often(rate: float, *faults: str) -> Callable[[str, int], str | None]:
    """Faults for a share of all requests, the same each time."""

    def fault(operation: str, number: int) -> str | None:
        dice = random.Random(f"{operation} {number}")
        return dice.choice(faults) if dice.random() < rate else None

    return fault


def begun(aws: Aws, count: int = 1) -> None:
    give_up = time.monotonic() + 60
    while len(aws.ran) < count:
        assert time.monotonic() < give_up, "no step began"
        time.sleep(0.05)


def start(database: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "snowetl", *arguments(database, *on_cluster(*more))]
    return subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True)


# --- what users complained about --------------------------------------------------------------------------------------


def test_complaint_01_resume_does_what_is_left_and_nothing_else(
    aws: Aws, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWETL_DATABASE", database)
    aws.broken = {"load": "FAILED"}
    assert main(arguments(database, *on_cluster())) == 1
    assert aws.ran == ["enrich", "transform"] and aws.clusters_left == []
    before = objects(aws, "out/enriched/") | objects(aws, "out/transformed/")
    assert resume() == 0
    assert aws.ran == ["enrich", "transform", "load"] and rows(database) == EXPECTED["events"]
    after = objects(aws, "out/enriched/") | objects(aws, "out/transformed/")
    assert {key: after[key] for key in before} == before, "nothing that was done is written again"


def test_complaint_02_throttled_polling_kills_no_healthy_run(aws: Aws, database: str) -> None:
    faulty = often(0.3, "throttled", "500", "reset", "empty")
    aws.fault = lambda operation, number: faulty(operation, number) if operation == "ListSteps" else None
    assert main(arguments(database, *on_cluster())) == 0
    assert aws.ran == ["enrich", "transform", "load"] and set(aws.tokens().values()) == {1}


def test_complaint_03_a_lost_answer_loads_nothing_twice(aws: Aws, database: str) -> None:
    lost = {("AddJobFlowSteps", 2): "reset when done", ("AddJobFlowSteps", 1): "500 when done"}
    aws.fault = lambda operation, number: lost.get((operation, number))
    assert main(arguments(database, *on_cluster())) == 0
    assert aws.ran == ["enrich", "transform", "load"] and set(aws.tokens().values()) == {1}
    assert rows(database) == EXPECTED["events"]


def test_complaint_04_raw_files_are_not_moved(aws: Aws, unreached: None) -> None:
    before = objects(aws, "raw/")
    aws.broken = {"enrich": "FAILED"}
    assert main(arguments(URL, *on_cluster())) == 1
    assert objects(aws, "raw/") == before


def test_complaint_05_no_input_is_nothing_to_do_and_no_cluster(aws: Aws, unreached: None) -> None:
    for key in objects(aws, "raw/"):
        s3(aws.endpoint).put_object(Bucket=BUCKET, Key=key, Body=b"")
    assert main(arguments(URL, *on_cluster())) == 3
    assert aws.calls == []


def test_complaint_06_a_second_run_at_the_same_time_starts_nothing(aws: Aws, unreached: None) -> None:
    aws.broken = {"enrich": "FAILED"}
    assert main(arguments(URL, *on_cluster())) == 1
    sent = len(aws.operations("RunJobFlow"))
    with Lease(f"{absolute('s3://lake/out')}/runs/_lock-{RUN}.json"):
        command = [sys.executable, "-m", "snowetl", "resume", "-o", "s3://lake/out", RUN]
        other = subprocess.run(
            command, cwd=ROOT, env=environment(SNOWETL_DATABASE=URL), capture_output=True, text=True, check=False
        )
    assert other.returncode in (1, 2, 17), other.stderr
    assert len(aws.operations("RunJobFlow")) == sent


def test_complaint_07_there_are_no_copy_steps(aws: Aws, capsys: Capture) -> None:
    assert main(arguments(URL, "--executor", "dry", "--emr-cluster", json.dumps(CLUSTER))) in (0, 2)
    assert "dist-cp" not in capsys.readouterr().out


def test_complaint_08_machines_that_fail_before_the_step_are_replaced(aws: Aws, database: str) -> None:
    aws.lost_launches = [
        ("BOOTSTRAP_FAILURE", "On the master instance (i-1), bootstrap action 1 returned a non-zero return code"),
        ("VALIDATION_ERROR", "There is insufficient capacity for m7g.xlarge"),
    ]
    assert main(arguments(database, *on_cluster())) == 0
    assert len(aws.operations("RunJobFlow")) == 3 and aws.ran == ["enrich", "transform", "load"]
    assert attempts(aws)["enrich"] == ["failed", "failed", "done"] and aws.clusters_left == []


def test_complaint_08_they_are_given_up_after_three_launches(aws: Aws, unreached: None, capsys: Capture) -> None:
    aws.lost_launches = [("BOOTSTRAP_FAILURE", "bootstrap action 1 failed")] * 5
    assert main(arguments(URL, *on_cluster())) == 1
    assert len(aws.operations("RunJobFlow")) == 3 and aws.ran == []
    assert "BOOTSTRAP_FAILURE: bootstrap action 1 failed" in " ".join(capsys.readouterr().err.split())


def test_complaint_08_a_wrong_configuration_is_not_tried_again(aws: Aws, unreached: None) -> None:
    aws.lost_launches = [("VALIDATION_ERROR", "The instance profile is not known")] * 3
    assert main(arguments(URL, *on_cluster())) == 1
    assert len(aws.operations("RunJobFlow")) == 1


def test_complaint_09_a_step_that_hangs_is_stopped(aws: Aws, unreached: None, capsys: Capture) -> None:
    aws.broken = {"enrich": "hangs"}
    assert main(arguments(URL, *on_cluster("--emr-step-timeout", "1s"))) == 1
    assert "took longer than 1s (--emr-step-timeout)" in " ".join(capsys.readouterr().err.split())
    assert aws.clusters_left == [] and [step.state for step in aws.steps] == ["CANCELLED"]


def test_complaint_10_spot_fleets_and_scaling_and_no_idle_cluster(aws: Aws, unreached: None) -> None:
    aws.broken = {"enrich": "FAILED"}
    assert main(arguments(URL, *on_cluster())) == 1
    [launch] = aws.operations("RunJobFlow")
    core = launch["Instances"]["InstanceFleets"][1]
    assert (core["TargetSpotCapacity"], core["TargetOnDemandCapacity"]) == (1, 1)
    assert launch["ManagedScalingPolicy"]["ComputeLimits"]["MaximumCapacityUnits"] == 10
    assert launch["AutoTerminationPolicy"]["IdleTimeout"] == 900 and aws.clusters_left == []


def test_complaint_11_the_error_has_the_end_of_the_right_log(aws: Aws, unreached: None, capsys: Capture) -> None:
    aws.jobs_environment["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:9"  # the job cannot reach what it needs
    assert main(arguments(URL, *on_cluster())) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "enrich: failed: the step is FAILED" in told and "the end of s3://lake/logs/j-" in told
    assert "127.0.0.1:9" in told, "what the job itself said"
    assert main(["logs", "-o", "s3://lake/out", RUN]) == 0, "without SNOWETL_DATABASE: no database is asked"
    assert "the end of s3://lake/logs/j-" in capsys.readouterr().out


def test_complaint_12_all_mistakes_are_told_before_anything_is_sent(aws: Aws, capsys: Capture) -> None:
    wrong = ["run", "-i", "s3://lake/raw", "-f", "thrift", "-o", "out", "--iglu-config", "fixtures/resolver.json"]
    assert main([*wrong, "--executor", "emr", "--emr-cluster", '{"release": "emr-7.13.0"}', "--local"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    for each in ("--emr-package is missing", "is a folder of this machine", "--database is missing", "--local",
                 "service-role is missing", "instance-profile is missing"):  # fmt: skip
        assert each in told
    assert aws.calls == [] and not (ROOT / "out" / "runs").exists()


def test_complaint_14_a_password_is_refused_where_all_could_see_it(aws: Aws, capsys: Capture) -> None:
    assert main(arguments("postgresql://loader:s3cr3t@db/x", *on_cluster())) == 2
    told = capsys.readouterr().err
    assert "${secretsmanager:NAME}" in told and "s3cr3t" not in told and aws.calls == []


def test_complaint_14_a_document_with_a_secret_is_not_copied(aws: Aws, unreached: None, capsys: Capture) -> None:
    resolver = json.loads((ROOT / "fixtures/resolver.json").read_text("utf-8"))
    resolver["data"]["repositories"].append(
        {"name": "mine", "priority": 1, "vendorPrefixes": [],
         "connection": {"http": {"uri": "http://127.0.0.1:9/api", "apikey": "s3cr3t"}}}
    )  # fmt: skip
    with_secret = [*arguments(URL, *on_cluster()), "--iglu-config", json.dumps(resolver)]
    with_secret.remove("fixtures/resolver.json")
    with_secret.remove("--iglu-config")
    assert main(with_secret) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "--iglu-config: it holds a secret (apikey)" in told and "s3cr3t" not in told and aws.calls == []


def test_complaint_14_a_reference_travels_and_the_secret_does_not(aws: Aws) -> None:
    store = boto3.client("secretsmanager", endpoint_url=aws.endpoint)
    store.create_secret(Name="prod/db", SecretString=json.dumps({"password": ADMIN_PASSWORD}))
    references.look_up.cache_clear()
    with postgres_server() as port:
        url = f"postgresql://{ADMIN}:${{secretsmanager:prod/db#password}}@127.0.0.1:{port}/postgres"
        assert main(arguments(url, *on_cluster())) == 0
        assert rows(f"postgresql://{ADMIN}:{ADMIN_PASSWORD}@127.0.0.1:{port}/postgres") == EXPECTED["events"]
    assert any("${secretsmanager:prod/db#password}" in json.dumps(call) for call in aws.calls)
    kept = "".join(text(aws, key) for key in objects(aws, "out/runs/") if key.endswith((".json", ".html")))
    assert ADMIN_PASSWORD not in json.dumps(aws.calls) + kept + str([step.args for step in aws.steps])


def test_complaint_16_documents_of_any_size_fit_into_a_step(aws: Aws, unreached: None) -> None:
    aws.broken = {"enrich": "FAILED"}
    adapters = json.dumps({"adaptersSchemas": {}, "remoteAdapters": {}})
    assert main(arguments(URL, *on_cluster("--adapters", adapters))) == 1
    [step] = aws.steps
    assert sum(map(len, step.args)) < LONGEST_STEP / 4
    assert f"s3://lake/out/runs/run={RUN}/config/enrich/enrichments.json" in step.args
    assert len(objects(aws, f"out/runs/run={RUN}/config/")) >= 3


def test_complaint_17_a_plan_is_shown_without_doing_it(aws: Aws, unreached: None, capsys: Capture) -> None:
    assert main(arguments(URL, "--executor", "dry", "--emr-cluster", json.dumps(CLUSTER))) == 0
    assert '"operation":"run_job_flow"' in capsys.readouterr().out.replace(" ", "")
    assert aws.calls == [] and objects(aws, "out/") == {}


# --- what others learned ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ended", ["FAILED", "INTERRUPTED", "CANCELLED"])
def test_lesson_a_step_that_did_not_complete_fails_the_run(aws: Aws, unreached: None, ended: str) -> None:
    aws.broken = {"enrich": ended}
    assert main(arguments(URL, *on_cluster())) == 1
    assert aws.ran == [] and len(aws.steps) == 1, "a half-run step is not tried again by itself"


def test_lesson_completed_without_a_report_is_no_success(aws: Aws, unreached: None, capsys: Capture) -> None:
    aws.broken = {"enrich": "COMPLETED"}
    assert main(arguments(URL, *on_cluster())) == 1
    assert "its job ended, but left no report" in " ".join(capsys.readouterr().err.split())


def test_lesson_documents_go_up_before_the_first_step(aws: Aws, unreached: None) -> None:
    aws.broken = {"enrich": "FAILED"}
    assert main(arguments(URL, *on_cluster())) == 1
    assert {key.split("/")[4] for key in objects(aws, f"out/runs/run={RUN}/config/")} == {"enrich", "transform", "load"}


def test_lesson_one_request_a_round_on_a_cluster_with_many_steps(aws: Aws, unreached: None) -> None:
    cluster = shared_cluster(aws)
    with aws.paused():
        old = [{"name": f"old {number}", "hadoop_jar_step": {"Args": ["x.py"]}} for number in range(120)]
        for step in cluster.add_steps(old):
            step.state = "COMPLETED"
    aws.broken = {"enrich": "FAILED"}
    shared = ("--executor", "emr", "--emr-cluster-id", cluster.id)
    assert main(arguments(URL, *shared)) == 1
    watching = [call for call in aws.operations("ListSteps") if call.get("StepIds")]
    assert watching and all(len(call["StepIds"]) == 1 for call in watching)
    assert aws.clusters_left == [cluster.id], "a cluster that was there stays"


def test_lesson_a_cluster_that_ends_is_refused(aws: Aws, unreached: None, capsys: Capture) -> None:
    cluster = shared_cluster(aws)
    cluster.terminate()
    assert main(arguments(URL, "--executor", "emr", "--emr-cluster-id", cluster.id)) == 2
    assert f"--emr-cluster-id {cluster.id}: it is TERMINATED" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("fault", ["500 when done", "reset when done", "empty when done", "throttled", "500", "reset"])
def test_lesson_an_ambiguous_launch_starts_one_cluster(aws: Aws, unreached: None, fault: str) -> None:
    aws.fault = lambda operation, number: fault if (operation, number) == ("RunJobFlow", 1) else None
    aws.broken = {"enrich": "FAILED"}
    assert main(arguments(URL, *on_cluster())) == 1
    assert len(aws.clusters) == 1 and set(aws.tokens().values()) == {1} and aws.clusters_left == []


@pytest.mark.parametrize("fault", ["500 when done", "reset when done", "throttled", "reset"])
def test_lesson_an_ambiguous_start_of_a_serverless_job_starts_one(aws: Aws, unreached: None, fault: str) -> None:
    aws.fault = lambda operation, number: fault if (operation, number) == ("StartJobRun", 1) else None
    aws.broken = {"enrich": "CANCELLED"}
    assert main(arguments(URL, *on_serverless(aws))) == 1
    assert set(aws.tokens().values()) == {1}


def test_lesson_no_capacity_on_serverless_is_tried_again_under_another_token(aws: Aws, unreached: None) -> None:
    refusals = iter(["FAILED", "FAILED", "CANCELLED"])

    class Broken(dict[str, str]):
        def pop(self, key: str, default: Any = None) -> Any:  # each job in turn
            return next(refusals, None)

    aws.broken = Broken()
    assert main(arguments(URL, *on_serverless(aws))) == 1
    assert len(aws.tokens()) == 3 and set(aws.tokens().values()) == {1}


def test_lesson_a_failed_step_leaves_no_cluster_unless_it_is_to_be_kept(aws: Aws, unreached: None) -> None:
    aws.broken = {"enrich": "FAILED"}
    assert main(arguments(URL, *on_cluster("--emr-keep-cluster"))) == 1
    [kept] = aws.clusters_left
    aws.broken = {"enrich": "FAILED"}
    assert main(arguments(URL, *on_cluster("--emr-keep-cluster"))) == 1
    assert aws.clusters_left == [kept] and len(aws.operations("RunJobFlow")) == 1, "the next try uses it"


def test_lesson_sigterm_cancels_the_step_and_ends_the_cluster(aws: Aws, database: str) -> None:
    aws.broken = {"enrich": "hangs"}
    process = start(database)
    begun(aws)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 130, told
    assert [step.state for step in aws.steps] == ["CANCELLED"] and aws.clusters_left == []
    assert attempts(aws)["enrich"] == ["cancelled"]
    assert resume_by_another(database) == 0 and rows(database) == EXPECTED["events"]


def test_lesson_a_second_interrupt_leaves_the_job_running(aws: Aws, database: str) -> None:
    aws.broken = {"enrich": "hangs"}
    aws.fault = lambda operation, number: "reset" if operation == "CancelSteps" else None  # it takes its time
    process = start(database)
    begun(aws)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    give_up = time.monotonic() + 30
    while not aws.counts["CancelSteps"] and time.monotonic() < give_up:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 130 and "snowetl resume -o s3://lake/out" in " ".join(told.split())
    assert [step.state for step in aws.steps] == ["RUNNING"] and len(aws.clusters_left) == 1
    assert attempts(aws)["enrich"] == ["running"]


def test_lesson_a_killed_orchestrator_finds_its_step_again(aws: Aws, database: str) -> None:
    process = start(database)
    begun(aws)
    process.kill()
    process.wait()
    process.communicate()
    assert resume_by_another(database) == 0
    assert aws.ran == ["enrich", "transform", "load"] and set(aws.tokens().values()) == {1}
    assert rows(database) == EXPECTED["events"] and aws.clusters_left == [] and len(aws.clusters) == 1


def test_lesson_who_loses_the_connection_leaves_the_job_to_another(
    aws: Aws, database: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWETL_DATABASE", database)
    monkeypatch.setattr(emr, "_PATIENCE_SECONDS", 0.0)
    client = clients.client
    monkeypatch.setattr(clients, "client", lambda service, region, **_: client(service, region, retried=False))
    aws.fault = lambda operation, number: "500" if operation == "ListSteps" and number > 1 else None
    assert main(arguments(database, *on_cluster())) == 1
    assert f"snowetl resume -o s3://lake/out {RUN}" in " ".join(capsys.readouterr().err.split())
    assert aws.operations("CancelSteps") == [] and aws.operations("TerminateJobFlows") == []
    aws.fault = lambda operation, number: None
    assert resume() == 0
    assert aws.ran == ["enrich", "transform", "load"] and set(aws.tokens().values()) == {1}
    assert rows(database) == EXPECTED["events"] and aws.clusters_left == [] and len(aws.clusters) == 1


def test_lesson_one_attempt_is_one_token_and_another_attempt_another(aws: Aws, unreached: None) -> None:
    for _ in range(2):
        aws.broken = {"enrich": "FAILED"}
        assert main(arguments(URL, *on_cluster())) == 1
    assert len(aws.tokens()) == 2 and set(aws.tokens().values()) == {1}


def killed_over(aws: Aws, database: str, step: str) -> None:
    """A run whose process died while the job of a step goes on, and will not end."""
    aws.broken = {step: "hangs"}
    process = start(database)
    begun(aws)
    process.kill()
    process.communicate()


@pytest.fixture
def at_hand(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database, whose address the verbs of this process read from the environment."""
    monkeypatch.setenv("SNOWETL_DATABASE", database)
    return database


def test_lesson_cancel_waits_until_the_job_has_ended(aws: Aws, at_hand: str, capsys: Capture) -> None:
    killed_over(aws, at_hand, "enrich")
    aws.lingers = 1.5
    assert main(["cancel", "-o", "s3://lake/out", RUN]) == 0
    assert "1 job stopped" in capsys.readouterr().out
    [then] = aws.ended
    assert f"out/runs/run={RUN}/plan.json" in then, "what the job may still write to is there until it has ended"
    assert not any(f"/run={RUN}/" in key and "cancelled" not in key for key in objects(aws, "out/"))
    assert aws.clusters_left == []


def test_lesson_a_job_that_does_not_end_keeps_its_output(
    aws: Aws, at_hand: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(control, "_PATIENCE_SECONDS", 0.3)
    killed_over(aws, at_hand, "enrich")
    aws.lingers = 600
    assert main(["cancel", "-o", "s3://lake/out", RUN]) == 2
    assert "was told to end, and has not" in " ".join(capsys.readouterr().err.split())
    assert f"out/runs/run={RUN}/plan.json" in objects(aws, "out/")


def test_lesson_cancel_finds_a_job_whose_id_was_never_noted(aws: Aws, at_hand: str) -> None:
    killed_over(aws, at_hand, "enrich")
    store = StateStore("s3://lake/out/runs")
    stored = store.get(RUN)
    assert stored.state is not None
    store.put(state.submitted(stored.state, "enrich", None), stored)  # type: ignore[arg-type]
    assert main(["cancel", "-o", "s3://lake/out", RUN]) == 0
    assert [each["StepIds"] for each in aws.operations("CancelSteps")] == [[step.id] for step in aws.steps]


def test_lesson_the_report_of_an_earlier_load_does_not_stand_for_bad_rows_that_are_left(
    aws: Aws, database: str
) -> None:
    assert main(arguments(database, *on_serverless(aws), "--no-load-bad-rows")) == 0
    aws.broken = {"load": "FAILED"}  # for lack of capacity: then it is tried again
    assert main(arguments(database, *on_serverless(aws))) == 0
    assert attempts(aws)["load"] == ["done", "failed", "done"]
    with psycopg.connect(database) as connection:
        [(bad,)] = connection.execute("SELECT count(*) FROM atomic.bad_rows").fetchall()
    assert bad == sum(EXPECTED["badRows"].values())
    assert aws.ran == ["enrich", "transform", "load", "load"] and rows(database) == EXPECTED["events"]


def resume_by_another(database: str) -> int:
    """``snowetl resume`` as a process, when the lease of the dead one may be taken."""
    command = [sys.executable, "-m", "snowetl", "resume", "-o", "s3://lake/out", RUN]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(SNOWETL_DATABASE=database), capture_output=True, text=True, check=False
    )
    print(done.stderr)
    return done.returncode


def shared_cluster(aws: Aws) -> Any:
    """A cluster that somebody else has started."""
    client = boto3.client("emr", endpoint_url=aws.endpoint)
    made = client.run_job_flow(
        Name="shared",
        ReleaseLabel="emr-7.13.0",
        LogUri="s3://lake/logs",
        Instances={"KeepJobFlowAliveWhenNoSteps": True},
    )
    return aws.emr.clusters[made["JobFlowId"]]
