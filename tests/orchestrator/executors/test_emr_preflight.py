"""What is found out before a cluster is paid for: a package that is missing or does not fit, AWS that refuses."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from snowetl.cli.main import main
from snowetl.errors import ConfigError
from snowetl.orchestrator.executors import emr_preflight, kind_of
from snowetl.orchestrator.imports.found import Cluster, Instances
from snowetl.orchestrator.settings import RunSettings
from tests.orchestrator.executors.aws import BUCKET, ROLE, Aws, s3
from tests.orchestrator.executors.support import CLUSTER, arguments, objects, on_cluster, on_serverless, put_package

Capture = pytest.CaptureFixture[str]


def settings(**changed: Any) -> RunSettings:
    given: dict[str, Any] = {
        "input_folder": "s3://lake/raw",
        "input_format": "thrift",
        "output_folder": "s3://lake/out",
        "iglu_config": "fixtures/resolver.json",
        "database": "postgresql://loader@db.example.com/x",
        "emr_package": "s3://lake/snowetl/",
        "executor": "emr",
        "emr_cluster": CLUSTER,
    }
    return RunSettings(**(given | changed))


def examined(**changed: Any) -> str:
    given = settings(**changed)
    return kind_of(given.executor).examine(given)


def said(capsys: Capture) -> str:
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("place", ["cluster", "serverless"])
def test_without_a_package_no_file_is_taken(aws: Aws, database: str, place: str, capsys: Capture) -> None:
    for key in objects(aws, "snowetl/"):
        s3(aws.endpoint).delete_object(Bucket=BUCKET, Key=key)
    where = on_cluster() if place == "cluster" else on_serverless(aws)
    assert main(arguments(database, *where)) == 2
    told = said(capsys)
    assert "--emr-package: s3://lake/snowetl has no enrich.py and no load.py and no transform.py" in told
    assert ("environment.tar.gz" in told) == (place == "cluster"), "an image may bring it"
    assert "`snowetl package s3://lake/snowetl/` makes them" in told
    assert objects(aws, "out/") == {} and aws.calls == []


def test_a_package_for_other_processors_is_refused(aws: Aws, database: str, capsys: Capture) -> None:
    put_package(aws, platform="x86_64")
    assert main(arguments(database, *on_cluster())) == 2
    assert "is made for x86_64, and jobs would run on aarch64: `snowetl package --platform aarch64`" in said(capsys)
    assert aws.calls == []


@pytest.mark.parametrize(
    ("core", "task", "found"),
    [
        (Instances("m7g.xlarge"), None, {"aarch64"}),
        (Instances("m7i.xlarge", fallbacks=("m6g.xlarge",)), None, {"x86_64", "aarch64"}),
        (Instances("r6gd.2xlarge"), Instances("c7gn.large"), {"aarch64"}),
        (Instances("im4gn.large"), None, {"aarch64"}),
        (Instances("g5.xlarge"), Instances("m5.xlarge"), {"x86_64"}),
        (None, None, {"x86_64"}),
    ],
)
def test_processors_of_instances(core: Instances | None, task: Instances | None, found: set[str]) -> None:
    assert emr_preflight.processors_of(Cluster(name="c", version="7.0.0", core=core, task=task)) == found


def test_the_doctor_of_a_cluster(aws: Aws) -> None:
    told = examined()
    assert "for Python 3.11, aarch64; EMR in us-east-1 answers" in told
    put_package(aws, snowetl="0.0.1")
    assert "package of snowetl 0.0.1 for Python 3.11, aarch64, and this is snowetl" in examined()
    with pytest.raises(ConfigError, match="EMR in us-east-1: .*j-NOBODY.*emr/policies/orchestrator.json"):
        examined(emr_cluster=None, emr_cluster_id="j-NOBODY")


@pytest.mark.slow
def test_the_doctor_of_serverless(aws: Aws) -> None:
    given: dict[str, Any] = {"executor": "emr-serverless", "emr_cluster": None, "emr_job_role": ROLE}
    client = boto3.client("emr-serverless", endpoint_url=aws.endpoint)
    made = client.create_application(name="a", releaseLabel="emr-7.13.0", type="SPARK")["applicationId"]
    put_package(aws, platform="x86_64")
    assert "application a (emr-7.13.0) in us-east-1 is" in examined(**given, emr_application_id=made)
    put_package(aws, platform="aarch64")
    with pytest.raises(ConfigError, match="made for aarch64, and jobs would run on x86_64"):
        examined(**given, emr_application_id=made)
    with pytest.raises(ConfigError, match="EMR Serverless in us-east-1: .*emr/policies/orchestrator.json"):
        examined(**given, emr_application_id="nobody")


def test_an_application_that_holds_no_executor_is_refused(aws: Aws) -> None:
    client = boto3.client("emr-serverless", endpoint_url=aws.endpoint)
    small = client.create_application(
        name="a", releaseLabel="emr-7.13.0", type="SPARK", maximumCapacity={"cpu": "4 vCPU", "memory": "16 GB"}
    )["applicationId"]
    put_package(aws, platform="x86_64")
    given: dict[str, Any] = {"executor": "emr-serverless", "emr_cluster": None, "emr_job_role": ROLE}
    with pytest.raises(ConfigError, match=r"maximumCapacity of 4 vCPU does not hold .* \(4 and 4 cores\)"):
        examined(**given, emr_application_id=small)
    fewer = ("spark.driver.cores=2", "spark.executor.cores=2")
    assert "application a" in examined(**given, emr_application_id=small, emr_conf=fewer)


def test_a_bucket_of_another_region_is_told(aws: Aws) -> None:
    boto3.client("s3", endpoint_url=aws.endpoint, region_name="eu-west-1").create_bucket(
        Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    assert "bucket far is in eu-west-1, the jobs are in us-east-1" in examined(input_folder=("s3://far/raw",))
    with pytest.raises(ConfigError, match=r"bucket nowhere: .*orchestrator.json"):
        examined(input_folder=("s3://nowhere/raw",))


def test_the_doctor_of_this_machine() -> None:
    assert "on this machine" in examined(executor="local", emr_cluster=None)
