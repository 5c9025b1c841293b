"""Requests for boto3: valid by the model, and taken by a stand-in of AWS."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from snowetl.errors import ConfigError
from snowetl.orchestrator.executors import emr_requests as requests
from snowetl.orchestrator.executors.emr_requests import SparkJob
from snowetl.orchestrator.exports import boto3_json
from snowetl.orchestrator.exports.step import Place, token
from tests.orchestrator.exports.support import (
    ENVIRONMENT,
    EXISTING,
    ID,
    PLACES,
    SERVERLESS,
    STEPS,
    TRANSIENT,
    camel,
    refused,
)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_requests_are_valid(place: Place) -> None:
    calls = boto3_json.calls(STEPS, place, ID)
    assert [refused(call["service"], camel(call["operation"]), call["parameters"]) for call in calls] == [""] * len(
        calls
    )
    assert "{run-id}" not in json.dumps(calls)


def test_a_cluster_ends_with_its_steps() -> None:
    [call] = boto3_json.calls(STEPS, TRANSIENT, ID)
    request = call["parameters"]
    assert request["Instances"]["KeepJobFlowAliveWhenNoSteps"] is False
    assert [step["ActionOnFailure"] for step in request["Steps"]] == ["TERMINATE_CLUSTER"] * 2
    assert {"Key": "snowetl-run", "Value": ID} in request["Tags"]
    assert request["AutoTerminationPolicy"] == {"IdleTimeout": 3600}
    task = request["Instances"]["InstanceGroups"][2]
    assert (task["Market"], task["BidPrice"], task["InstanceCount"]) == ("SPOT", "0.2", 3)


def test_a_step_brings_its_python() -> None:
    [call] = boto3_json.calls(STEPS, EXISTING, ID)
    arguments = call["parameters"]["Steps"][0]["HadoopJarStep"]["Args"]
    assert arguments[:3] == ["spark-submit", "--deploy-mode", "cluster"]
    assert f"spark.archives={ENVIRONMENT}#environment,s3://b/snowetl/config.zip#config" in arguments
    assert "spark.yarn.appMasterEnv.PYSPARK_PYTHON=./environment/bin/python" in arguments
    assert arguments[arguments.index("s3://b/snowetl/enrich.py") :][-1] == ID


def test_the_same_run_is_the_same_job() -> None:
    first, again = (boto3_json.calls(STEPS, SERVERLESS, ID) for _ in range(2))
    tokens = [call["parameters"]["clientToken"] for call in first]
    assert tokens == [call["parameters"]["clientToken"] for call in again]
    assert len(set(tokens)) == 2
    assert token("x" * 80, "a/b") == "x" * 60 + "-a-b"


def test_issue_1311_a_step_that_is_too_long_is_refused_before_it_is_sent() -> None:
    long = SparkJob("s", "s3://b/e.py", ("x" * 10_240,))
    with pytest.raises(ConfigError, match="characters, and EMR takes 10,240"):
        requests.step(long, ENVIRONMENT, "CONTINUE")


def test_more_steps_than_emr_takes_are_refused() -> None:
    with pytest.raises(ConfigError, match="257 steps are more than the 256"):
        requests.steps([SparkJob("s", "e")] * 257, ENVIRONMENT, "CONTINUE")


@pytest.mark.slow
@mock_aws
def test_what_is_written_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    [call] = json.loads(boto3_json.files(STEPS, TRANSIENT, ID)["requests.json"])["calls"]
    emr: Any = boto3.client(call["service"], region_name=call["region"])
    cluster_id = getattr(emr, call["operation"])(**call["parameters"])["JobFlowId"]
    steps = emr.list_steps(ClusterId=cluster_id)["Steps"]
    assert sorted(step["Name"] for step in steps) == ["[enrich] snowetl", "[shred] snowetl"]
    assert emr.describe_cluster(ClusterId=cluster_id)["Cluster"]["ReleaseLabel"] == "emr-7.13.0"
