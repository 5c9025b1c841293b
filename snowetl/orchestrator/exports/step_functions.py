"""``state_machine.json`` and ``schedule.json``: Step Functions that run a run, EventBridge Scheduler that starts them.

Both use the optimized integrations (``.sync``), which wait for jobs and steps and cancel or report them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from snowetl.errors import SnowetlError
from snowetl.orchestrator.executors import emr_requests as requests
from snowetl.orchestrator.executors.emr_requests import Serverless, SparkJob
from snowetl.orchestrator.exports import asl
from snowetl.orchestrator.exports.schedules import eventbridge
from snowetl.orchestrator.exports.step import RUN_ID, ExistingCluster, Place, TransientCluster

_RUN_ID = "$.run.id"
_CLUSTER_ID = "$.cluster.ClusterId"
_EMR = "arn:aws:states:::elasticmapreduce:"
_SERVERLESS = "arn:aws:states:::emr-serverless:startJobRun.sync"
_RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 300, "MaxAttempts": 2, "BackoffRate": 2}]
"""A step that is sent again goes on with the same run."""

_COMMENT = (
    'Made by `snowetl export step-functions`. Input: {"time": "2026-03-05T02:00:00Z"}, the start of the run, which '
    "gives it its id."
)


def files(steps: Sequence[SparkJob], place: Place, schedule: str, name: str = "snowetl") -> dict[str, str]:
    """The state machine, and the schedule that starts it. ``schedule`` has the five fields of cron, in UTC."""
    machine = state_machine(steps, place)
    faults = asl.problems(machine)
    if faults:
        raise SnowetlError(f"a state machine that Step Functions would refuse: {'; '.join(faults)}")
    documents = {"state_machine.json": machine, "schedule.json": scheduled(schedule, name)}
    return {file: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for file, document in documents.items()}


def scheduled(schedule: str, name: str) -> dict[str, Any]:
    """``scheduler.create_schedule``; fill in the two ARNs."""
    return {
        "Name": name,
        "ScheduleExpression": eventbridge(schedule),
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": "${StateMachineArn}",
            "RoleArn": "${SchedulerRoleArn}",
            "Input": '{"time": "<aws.scheduler.scheduled-time>"}',
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5},
        },
    }


def state_machine(steps: Sequence[SparkJob], place: Place) -> dict[str, Any]:
    """The machine as JSON: the id of the run, then the steps in order."""
    match place:
        case Serverless():
            states = _in_order([(_title(step), _job(step, place)) for step in steps])
        case ExistingCluster(cluster_id, _, environment):
            planned = [(_title(step), _step(step, environment, {"ClusterId": cluster_id})) for step in steps]
            states = _in_order(planned)
        case TransientCluster():
            states = _on_own_cluster(steps, place)
    first = next(iter(states))
    return {"Comment": _COMMENT, "StartAt": "Time", "States": {**_run_id(first), **states}}


def _run_id(following: str) -> dict[str, Any]:
    """``2026-03-05T02:00:00Z`` becomes ``2026-03-05-02-00-00``."""
    parts = ", ".join(f"States.ArrayGetItem($.parts, {index})" for index in range(6))
    return {
        "Time": {
            "Type": "Pass",
            "Parameters": {"parts.$": "States.StringSplit($.time, '-T:.Z')"},
            "Next": "Run id",
        },
        "Run id": {
            "Type": "Pass",
            "Parameters": {"id.$": f"States.Format('{{}}-{{}}-{{}}-{{}}-{{}}-{{}}', {parts})"},
            "ResultPath": "$.run",
            "Next": following,
        },
    }


def _in_order(planned: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """States one after the other, each tried again."""
    names = [name for name, _ in planned]
    return {
        name: {**state, "Retry": _RETRY, **({"Next": following} if following else {"End": True})}
        for (name, state), following in zip(planned, [*names[1:], None], strict=True)
    }


def _on_own_cluster(steps: Sequence[SparkJob], place: TransientCluster) -> dict[str, Any]:
    """Start a cluster, add the steps, end it, whatever happens: no cluster stays behind a failed execution."""
    request = requests.run_job_flow(place.cluster, [], "")
    request = {key: value for key, value in request.items() if key != "Steps"}
    request["Instances"] = {**request["Instances"], "KeepJobFlowAliveWhenNoSteps": True}
    request["Tags"] = [tag for tag in request["Tags"] if tag["Key"] != "snowetl-run"]
    del request["Name"]
    create = {
        "Type": "Task",
        "Resource": f"{_EMR}createCluster.sync",
        "Parameters": {"Name.$": _format(f"{place.cluster.name} {RUN_ID}"), **request},
        "ResultPath": "$.cluster",
        "Retry": _RETRY,
        "Next": _title(steps[0]),
    }
    ends = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "End failed cluster"}]
    states: dict[str, Any] = {"Start cluster": create}
    following = [*map(_title, steps[1:]), "End cluster"]
    for step, after in zip(steps, following, strict=True):
        task = _step(step, place.environment, {"ClusterId.$": _CLUSTER_ID})
        states[_title(step)] = {**task, "Retry": _RETRY, "Catch": ends, "Next": after}
    return {
        **states,
        "End cluster": {**_terminate(), "End": True},
        "End failed cluster": {**_terminate(), "Next": "Failed"},
        "Failed": {"Type": "Fail", "Error": "snowetl.StepFailed", "Cause": "See the step before; its run can go on."},
    }


def _terminate() -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"{_EMR}terminateCluster",
        "Parameters": {"ClusterId.$": _CLUSTER_ID},
        "ResultPath": None,
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30, "MaxAttempts": 5, "BackoffRate": 2}],
    }


def _step(step: SparkJob, environment: str, cluster: Mapping[str, str]) -> dict[str, Any]:
    request = requests.step(step, environment, "CONTINUE")
    jar = request["HadoopJarStep"]
    return {
        "Type": "Task",
        "Resource": f"{_EMR}addStep.sync",
        "Parameters": {
            **cluster,
            "Step": {
                **_named(step),
                "ActionOnFailure": request["ActionOnFailure"],
                "HadoopJarStep": {"Jar": jar["Jar"], "Args.$": _array(jar["Args"])},
            },
        },
        "ResultPath": None,
    }


def _job(step: SparkJob, place: Serverless) -> dict[str, Any]:
    submit = requests.job_driver(step)["sparkSubmit"]
    driver = {"EntryPoint": submit["entryPoint"], "EntryPointArguments.$": _array(submit["entryPointArguments"])}
    if "sparkSubmitParameters" in submit:
        driver["SparkSubmitParameters"] = submit["sparkSubmitParameters"]
    parameters: dict[str, Any] = {
        "ApplicationId": place.application_id,
        "ExecutionRoleArn": place.role_arn,
        **_named(step),
        "ExecutionTimeoutMinutes": place.timeout_minutes,
        "JobDriver": {"SparkSubmit": driver},
    }
    if place.log_uri is not None:
        monitoring = {"S3MonitoringConfiguration": {"LogUri": place.log_uri}}
        parameters["ConfigurationOverrides"] = {"MonitoringConfiguration": monitoring}
    return {"Type": "Task", "Resource": _SERVERLESS, "Parameters": parameters, "ResultPath": None}


def _title(step: SparkJob) -> str:
    """The name of a state: that of its step, whatever the run."""
    return step.name.replace(RUN_ID, "").strip()


def _named(step: SparkJob) -> dict[str, str]:
    return {"Name.$": _format(step.name)} if RUN_ID in step.name else {"Name": step.name}


def _array(texts: Sequence[str]) -> str:
    """Arguments as ``States.Array``, those with the id of the run as ``States.Format``."""
    return f"States.Array({', '.join(_format(text) if RUN_ID in text else _quoted(text) for text in texts)})"


def _format(text: str) -> str:
    if RUN_ID not in text:
        return f"States.Format({_quoted(text)})"
    template = "{}".join(_quoted(part)[1:-1].replace("{", "\\{").replace("}", "\\}") for part in text.split(RUN_ID))
    ids = ", ".join([_RUN_ID] * text.count(RUN_ID))
    return f"States.Format('{template}', {ids})"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
