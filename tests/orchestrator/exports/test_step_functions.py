"""State machines: what Step Functions would refuse, what a run's steps become, and their schedule."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from snowetl.errors import UsageError
from snowetl.orchestrator.exports import asl, step_functions
from snowetl.orchestrator.exports.schedules import eventbridge
from snowetl.orchestrator.exports.step import Place
from tests.orchestrator.exports.support import EXISTING, ID, PLACES, SERVERLESS, STEPS, TRANSIENT, refused


def _evaluated(text: str, document: dict[str, Any]) -> Any:
    """The value of an expression, by Step Functions' rules."""
    value, rest = _value(text, document)
    assert rest == ""
    return value


def _value(text: str, document: dict[str, Any]) -> tuple[Any, str]:
    if text.startswith("'"):
        match = re.match(r"'((?:[^'\\]|\\.)*)'", text)
        assert match is not None
        return re.sub(r"\\([\\'])", r"\1", match[1]), text[match.end() :]
    if text.startswith("$"):
        path = re.match(r"\$[\w.]*", text)
        assert path is not None
        value: Any = document
        for key in path[0].split(".")[1:]:
            value = value[key]
        return value, text[path.end() :]
    number = re.match(r"\d+", text)
    if number:
        return int(number[0]), text[number.end() :]
    call = re.match(r"States\.(\w+)\(", text)
    assert call is not None
    text, arguments = text[call.end() :], []
    while not text.startswith(")"):
        argument, text = _value(text, document)
        arguments.append(argument)
        text = text.removeprefix(", ")
    return _FUNCTIONS[call[1]](*arguments), text[1:]


def _format(template: str, *values: Any) -> str:
    pieces = re.split(r"(?<!\\)\{\}", template)
    filled = pieces[0] + "".join(f"{value}{piece}" for value, piece in zip(values, pieces[1:], strict=True))
    return filled.replace("\\{", "{").replace("\\}", "}")


_FUNCTIONS = {
    "Array": lambda *values: list(values),
    "ArrayGetItem": lambda values, index: values[index],
    "Format": _format,
    "StringSplit": lambda text, separators: [part for part in re.split(f"[{re.escape(separators)}]", text) if part],
}


