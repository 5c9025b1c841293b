"""A run on the stand-in of AWS: its settings, its input, its database."""

from __future__ import annotations

import json
from typing import Any

import psycopg

from snowetl.orchestrator.package import JOBS
from snowetl.version import __version__
from tests.integration.support import ROOT
from tests.orchestrator.executors.aws import BUCKET, ROLE, Aws, s3

RUN = "2026-03-05-00-00-03"
LOGS = ROOT / "fixtures" / "logs" / "webhooks"
EXPECTED: dict[str, Any] = json.loads((ROOT / "fixtures/logs/expected.json").read_text("utf-8"))["webhooks"]
CLUSTER = {
    "release": "emr-7.13.0",
    "subnet": "subnet-1",
    "service-role": "EMR_DefaultRole_V2",
    "instance-profile": "snowetl-emr",
    "core": {"type": "m7g.xlarge", "fallbacks": ["m6g.xlarge"], "count": 2, "spot": 50},
    "scaling": {"minimum": 1, "maximum": 10},
}


PACKAGE = {"format": "snowetl-package/1", "snowetl": __version__, "python": "3.11", "platform": "aarch64"}


def put_package(aws: Aws, **changed: str) -> None:
    """What `snowetl package` leaves, as far as it is looked at: the stand-in runs the jobs of the checkout."""
    files = {f"{verb}.py": b"" for verb in JOBS} | {"environment.tar.gz": b"", "package.json": b""}
    files["package.json"] = json.dumps(PACKAGE | changed).encode()
    for name, content in files.items():
        s3(aws.endpoint).put_object(Bucket=BUCKET, Key=f"snowetl/{name}", Body=content)


def put_logs(aws: Aws) -> None:
    for path in LOGS.iterdir():
        s3(aws.endpoint).put_object(Bucket=BUCKET, Key=f"raw/{path.name}", Body=path.read_bytes())


def objects(aws: Aws, prefix: str = "") -> dict[str, str]:
    """Keys and etags below a prefix."""
    pages = s3(aws.endpoint).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return {each["Key"]: each["ETag"] for page in pages for each in page.get("Contents", ())}


def text(aws: Aws, key: str) -> str:
    return str(s3(aws.endpoint).get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())


def arguments(database: str, *more: str) -> list[str]:
    return [
        *("run", "--input-folder", "s3://lake/raw", "--input-format", "thrift", "--output-folder", "s3://lake/out"),
        *("--enrichments", "fixtures/enrichments", "--iglu-config", "fixtures/resolver.json"),
        *("--database", database, "--emr-package", "s3://lake/snowetl", "--emr-poll", "1s"),
        *("--emr-log-folder", "s3://lake/logs", "--run-id", RUN),
        *more,
    ]


def on_cluster(*more: str) -> tuple[str, ...]:
    return ("--executor", "emr", "--emr-cluster", json.dumps(CLUSTER), *more)


def on_serverless(aws: Aws, *more: str) -> tuple[str, ...]:
    application = aws.application()
    return ("--executor", "emr-serverless", "--emr-application-id", application, "--emr-job-role", ROLE, *more)


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        [(number,)] = connection.execute("SELECT count(*) FROM atomic.events").fetchall()
    return int(number)
