"""The files in emr/ are what AWS, CloudFormation and Terraform would take, say the same, and fit what they start."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import click
import pytest
import yaml
from botocore.validate import ParamValidator

from snowetl.cli.run import command
from snowetl.orchestrator.package import JOBS
from snowetl.orchestrator.sources.manifest import check_columns, column_name

ROOT = Path(__file__).parent.parent
EMR = ROOT / "emr"
ROLE = "arn:aws:iam::123456789012:role/some-role"
MANAGED = {"Key": "for-use-with-amazon-emr-managed-policies", "Value": "true"}
VERBS = sorted(JOBS)
OWN_POLICIES = {
    "orchestrator": "OrchestratorPolicy",
    "input-queue": "InputQueuePolicy",
    "inventory": "InventoryPolicy",
    "archive": "ArchivePolicy",
}
"""Policies that are not those of one verb's role: the file, and what the stack calls it."""


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
        "${RawLogs.Arn}": "${QUEUE_ARN}",
        "${ArchiveBucket}": "${ARCHIVE_BUCKET}",
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


@pytest.mark.parametrize("name", sorted(OWN_POLICIES))
def test_the_stack_gives_the_rights_of_policies_of_their_own(name: str, stack: dict[str, Any]) -> None:
    policy = stack["Resources"][OWN_POLICIES[name]]["Properties"]
    assert _plain(policy["PolicyDocument"]) == json.loads((EMR / "policies" / f"{name}.json").read_text("utf-8"))
    attached = [] if name == "orchestrator" else [{"!Ref": "RunRole"}]
    assert policy.get("Roles", []) == attached, "of the jobs, runs alone hear of files and archive them"


def test_what_is_not_asked_for_is_not_made(stack: dict[str, Any]) -> None:
    """Queue, inventory and archive are off, and each is asked for by a parameter of its own."""
    options = {"HasInputQueue": "InputQueue", "HasInventory": "Inventory", "HasArchive": "ArchiveBucket"}
    assert all(stack["Parameters"][name]["Default"] in ("no", "") for name in options.values())
    made = {name: resource.get("Condition") for name, resource in stack["Resources"].items()}
    assert {name for name, condition in made.items() if condition == "HasInputQueue"} == {
        *("RawLogs", "RawLogsPolicy", "GivenUp", "FilesGivenUp", "InputQueuePolicy")
    }
    assert made["InventoryPolicy"] == "HasInventory" and made["ArchivePolicy"] == "HasArchive"


