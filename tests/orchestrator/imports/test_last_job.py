"""How the last job flow of the old runner ended, asked of a stand-in of EMR."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.emr.models import emr_backends

from tests.orchestrator.imports.support import FILES, imported

NAMES = ("[enrich] spark: Enrich Raw Events", "[rdb_load] Load W Storage Target", "[archive_raw] s3-dist-cp: Raw")
REGION = "eu-west-1"


@pytest.fixture
def emr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(FILES)
    for name, value in (("LARKSPUR_CORES", "3"), ("AWS_ACCESS_KEY_ID", "t"), ("AWS_SECRET_ACCESS_KEY", "t")):
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield boto3.client("emr", region_name=REGION)


def _job_flow(emr: Any, *states: str, name: str = "Larkspur ETL") -> str:
    """A job flow whose steps stand in ``states``."""
    jar = {"Jar": "command-runner.jar", "Args": []}
    steps = [{"Name": each, "HadoopJarStep": jar} for each in NAMES]
    id_: str = emr.run_job_flow(
        Name=name,
        LogUri="s3://larkspur-logs/emr/",
        ReleaseLabel="emr-5.29.0",
        Instances={"InstanceCount": 1, "MasterInstanceType": "m4.large", "KeepJobFlowAliveWhenNoSteps": True},
        Steps=steps,
    )["JobFlowId"]
    [backend] = emr_backends.values()
    for step, state in zip(backend[REGION].clusters[id_].steps, states, strict=True):
        step.state = state
    return id_


def _asked(id_: str) -> int:
    return imported(Path(), "emr-etl-runner", "config.yml", "--job-flow", id_)


@pytest.mark.slow
def test_a_failed_load_is_finished_by_the_old_runner(emr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    id_ = _job_flow(emr, "COMPLETED", "FAILED", "CANCELLED")
    assert _asked(id_) == 0
    said = capsys.readouterr().out
    assert f"EMR jobflow {id_} failed" in said
    assert "2/3 steps failed to complete successfully" in said
    assert f"Its logs: s3://larkspur-logs/emr/{id_}/steps/s-" in said
    assert "run the old command with --resume-from rdb_load" in said
    assert f"The persistent cluster {id_} (Larkspur ETL) waits for work" in said


def test_a_job_flow_that_is_done(emr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert _asked(_job_flow(emr, *["COMPLETED"] * 3, name="another")) == 0
    assert "all 3 steps are done; nothing of it is left to do" in capsys.readouterr().out


def test_a_job_flow_at_work(emr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert _asked(_job_flow(emr, "COMPLETED", "RUNNING", "PENDING", name="another")) == 0
    assert "wait until it has ended" in capsys.readouterr().out


@pytest.mark.slow
def test_two_persistent_clusters_of_a_name(emr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    first = _job_flow(emr, *["COMPLETED"] * 3)
    _job_flow(emr, *["COMPLETED"] * 3)
    assert _asked(first) == 1
    assert "found 2 with name Larkspur ETL" in capsys.readouterr().err


def test_an_unknown_job_flow(emr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert _asked("j-NONE") == 2
    assert "--job-flow j-NONE: Cluster id 'j-NONE' is not valid" in capsys.readouterr().err