def _filled(value: Any, document: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {
            key.removesuffix(".$"): _evaluated(inner, document) if key.endswith(".$") else _filled(inner, document)
            for key, inner in value.items()
        }
    return [_filled(inner, document) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_machines_are_good(place: Place) -> None:
    assert asl.problems(step_functions.state_machine(STEPS, place)) == []


def test_the_time_of_the_schedule_is_the_id_of_the_run() -> None:
    states = step_functions.state_machine(STEPS, SERVERLESS)["States"]
    parts = _filled(states["Time"]["Parameters"], {"time": "2026-03-05T02:00:00Z"})
    assert _filled(states["Run id"]["Parameters"], parts) == {"id": ID}


def test_a_job_gets_the_arguments_of_its_step() -> None:
    states = step_functions.state_machine(STEPS, SERVERLESS)["States"]
    parameters = _filled(states["[shred] snowetl"]["Parameters"], {"run": {"id": ID}})
    submit = parameters["JobDriver"]["SparkSubmit"]
    assert submit["EntryPointArguments"] == ["-i", f"s3://b/enriched/run={ID}/", "{{x}}"]
    first = _filled(states["[enrich] snowetl"]["Parameters"], {"run": {"id": ID}})
    assert first["JobDriver"]["SparkSubmit"]["EntryPointArguments"][3] == "s3://b/it's/"
    request = {key[0].lower() + key[1:]: value for key, value in parameters.items()}
    request["jobDriver"] = {"sparkSubmit": {key[0].lower() + key[1:]: value for key, value in submit.items()}}
    del request["configurationOverrides"]
    assert refused("emr-serverless", "StartJobRun", request | {"clientToken": "t"}) == ""


def test_the_parameters_of_a_cluster_are_emrs() -> None:
    states = step_functions.state_machine(STEPS, TRANSIENT)["States"]
    create = _filled(states["Start cluster"]["Parameters"], {"run": {"id": ID}})
    assert refused("emr", "RunJobFlow", create) == ""
    assert create["Instances"]["KeepJobFlowAliveWhenNoSteps"] is True
    document = {"run": {"id": ID}, "cluster": {"ClusterId": "j-1"}}
    step = _filled(states["[enrich] snowetl"]["Parameters"], document)
    assert refused("emr", "AddJobFlowSteps", {"JobFlowId": step["ClusterId"], "Steps": [step["Step"]]}) == ""


def test_complaint_61010_no_cluster_stays_behind_a_failed_step() -> None:
    states = step_functions.state_machine(STEPS, TRANSIENT)["States"]
    for step in STEPS:
        assert [catch["Next"] for catch in states[step.name]["Catch"]] == ["End failed cluster"]
    assert states["End failed cluster"]["Next"] == "Failed"
    assert states["Start cluster"]["Parameters"]["AutoTerminationPolicy"] == {"IdleTimeout": 3600}


def test_an_existing_cluster_is_left_alone() -> None:
    states = step_functions.state_machine(STEPS, EXISTING)["States"]
    assert {state.get("Resource") for state in states.values()} == {
        None,
        "arn:aws:states:::elasticmapreduce:addStep.sync",
    }


def test_the_schedule_is_a_request() -> None:
    files = step_functions.files(STEPS, SERVERLESS, "15 2 * * 1-5")
    schedule = json.loads(files["schedule.json"])
    schedule["Target"] |= {"Arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:snowetl", "RoleArn": "r" * 20}
    assert refused("scheduler", "CreateSchedule", schedule) == ""
    assert schedule["ScheduleExpression"] == "cron(15 2 ? * 2-6 *)"


@pytest.mark.parametrize(
    ("cron", "expression"),
    [
        ("0 * * * *", "cron(0 * * * ? *)"),
        ("*/15 * * * *", "cron(*/15 * * * ? *)"),
        ("5 4 1,15 * *", "cron(5 4 1,15 * ? *)"),
        ("5 4 * * 0", "cron(5 4 ? * 1 *)"),
        ("5 4 * * 7", "cron(5 4 ? * 1 *)"),
        ("5 4 * JAN MON-FRI", "cron(5 4 ? JAN MON-FRI *)"),
    ],
)
def test_cron_for_eventbridge(cron: str, expression: str) -> None:
    assert eventbridge(cron) == expression


@pytest.mark.parametrize("cron", ["hourly", "0 * * *", "0 0 1 * 1", "0 0 ? * 1"])
def test_schedules_that_cannot_be_said(cron: str) -> None:
    with pytest.raises(UsageError, match="--schedule"):
        eventbridge(cron)


_GOOD = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True}}}


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"Next": "B"}, "A: there must be Next or End, and not both"),
        ({"End": False, "Next": "B"}, "A: it leads to B, which is not a state"),
        ({"Resource": "lambda"}, "A: Resource lambda is not an integration"),
        ({"Type": "Job"}, "A: unknown Type Job"),
        ({"Retries": 1}, "A: Task has no field Retries"),
        ({"Parameters": {"a.$": "x"}}, "A: a.$: neither a path nor a function: x"),
        ({"Parameters": {"a.$": "States.Format('x'"}}, "A: a.$: States.Format is not closed"),
        ({"Parameters": {"a": [{"b.$": "States.Sum(1)"}]}}, "A: b.$: unknown function States.Sum"),
        ({"Parameters": {"a.$": "States.StringSplit('x')"}}, "A: a.$: States.StringSplit does not take 1 arguments"),
        ({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]}, "A: it leads to C, which is not a state"),
        ({"ResultPath": "x"}, "A: ResultPath x is not a path"),
    ],
)
def test_what_step_functions_would_refuse(state: dict[str, Any], problem: str) -> None:
    assert asl.problems(_GOOD) == []
    machine = {"StartAt": "A", "States": {"A": {**_GOOD["States"]["A"], **state}}}  # type: ignore[index]
    assert problem in asl.problems(machine)


def test_machines_without_a_way() -> None:
    assert asl.problems({"StartAt": "A", "States": {}}) == ["there are no States"]
    lonely = {**_GOOD["States"], "B": {"Type": "Succeed"}}  # type: ignore[dict-item]
    assert asl.problems({"StartAt": "A", "States": lonely}) == ["B: no state leads here"]
