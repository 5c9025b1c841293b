"""``snowetl run --executor emr|emr-serverless``: the jobs really run, and their rows are in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.load.embedded import embedded_postgres
from tests.integration.support import ROOT
from tests.orchestrator.executors.aws import BUCKET, ROLE, Aws, s3, stand_in

RUN = "2026-03-05-00-00-03"
LOGS = ROOT / "fixtures" / "logs" / "webhooks"
EXPECTED: dict[str, Any] = json.loads((ROOT / "fixtures/logs/expected.json").read_text("utf-8"))["webhooks"]
CLUSTER = {
    "release": "emr-7.13.0",
    "subnet": "subnet-1",
    "service-role": "EMR_DefaultRole_V2",
    "instance-profile": "snowetl-emr",
    "core": {"type": "m7g.xlarge", "fallbacks": ["m6g.xlarge"], "count": 2, "spot": 50},
    "scaling": {"minimum": 1, "maximum": 10},
}


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.chdir(ROOT)
    with stand_in(tmp_path, monkeypatch.setenv) as stood:
        for path in LOGS.iterdir():
            s3(stood.endpoint).put_object(Bucket=BUCKET, Key=f"raw/{path.name}", Body=path.read_bytes())
        yield stood


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_postgres(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture
def database(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS atomic CASCADE")
    return server


def arguments(database: str, *more: str) -> list[str]:
    return [
        *("run", "--input-folder", "s3://lake/raw", "--input-format", "thrift", "--output-folder", "s3://lake/out"),
        *("--enrichments", "fixtures/enrichments", "--iglu-config", "fixtures/resolver.json"),
        *("--database", database, "--emr-package", "s3://lake/snowetl", "--emr-poll", "0"),
        *("--emr-log-folder", "s3://lake/logs", "--run-id", RUN),
        *more,
    ]


def on_cluster(*more: str) -> tuple[str, ...]:
    return ("--executor", "emr", "--emr-cluster", json.dumps(CLUSTER), *more)


def on_serverless(aws: Aws, *more: str) -> tuple[str, ...]:
    application = aws.application()
    return ("--executor", "emr-serverless", "--emr-application-id", application, "--emr-job-role", ROLE, *more)


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        [(number,)] = connection.execute("SELECT count(*) FROM atomic.events").fetchall()
    return int(number)


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
    code = main(arguments(database, *on_serverless(aws, "--emr-flex", "--emr-attempts", "2")))
    assert code == 0, capsys.readouterr().err
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
