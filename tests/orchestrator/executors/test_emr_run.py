"""``snowetl run --executor emr|emr-serverless``: the jobs really run, and their rows are in PostgreSQL."""

from __future__ import annotations

import json

import pytest

from snowetl.cli.main import main
from tests.orchestrator.executors.aws import BUCKET, Aws, s3
from tests.orchestrator.executors.support import (
    CLUSTER,
    EXPECTED,
    RUN,
    arguments,
    on_cluster,
    on_serverless,
    rows,
    text,
)


def test_a_run_on_a_cluster_of_its_own(aws: Aws, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(arguments(database, *on_cluster("--emr-tag", "team=data")))
    assert code == 0, capsys.readouterr().err
    assert rows(database) == EXPECTED["events"]
    assert aws.ran == ["enrich", "transform", "load"]
    assert [step.name for step in aws.steps] == [
        "[enrich] spark: Enrich Raw Events",
        "[shred] spark: Shred Enriched Events",
        "[rdb_load] Load postgres atomic Storage Target",
    ]
    assert aws.refused == [] and aws.clusters_left == []
    assert set(aws.tokens().values()) == {1}
    [launch] = aws.operations("RunJobFlow")
    assert launch["AutoTerminationPolicy"]["IdleTimeout"] == 900
    assert {"Key": "team", "Value": "data"} in launch["Tags"] and len(launch["Steps"]) == 1


def test_a_run_on_serverless(aws: Aws, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    price = ("--price-per-hour", "vcpu=0.1,gb=0.01")
    code = main(arguments(database, *on_serverless(aws, "--emr-flex", "--emr-attempts", "2", *price)))
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "billed: 0.50 vCPU hours, 2.00 GB hours" in said.err
    report = json.loads(text(aws, f"out/runs/run={RUN}/report.json"))
    assert report["usage"]["load"] == {"vcpuHours": 0.5, "gbHours": 2.0, "storageGbHours": 0.0}
    assert report["cost"] == pytest.approx(3 * (0.05 + 0.02))
    assert rows(database) == EXPECTED["events"]
    assert aws.ran == ["enrich", "transform", "load"] and aws.refused == []
    assert set(aws.tokens().values()) == {1}
    assert {request["retryPolicy"]["maxAttempts"] for request in aws.operations("StartJobRun")} == {2}


def test_dry_shows_the_requests_and_sends_none(aws: Aws, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(database, "--executor", "dry", "--emr-cluster", json.dumps(CLUSTER))) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["operation"] for each in shown] == ["run_job_flow", "add_job_flow_steps", "add_job_flow_steps"]
    assert any(url.endswith("/config/enrich/enrichments.json") for url in shown[0]["uploads"])
    assert aws.calls == [] and "Contents" not in s3(aws.endpoint).list_objects_v2(Bucket=BUCKET, Prefix="out/")
