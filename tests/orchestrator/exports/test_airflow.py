"""DAGs: what their text says, and (where Airflow is) what Airflow makes of them."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from snowetl.orchestrator.exports import airflow, boto3_json
from snowetl.orchestrator.exports.step import Place
from tests.orchestrator.exports.support import EXISTING, ID, PLACES, SERVERLESS, STEPS, TRANSIENT, refused

TASKS = Path(__file__).with_name("airflow_tasks.py")


def _dag(place: Place) -> str:
    [text] = airflow.files(STEPS, place, "15 * * * *", (2026, 3, 1)).values()
    return text


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_the_file_is_python(place: Place) -> None:
    tree = ast.parse(_dag(place))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules <= {
        "datetime",
        "airflow",
        "airflow.providers.amazon.aws.operators.emr",
        "airflow.providers.amazon.aws.utils.waiter",
    }


def test_complaint_69625_no_token_is_fixed() -> None:
    assert "client_request_token" not in _dag(SERVERLESS)


@cache
def _python() -> str:
    """A Python that has Airflow: that of ``SNOWETL_AIRFLOW_PYTHON``, or the one ``.ci/find-airflow`` made."""
    cached = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "snowetl", "airflow", "bin", "python")
    for python in (os.environ.get("SNOWETL_AIRFLOW_PYTHON", ""), str(cached), sys.executable):
        if python and Path(python).exists():
            found = subprocess.run([python, "-c", "import airflow.providers.amazon"], capture_output=True)
            if found.returncode == 0:
                return python
    return ""


def _loaded(place: Place, tmp_path: Path) -> dict[str, Any]:
    if not _python():
        pytest.skip("there is no Airflow here: .ci/find-airflow installs it")
    dag = tmp_path / "snowetl_dag.py"
    dag.write_text(_dag(place))
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    done = subprocess.run([_python(), str(TASKS), str(dag)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert all(task["deferrable"] for task in found["tasks"])
    assert {task["module"] for task in found["tasks"]} == {"airflow.providers.amazon.aws.operators.emr"}
    return found


@pytest.mark.slow
def test_airflow_starts_a_cluster_for_each_run(tmp_path: Path) -> None:
    [task] = _loaded(TRANSIENT, tmp_path)["tasks"]
    assert (task["operator"], task["retries"]) == ("EmrCreateJobFlowOperator", 2)
    request = task["fields"]["job_flow_overrides"]
    assert refused("emr", "RunJobFlow", request) == ""
    [expected] = boto3_json.calls(STEPS, TRANSIENT, ID)
    assert request == expected["parameters"]  # names of files, braces and the id of the run included


@pytest.mark.slow
def test_airflow_adds_steps_to_a_cluster(tmp_path: Path) -> None:
    [task] = _loaded(EXISTING, tmp_path)["tasks"]
    [expected] = boto3_json.calls(STEPS, EXISTING, ID)
    assert task["fields"]["job_flow_id"] == "j-1ABC"
    assert task["fields"]["steps"] == expected["parameters"]["Steps"]


@pytest.mark.slow
def test_airflow_runs_jobs_one_after_the_other(tmp_path: Path) -> None:
    found = _loaded(SERVERLESS, tmp_path)
    first, second = found["tasks"]
    assert (first["upstream"], second["upstream"]) == ([], ["step_1"])
    for task, call in zip((first, second), boto3_json.calls(STEPS, SERVERLESS, ID), strict=True):
        expected = call["parameters"]
        assert task["fields"]["job_driver"] == expected["jobDriver"]
        assert task["fields"]["configuration_overrides"] == expected["configurationOverrides"]
        assert task["fields"]["config"] == {"executionTimeoutMinutes": 60}
