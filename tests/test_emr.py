"""The files in emr/ are what AWS, CloudFormation and Terraform would take, say the same, and fit what they start."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import click
import pytest
import yaml
from botocore.validate import ParamValidator

from snowetl.cli.run import command
from snowetl.orchestrator.package import JOBS

ROOT = Path(__file__).parent.parent
EMR = ROOT / "emr"
ROLE = "arn:aws:iam::123456789012:role/some-role"
MANAGED = {"Key": "for-use-with-amazon-emr-managed-policies", "Value": "true"}
VERBS = sorted(JOBS)


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
def test_requests_are_valid(name: str, service: str, operation: str) -> None:
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    report = ParamValidator().validate(_filled(name), model.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_a_cluster_has_the_tag_without_which_its_service_role_may_do_nothing() -> None:
    assert MANAGED in _filled("cluster.json")["Tags"]


def _job_arguments() -> list[list[str]]:
    args = _filled("cluster.json")["Steps"][0]["HadoopJarStep"]["Args"]
    script = next(number for number, arg in enumerate(args) if arg.endswith("run.py"))
    driver = _filled("serverless-job.json")["jobDriver"]["sparkSubmit"]
    return [args[script + 1 :], driver["entryPointArguments"], _scheduled()["EntryPointArguments"]]


@pytest.mark.parametrize("number", range(3), ids=["cluster", "serverless", "schedule"])
def test_arguments_are_those_of_run(number: int) -> None:
    parsed = command.make_context("run", list(_job_arguments()[number]), resilient_parsing=True)
    assert isinstance(parsed, click.Context)
    assert str(parsed.params["config"]) == "config/snowetl.yml"


def test_the_settings_of_the_scheduled_run_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    from snowetl.cli.verbs import settings_of_all
    from snowetl.orchestrator.settings import RunSettings
    from snowetl.settings.yml import read_config

    found = read_config(EMR / "snowetl.yml", settings_of_all(), "run")
    settings = RunSettings(**{name: value for name, (value, _) in found.items()})
    assert (settings.warehouse, settings.no_data_exit_code) == ("redshift", 0)
    assert "cloudwatch:Snowetl" in settings.notify


def test_step_arguments_fit_emr() -> None:
    for step in _filled("cluster.json")["Steps"]:
        assert sum(map(len, step["HadoopJarStep"]["Args"])) < 10_240


# --- rights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.name for path in (EMR / "policies").glob("*.json")))
def test_policies_are_policies(name: str) -> None:
    policy = _filled(f"policies/{name}")
    assert policy["Version"] == "2012-10-17"
    assert all({"Effect", "Action"} <= set(statement) for statement in policy["Statement"])


def test_each_verb_has_a_policy() -> None:
    assert [f"{verb}-role.json" for verb in VERBS] == sorted(path.name for path in EMR.glob("policies/*-role.json"))


@pytest.mark.parametrize("verb", VERBS)
def test_rights_are_the_least(verb: str) -> None:
    """No right to everything, raw logs are never written, and only ``run`` sees the whole lake."""
    for statement in _filled(f"policies/{verb}-role.json")["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
        if statement["Action"] != ["cloudwatch:PutMetricData"]:
            assert "*" not in statement["Resource"]
        writes = {"s3:PutObject", "s3:DeleteObject"} & set(statement["Action"])
        for resource in statement["Resource"]:
            assert not (writes and re.search(r"/(raw|snowetl)/", resource)), statement["Sid"]
            assert verb == "run" or not resource.endswith("/lake/*")


_OF_NO_RESOURCE = {"elasticmapreduce:ListClusters", "elasticmapreduce:RunJobFlow", "cloudwatch:PutMetricData"}
"""Actions that IAM grants for everything or not at all."""
_SERVICES = {"emr": "elasticmapreduce", "emr_serverless": "emr-serverless"}


def _orchestrator() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _filled("policies/orchestrator.json")["Statement"]
    return found


def test_the_rights_of_the_orchestrator_are_the_least() -> None:
    """It starts and watches jobs: raw logs, the package and the jobs' logs are not its to write."""
    for statement in _orchestrator():
        assert not [action for action in statement["Action"] if "*" in action]
        assert "*" not in statement["Resource"] or set(statement["Action"]) <= _OF_NO_RESOURCE
        writes = {"s3:PutObject", "s3:DeleteObject"} & set(statement["Action"])
        assert not (writes and any(re.search(r"/(raw|snowetl|logs)/", each) for each in statement["Resource"]))
    [lends] = [each for each in _orchestrator() if "iam:PassRole" in each["Action"]]
    assert lends["Action"] == ["iam:PassRole"] and lends["Condition"], "to the services that need a role, to no other"


