"""Files for Dataflow Runner, read back as it reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowetl.errors import UsageError
from snowetl.orchestrator.exports import boto3_json, playbook
from snowetl.orchestrator.imports.dataflow_runner import files, requests
from snowetl.orchestrator.imports.dataflow_runner.template import Template
from tests.orchestrator.exports.support import EXISTING, ID, SERVERLESS, STEPS, TRANSIENT, refused


def _read(text: str) -> files.RunnerFile:
    return files.parse(Template({"runId": ID}, {}).fill(text, "playbook.json"))


def test_the_playbook_sends_the_steps_of_the_run() -> None:
    written = playbook.files(STEPS, TRANSIENT)
    steps = requests.step_requests(_read(written["playbook.json"]))
    [expected] = boto3_json.calls(STEPS, EXISTING, ID)
    assert steps == expected["parameters"]["Steps"]


def test_the_cluster_is_a_request() -> None:
    written = playbook.files(STEPS, TRANSIENT)
    cluster, steps = _read(written["cluster.json"]), requests.step_requests(_read(written["playbook.json"]))
    request = requests.run_job_flow(cluster, steps)
    assert refused("emr", "RunJobFlow", request) == ""
    assert request["Instances"]["KeepJobFlowAliveWhenNoSteps"] is False
    assert request["ReleaseLabel"] == "emr-7.13.0"


def test_a_cluster_that_is_there_needs_no_file() -> None:
    assert list(playbook.files(STEPS, EXISTING)) == ["playbook.json"]


def test_serverless_has_no_playbook(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="knows no EMR Serverless"):
        playbook.files(STEPS, SERVERLESS)
