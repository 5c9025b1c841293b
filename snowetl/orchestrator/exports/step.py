"""What an export is made from: the steps of a run, and the place where they run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from snowetl.orchestrator.imports.found import Cluster

RUN_ID = "{run-id}"
"""Stands in arguments for the id of the run; each export fills it in, or has its scheduler do so."""

_TOKEN = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_TOKEN = 64


@dataclass(frozen=True)
class PlannedStep:
    """One ``spark-submit``. ``conf`` are properties of Spark, ``archives`` what is unpacked beside the job
    (``s3://…/config.zip#config``)."""

    name: str
    entry_point: str
    arguments: tuple[str, ...] = ()
    conf: Mapping[str, str] = field(default_factory=dict)
    archives: tuple[str, ...] = ()

    def of_run(self, run_id: str) -> PlannedStep:
        """The step with the id of its run."""
        arguments = tuple(argument.replace(RUN_ID, run_id) for argument in self.arguments)
        name = self.name.replace(RUN_ID, run_id)
        return PlannedStep(name, self.entry_point, arguments, self.conf, self.archives)


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


@dataclass(frozen=True)
class Serverless:
    """An application of EMR Serverless, whose image brings Python."""

    application_id: str
    role_arn: str
    region: str | None = None
    log_uri: str | None = None
    timeout_minutes: int = 720


Place = TransientCluster | ExistingCluster | Serverless


def token(*parts: str) -> str:
    """A client token of AWS: the same parts give the same token, so that what is sent twice is done once."""
    return _TOKEN.sub("-", "-".join(parts))[-_LONGEST_TOKEN:].lstrip("-")