@pytest.mark.parametrize("module", _SERVICES)
def test_the_orchestrator_may_send_what_executors_send(module: str) -> None:
    folder = ROOT / "snowetl" / "orchestrator" / "executors"
    text = (folder / f"{module}.py").read_text("utf-8") + (folder / "emr_preflight.py").read_text("utf-8")
    service = botocore.session.get_session().get_service_model(module.replace("_", "-"))
    sent = {
        name
        for name in service.operation_names
        if re.search(rf"\.{_snake(name)}\(|paginator\(\"{_snake(name)}\"", text)
    }
    assert len(sent) >= 5
    allowed = {action for statement in _orchestrator() for action in statement["Action"]}
    assert {f"{_SERVICES[module]}:{name}" for name in sent} <= allowed
    asked = {action for action in allowed if action.startswith(f"{_SERVICES[module]}:")}
    assert {name for name in asked if not name.endswith(("AddTags", "TagResource"))} == {
        f"{_SERVICES[module]}:{name}" for name in sent
    }, "and nothing else"


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    """The CloudFormation template; a tag such as ``!Ref x`` is ``{"!Ref": x}``."""

    class Loader(yaml.SafeLoader):
        pass

    def tagged(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
        if isinstance(node, yaml.ScalarNode):
            return {f"!{suffix}": loader.construct_scalar(node)}
        if isinstance(node, yaml.SequenceNode):
            return {f"!{suffix}": loader.construct_sequence(node, deep=True)}
        return {f"!{suffix}": loader.construct_mapping(node, deep=True)}

    Loader.add_multi_constructor("!", tagged)
    document: dict[str, Any] = yaml.load((EMR / "cloudformation.yaml").read_text("utf-8"), Loader)
    return document


def _plain(value: Any) -> Any:
    """A policy of the stack in the words of emr/policies."""
    names = {
        "${Bucket.Arn}": "arn:aws:s3:::${BUCKET}",
        "arn:${AWS::Partition}": "arn:aws",
        "${AWS::Region}": "${REGION}",
        "${AWS::AccountId}": "${ACCOUNT}",
        "${Application}": "${APPLICATION_ID}",
        "${RunRole.Arn}": "${RUN_ROLE_ARN}",
        "${ClusterServiceRole.Arn}": "${CLUSTER_ROLE_ARN}",
    }
    if isinstance(value, dict):
        if set(value) == {"!GetAtt"}:
            return names[f"${{{value['!GetAtt']}}}"]
        if set(value) == {"!Sub"}:
            text = value["!Sub"]
            for old, new in names.items():
                text = text.replace(old, new)
            return text
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("verb", VERBS)
def test_the_stack_gives_the_rights_of_the_policies(verb: str, stack: dict[str, Any]) -> None:
    [policy] = stack["Resources"][f"{verb.capitalize()}Role"]["Properties"]["Policies"]
    assert _plain(policy["PolicyDocument"]) == json.loads((EMR / "policies" / f"{verb}-role.json").read_text("utf-8"))


def test_the_stack_gives_the_rights_of_the_orchestrator(stack: dict[str, Any]) -> None:
    policy = stack["Resources"]["OrchestratorPolicy"]["Properties"]["PolicyDocument"]
    assert _plain(policy) == json.loads((EMR / "policies" / "orchestrator.json").read_text("utf-8"))


# --- CloudFormation and Terraform -------------------------------------------------------------------------------------


def _scheduled() -> dict[str, Any]:
    """The job that the stack's schedule starts."""
    text = (EMR / "cloudformation.yaml").read_text("utf-8")
    found = re.search(r'"SparkSubmit": (\{.*?\})\s+\},', text, re.DOTALL)
    assert found is not None
    job: dict[str, Any] = json.loads(found[1])
    return job


@pytest.mark.slow
def test_cfn_lint_finds_nothing() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    if not lint.exists():
        pytest.skip("cfn-lint is not installed")
    result = subprocess.run([str(lint), str(EMR / "cloudformation.yaml")], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_what_the_schedule_sends_is_a_request(stack: dict[str, Any]) -> None:
    """EventBridge hands it to StartJobRun as it is."""
    target = stack["Resources"]["HourlyRun"]["Properties"]["Target"]
    template, variables = target["Input"]["!Sub"]
    filled = re.sub(r"\$\{([\w.]+)\}", lambda m: ROLE if "Role" in m[1] else "x", template)
    request = json.loads(filled.replace("<aws.scheduler.execution-id>", "d32c5kddcf5bb8c3"))
    assert set(variables) == {"Environment", "Python"}
    model = botocore.session.get_session().get_service_model("emr-serverless").operation_model("StartJobRun")
    report = ParamValidator().validate(_camel(request), model.input_shape)
    assert not report.has_errors(), report.generate_report()


def _camel(value: Any) -> Any:
    """Keys as boto3 spells them."""
    if isinstance(value, dict):
        return {f"{key[0].lower()}{key[1:]}": _camel(each) for key, each in value.items()}
    return value


def _terraform() -> Iterator[tuple[str, Any]]:
    """``kind.type`` and body of each resource, and of each variable."""
    hcl2 = pytest.importorskip("hcl2", reason="python-hcl2 is not installed")
    for path in sorted((EMR / "terraform").glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            document = hcl2.load(file)
        for block in ("resource", "variable", "output"):
            for each in document.get(block, ()):
                for kind, body in each.items():
                    yield f"{block}.{kind.strip(chr(34))}", body


@pytest.mark.slow
def test_terraform_makes_what_the_stack_makes(stack: dict[str, Any]) -> None:
    made = {name for name, _ in _terraform()}
    same = {
        "AWS::S3::Bucket": "aws_s3_bucket",
        "AWS::S3::BucketPolicy": "aws_s3_bucket_policy",
        "AWS::IAM::Role": "aws_iam_role",
        "AWS::IAM::InstanceProfile": "aws_iam_instance_profile",
        "AWS::IAM::ManagedPolicy": "aws_iam_policy",
        "AWS::EMRServerless::Application": "aws_emrserverless_application",
        "AWS::SQS::Queue": "aws_sqs_queue",
        "AWS::Scheduler::Schedule": "aws_scheduler_schedule",
        "AWS::SNS::Topic": "aws_sns_topic",
        "AWS::SNS::TopicPolicy": "aws_sns_topic_policy",
        "AWS::Events::Rule": "aws_cloudwatch_event_rule",
        "AWS::CloudWatch::Alarm": "aws_cloudwatch_metric_alarm",
    }
    kinds = {resource["Type"] for resource in stack["Resources"].values()}
    assert kinds == set(same)
    assert {f"resource.{same[kind]}" for kind in kinds} <= made


def test_service_roles_have_the_tag_of_the_managed_policy(stack: dict[str, Any]) -> None:
    role = stack["Resources"]["ClusterServiceRole"]["Properties"]
    assert MANAGED in role["Tags"]
    assert "AmazonEMRServicePolicy_v2" in str(role["ManagedPolicyArns"])
    assert f'"{MANAGED["Key"]}" = "true"' in (EMR / "terraform" / "main.tf").read_text("utf-8")


@pytest.mark.slow
def test_terraform_finds_nothing(tmp_path: Path) -> None:
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("terraform is not installed")
    shutil.copytree(EMR, tmp_path / "emr")
    folder = tmp_path / "emr" / "terraform"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([terraform, *arguments, "-no-color"], cwd=folder, capture_output=True, text=True)

    formatted = run("fmt", "-check", "-diff")
    assert formatted.returncode == 0, formatted.stdout
    if run("init", "-backend=false", "-input=false").returncode:
        pytest.skip("Terraform's registry, which has the AWS provider, cannot be reached")
    validated = run("validate")
    assert validated.returncode == 0, validated.stdout + validated.stderr


# --- images and scripts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", sorted(path.name for path in EMR.glob("*.sh")))
def test_scripts_parse(script: str) -> None:
    assert subprocess.run(["bash", "-n", str(EMR / script)], check=False).returncode == 0
    assert (EMR / script).stat().st_mode & 0o111


IMAGES = ("Dockerfile", "serverless.Dockerfile")


@pytest.mark.parametrize("name", IMAGES)
def test_images_do_not_run_as_root(name: str) -> None:
    users = re.findall(r"^USER (\S+)", (EMR / name).read_text("utf-8"), re.MULTILINE)
    assert users[-1] not in ("root", "0")


@pytest.mark.long
@pytest.mark.parametrize("name", IMAGES)
def test_images(name: str, tmp_path: Path) -> None:
    """Built where Docker is; else their steps run here: copy what is named, install it, ask it for its version."""
    docker = shutil.which("docker")
    if docker is not None and subprocess.run([docker, "info"], capture_output=True).returncode == 0:
        build = [docker, "build", "--quiet", "--file", str(EMR / name), str(ROOT)]
        built = subprocess.run(build, capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        return
    text = (EMR / name).read_text("utf-8")
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for source in copied.split():
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, tmp_path)
    [extra] = re.findall(r"pip install --no-cache-dir '(\.\[\w+\])'", text)
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "image")], check=True, capture_output=True)
    python = tmp_path / "image" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", extra]
    installed = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True)
    if "No matching distribution found" in installed.stderr or "onnection" in installed.stderr:
        pytest.skip("there is no package index here")
    assert installed.returncode == 0, installed.stderr
    (tmp_path / "empty").mkdir()
    said = subprocess.run([str(python.with_name("snowetl")), "--version"], cwd=tmp_path / "empty", capture_output=True)
    assert said.stdout.startswith(b"snowetl ")
