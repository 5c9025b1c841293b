"""Steps and places that exports are tried with, and requests held against the model of AWS."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from snowetl.orchestrator.executors.emr_requests import Serverless, SparkJob
from snowetl.orchestrator.exports.step import RUN_ID, ExistingCluster, TransientCluster
from snowetl.orchestrator.imports.found import Cluster, Instances, Script, Volume

ROLE = "arn:aws:iam::123456789012:role/job"
ID = "2026-03-05-02-00-00"
ENVIRONMENT = "s3://b/snowetl/environment.tar.gz"
CLUSTER = Cluster(
    "larkspur",
    "7.13.0",
    "eu-west-1",
    Instances("m7i.xlarge"),
    Instances("c7i.2xlarge", 2, None, (Volume(64, "io1", 500, 2),), True),
    Instances("c7i.2xlarge", 3, "0.2"),
    subnet="subnet-1",
    key_name="k",
    service_role="EMR_DefaultRole_V2",
    instance_profile="snowetl-emr",
    security_configuration="sec",
    log_uri="s3://b/logs/",
    applications=("Spark",),
    bootstrap=(Script("agent", "s3://b/agent.sh", ("1",)),),
    configurations={"yarn-site": {"a.b": "1"}},
    tags={"team": "data"},
)
STEPS = (
    SparkJob(
        "[enrich] snowetl",
        "s3://b/snowetl/enrich.py",
        ("--iglu-config", "config/resolver.json", "--input-folder", "s3://b/it's/", "--run-id", RUN_ID),
        {"spark.executor.cores": "4"},
        ("s3://b/snowetl/config.zip#config",),
    ),
    SparkJob("[shred] snowetl", "s3://b/snowetl/transform.py", ("-i", f"s3://b/enriched/run={RUN_ID}/", "{{x}}")),
)
TRANSIENT = TransientCluster(CLUSTER, ENVIRONMENT)
EXISTING = ExistingCluster("j-1ABC", "eu-west-1", ENVIRONMENT)
SERVERLESS = Serverless("00f1", ROLE, "eu-west-1", "s3://b/logs/", 60)
PLACES = {"transient": TRANSIENT, "existing": EXISTING, "serverless": SERVERLESS}


def refused(service: str, operation: str, parameters: dict[str, Any]) -> str:
    """What botocore's model says against a request; empty for a good one."""
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    return str(ParamValidator().validate(parameters, model.input_shape).generate_report())


def camel(operation: str) -> str:
    """``run_job_flow`` as the model names it."""
    return "".join(part.title() for part in operation.split("_"))
