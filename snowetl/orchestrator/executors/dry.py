"""Shows the requests to AWS that a run would be, as boto3 takes them, and sends none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from snowetl.errors import ConfigError
from snowetl.orchestrator.executors import aws, emr, emr_jobs, emr_requests, emr_serverless
from snowetl.orchestrator.executors.base import AtOnce, ExecutorKind, ExecutorRequest
from snowetl.orchestrator.planner import PlannedStep
from snowetl.orchestrator.settings import RunSettings

CLUSTER = "j-OF-THIS-RUN"
"""Stands for the cluster that the first request starts."""


def check(settings: RunSettings) -> None:
    """Check as the executor would that fits the settings: of a cluster, or of an application."""
    if settings.emr_application_id is not None:
        emr_serverless.check(settings)
    elif settings.emr_cluster is None and settings.emr_cluster_id is None:
        raise ConfigError(
            "--executor dry needs --emr-cluster, --emr-cluster-id or --emr-application-id: where would the run work?"
        )
    else:
        emr.check(settings)


class DryExecutor(AtOnce):
    """``watch.planned`` hears each request: ``service``, ``operation``, ``parameters``, ``uploads``."""

    def __init__(self, request: ExecutorRequest) -> None:
        self._request = request
        self._settings = request.settings
        self._launched = request.settings.emr_cluster_id is not None

    def submit(self, step: PlannedStep, token: str) -> str:
        token = aws.token_of(self._request.folder, token)
        prepared = emr_jobs.prepare(step, self._settings, self._request.folder, token)
        if self._settings.emr_application_id is not None:
            job = emr_serverless.with_python(prepared.job, emr_jobs.package_of(self._settings))
            place = emr_serverless.place_of(self._settings)
            self._show("emr-serverless", "start_job_run", emr_requests.start_job_run(job, place, token), prepared)
            return token
        entry = emr_requests.step(prepared.job, emr_jobs.environment_of(self._settings), "CONTINUE")
        if self._launched:
            cluster = self._settings.emr_cluster_id or CLUSTER
            self._show("emr", "add_job_flow_steps", emr_requests.add_job_flow_steps(cluster, [entry]), prepared)
        else:
            made = emr_requests.run_job_flow(
                emr.cluster_of(self._settings), [entry], self._request.plan.run, stays=True
            )
            self._show("emr", "run_job_flow", made, prepared)
            self._launched = True
        return token

    def _show(self, service: str, operation: str, parameters: dict[str, Any], prepared: emr_jobs.Prepared) -> None:
        self._request.watch.planned(
            {
                "service": service,
                "operation": operation,
                "parameters": parameters,
                "uploads": {url: len(content) for url, content in prepared.uploads.items()},
            }
        )


@contextmanager
def open_dry(request: ExecutorRequest) -> Iterator[DryExecutor]:
    yield DryExecutor(request)


DRY = ExecutorKind(open_dry, check, rehearses=True)
