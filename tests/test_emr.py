"""The EMR templates are requests AWS would take, and say what the job's own command line understands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import botocore.session
import click
import pytest
from botocore.validate import ParamValidator

from snowetl.cli.enrich import command

EMR = Path(__file__).parent.parent / "emr"
ROLE = "arn:aws:iam::123456789012:role/some-role"


def _filled(name: str) -> Any:
    """The JSON of a template, with something for each placeholder."""
    text = (EMR / name).read_text("utf-8")
    return json.loads(re.sub(r"\$\{(\w+)\}", lambda m: ROLE if "ROLE" in m[1] else f"x{m[1].lower()}", text))


@pytest.mark.parametrize(
    ("name", "service", "operation"),
    [
        ("cluster.json", "emr", "RunJobFlow"),
        ("serverless-application.json", "emr-serverless", "CreateApplication"),
        ("serverless-job.json", "emr-serverless", "StartJobRun"),
    ],
)
def test_templates_are_valid_requests(name: str, service: str, operation: str) -> None:
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    report = ParamValidator().validate(_filled(name), model.input_shape)
    assert not report.has_errors(), report.generate_report()


def _job_arguments() -> list[list[str]]:
    args = _filled("cluster.json")["Steps"][0]["HadoopJarStep"]["Args"]
    script = next(number for number, arg in enumerate(args) if arg.endswith("enrich.py"))
    driver = _filled("serverless-job.json")["jobDriver"]["sparkSubmit"]
    return [args[script + 1 :], driver["entryPointArguments"]]


@pytest.mark.parametrize("arguments", _job_arguments(), ids=["cluster", "serverless"])
def test_arguments_are_the_jobs(arguments: list[str]) -> None:
    parsed = command.make_context("enrich", list(arguments), resilient_parsing=False)
    assert isinstance(parsed, click.Context)
    assert parsed.params["input_format"] == "thrift"


def test_step_arguments_fit_emr() -> None:
    for step in _filled("cluster.json")["Steps"]:
        assert sum(map(len, step["HadoopJarStep"]["Args"])) < 10_240


@pytest.mark.parametrize("name", sorted(path.name for path in (EMR / "policies").glob("*.json")))
def test_policies_are_policies(name: str) -> None:
    policy = _filled(f"policies/{name}")
    assert policy["Version"] == "2012-10-17"
    assert all({"Effect", "Action"} <= set(statement) for statement in policy["Statement"])


@pytest.mark.parametrize("script", sorted(path.name for path in EMR.glob("*.sh")))
def test_scripts_parse(script: str) -> None:
    assert subprocess.run(["bash", "-n", str(EMR / script)], check=False).returncode == 0
    assert (EMR / script).stat().st_mode & 0o111