def test_the_queue_hears_of_raw_files_from_the_bucket_alone(stack: dict[str, Any]) -> None:
    bucket = stack["Resources"]["Bucket"]["Properties"]
    [told] = bucket["NotificationConfiguration"]["!If"][1]["QueueConfigurations"]
    assert told["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "raw/"}]
    [says] = stack["Resources"]["RawLogsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (says["Principal"], says["Action"]) == ({"Service": "s3.amazonaws.com"}, "sqs:SendMessage")
    assert says["Condition"]["ArnLike"]["aws:SourceArn"] == {"!Sub": "arn:${AWS::Partition}:s3:::${BucketName}"}
    queue = stack["Resources"]["RawLogs"]["Properties"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= 10, "plan and doctor look at messages, too"


def test_an_inventory_has_what_the_ledger_needs(stack: dict[str, Any]) -> None:
    [made] = stack["Resources"]["Bucket"]["Properties"]["InventoryConfigurations"]["!If"][1]
    columns = tuple(map(column_name, ("Bucket", "Key", *made["OptionalFields"])))
    check_columns("the inventory of the stack", columns, times=True)
    assert (made["Prefix"], made["Destination"]["Format"]) == ("raw/", "CSV")


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
        "AWS::SQS::QueuePolicy": "aws_sqs_queue_policy",
        "AWS::Scheduler::Schedule": "aws_scheduler_schedule",
        "AWS::SNS::Topic": "aws_sns_topic",
        "AWS::SNS::TopicPolicy": "aws_sns_topic_policy",
        "AWS::Events::Rule": "aws_cloudwatch_event_rule",
        "AWS::CloudWatch::Alarm": "aws_cloudwatch_metric_alarm",
    }
    kinds = {resource["Type"] for resource in stack["Resources"].values()}
    assert kinds == set(same)
    assert {f"resource.{same[kind]}" for kind in kinds} <= made


@pytest.mark.slow
def test_terraform_makes_the_options_that_are_asked_for() -> None:
    """The queue, its policy, the notification and the alarm by one variable, the inventory by another."""
    text = (EMR / "terraform" / "sources.tf").read_text("utf-8")
    made = re.findall(r'^resource "(\w+)" "\w+" \{\n  count +=(.+)$', text, re.MULTILINE)
    assert len(made) == text.count("\nresource ")
    wanted = {kind: condition.split()[0].removeprefix("var.") for kind, condition in made}
    assert wanted.pop("aws_s3_bucket_inventory") == "inventory"
    assert set(wanted.values()) == {"input_queue"}
    assert {"aws_sqs_queue", "aws_sqs_queue_policy", "aws_s3_bucket_notification"} < set(wanted)


def test_service_roles_have_the_tag_of_the_managed_policy(stack: dict[str, Any]) -> None:
    role = stack["Resources"]["ClusterServiceRole"]["Properties"]
    assert MANAGED in role["Tags"]
    assert "AmazonEMRServicePolicy_v2" in str(role["ManagedPolicyArns"])
    assert f'"{MANAGED["Key"]}" = "true"' in (EMR / "terraform" / "main.tf").read_text("utf-8")


@pytest.fixture
def terraform(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs it in a copy of emr/terraform."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("terraform is not installed")
    shutil.copytree(EMR, tmp_path / "emr")

    def run(*arguments: str, say: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [program, f"-chdir={tmp_path / 'emr' / 'terraform'}", *arguments]
        environment = {**os.environ, "TF_CLI_CONFIG_FILE": "", "NO_COLOR": "1", "TF_CLI_ARGS": "-no-color"}
        return subprocess.run(command, input=say, capture_output=True, text=True, env=environment)

    return run


@pytest.mark.slow
def test_terraform_finds_nothing(terraform: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    formatted = terraform("fmt", "-check", "-diff")
    assert formatted.returncode == 0, formatted.stdout
    if terraform("init", "-backend=false", "-input=false").returncode:
        pytest.skip("Terraform's registry, which has the AWS provider, cannot be reached")
    validated = terraform("validate")
    assert validated.returncode == 0, validated.stdout + validated.stderr


@pytest.mark.slow
@pytest.mark.parametrize("image", [False, True], ids=["package", "image"])
def test_terraform_submits_what_the_stack_submits(
    image: bool, terraform: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """What follows from the variables needs no provider: Terraform itself says what it is."""
    for file in (tmp_path / "emr" / "terraform").glob("*.tf"):
        if file.name not in ("variables.tf", "locals.tf"):
            file.unlink()
    given = ["-var", "bucket=b", "-var", "email=e", "-var", "input_queue=true"]
    given += ["-var", "image_uri=i"] if image else []
    told = terraform("console", *given, say="jsonencode({ spark = local.spark, options = local.options })\n")
    assert told.returncode == 0, told.stderr
    found = json.loads(json.loads(told.stdout))
    assert found["options"] == ["input-queue"]
    template = _scheduled()["SparkSubmitParameters"]
    [environment, python] = _of_the_package()
    for name, value in {"Environment": environment, "Python": python, "BucketName": "b"}.items():
        template = template.replace(f"${{{name}}}", "" if image and name != "BucketName" else value)
    submitted = dict(each.split("=", 1) for each in template.split() if each != "--conf")
    assert found["spark"] == submitted
    refused = terraform("console", *given, "-var", "architecture=MIPS", say="var.architecture\n")
    assert "Give X86_64 or ARM64." in refused.stdout + refused.stderr


def _of_the_package() -> list[str]:
    """What the stack's schedule has in place of ``Environment`` and ``Python``, where there is no image."""
    text = (EMR / "cloudformation.yaml").read_text("utf-8")
    found = re.search(r'- Environment: !If \[HasImage, "", !Sub "(.+?)"\].*?- "(--conf .+?)"\n', text, re.DOTALL)
    assert found is not None
    return [found[1], found[2]]


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
    environment = os.environ | {"SNOWETL_COMPILE": re.findall(r"SNOWETL_COMPILE=(\d)", text)[0]}
    installed = subprocess.run(install, cwd=tmp_path, env=environment, capture_output=True, text=True)
    if "No matching distribution found" in installed.stderr or "onnection" in installed.stderr:
        pytest.skip("there is no package index here")
    assert installed.returncode == 0, installed.stderr
    (tmp_path / "empty").mkdir()
    said = subprocess.run([str(python.with_name("snowetl")), "--version"], cwd=tmp_path / "empty", capture_output=True)
    assert b"(compiled, " in said.stdout
