"""What an export is made from: the jobs of a run, and the place where they run."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from snowetl.orchestrator.executors.emr_requests import Serverless, SparkJob
from snowetl.orchestrator.imports.found import Cluster

RUN_ID = "{run-id}"
"""Stands in arguments for the id of the run; each export fills it in, or has its scheduler do so."""

_TOKEN = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_TOKEN = 64


def of_run(job: SparkJob, run_id: str) -> SparkJob:
    """The job with the id of its run."""
    arguments = tuple(argument.replace(RUN_ID, run_id) for argument in job.arguments)
    return replace(job, name=job.name.replace(RUN_ID, run_id), arguments=arguments)


@dataclass(frozen=True)
class TransientCluster:
    """A cluster that starts for the run, and ends with it."""

    cluster: Cluster
    environment: str
    """The archive of the Python environment: ``s3://…/environment.tar.gz``."""


@dataclass(frozen=True)
class ExistingCluster:
    """A cluster that runs already."""

    cluster_id: str
    region: str | None
    environment: str


Place = TransientCluster | ExistingCluster | Serverless


def token(*parts: str) -> str:
    """A client token of AWS: the same parts give the same token, so that what is sent twice is done once."""
    return _TOKEN.sub("-", "-".join(parts))[-_LONGEST_TOKEN:].lstrip("-")
