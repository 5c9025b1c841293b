"""Steps as jobs of EMR Serverless. Its client tokens make a submission that is sent twice start one job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from snowetl.errors import SnowetlError
from snowetl.orchestrator.executors import aws, emr_jobs, emr_logs, emr_preflight, emr_requests
from snowetl.orchestrator.executors.base import ExecutorKind, ExecutorRequest, JobStatus
from snowetl.orchestrator.executors.emr_requests import Serverless, SparkJob
from snowetl.orchestrator.planner import PlannedStep
from snowetl.orchestrator.prices import Usage
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.state import CANCELLED, DONE, FAILED, LOST, RUNNING
from snowetl.problems import Problems
from snowetl.storage import filesystem

_OVER = {"SUCCESS": DONE, "FAILED": FAILED, "CANCELLED": CANCELLED}
_NOT_BEGUN = ("capacity", "throttl", "queue timeout", "no available")
"""What Serverless says of a job that it could not begin."""
_LONGEST_MINUTES = 7 * 24 * 60
_PATIENCE_SECONDS = 1800.0
_PYTHON = "./environment/bin/python"


def check(settings: RunSettings) -> None:
    """Raises :class:`ConfigError` that lists all that is wrong, before a file is taken or a job started."""
    problems = Problems()
    with problems.gathered():
        emr_jobs.check(settings)
    for name in ("emr_application_id", "emr_job_role"):
        if getattr(settings, name) is None:
            problems.add(f"{settings.option(name).flag} is missing: --executor emr-serverless needs it")
    if not 300 <= settings.emr_step_timeout <= _LONGEST_MINUTES * 60:
        problems.add("--emr-step-timeout: EMR Serverless takes 5 minutes to 7 days")
    problems.check()


def place_of(settings: RunSettings) -> Serverless:
    return Serverless(
        application_id=str(settings.emr_application_id),
        role_arn=str(settings.emr_job_role),
        region=settings.emr_region,
        log_uri=settings.emr_log_folder,
        timeout_minutes=settings.emr_step_timeout // 60,
        attempts=settings.emr_attempts,
        flex=settings.emr_flex,
        tags=settings.tags,
    )


def with_python(job: SparkJob, package: str) -> SparkJob:
    """The job with the Python environment of its package. An image that brings its own needs none."""
    where = ("driverEnv.PYSPARK_DRIVER_PYTHON", "driverEnv.PYSPARK_PYTHON", "executorEnv.PYSPARK_PYTHON")
    conf = {f"spark.emr-serverless.{name}": _PYTHON for name in where} | dict(job.conf)
    archives = (f"{package}/{emr_jobs.ENVIRONMENT}#environment", *job.archives)
    return SparkJob(job.name, job.entry_point, job.arguments, conf, archives)


class ServerlessExecutor:
    """Starts a job for each step, and asks how it is."""

    here = False

    def __init__(
        self,
        request: ExecutorRequest,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._request = request
        self._settings = request.settings
        self._place = place_of(request.settings)
        self._client = aws.client("emr-serverless", self._place.region)
        self._now, self._sleep = now, sleep
        self._silent: datetime | None = None
        self._documents = emr_jobs.Documents(request.plan, request.settings, request.folder)

    def submit(self, step: PlannedStep, token: str) -> str:
        request = self.request_of(step, token)
        self._documents.bring()
        self._request.watch.say(f"{step.name}: {request['name']}")
        try:
            job = aws.exactly_once(
                request["name"],
                lambda: str(aws.answered(self._client.start_job_run(**request), "jobRunId")),
                lambda: self._find(request["name"]),
                self._settings.emr_poll,
                self._sleep,
            )
        except aws.errors() as error:
            raise SnowetlError(f"{step.name} cannot be submitted to EMR Serverless: {error}") from None
        return f"{self._place.application_id}/{job}"

    def find(self, step: PlannedStep, token: str) -> str | None:
        try:
            job = self._find(self.request_of(step, token)["name"])
        except aws.errors() as error:
            raise SnowetlError(f"{step.name} cannot be looked for on EMR Serverless: {error}") from None
        return f"{self._place.application_id}/{job}" if job else None

    def request_of(self, step: PlannedStep, token: str) -> dict[str, Any]:
        """The request for a step. Its name has the token: jobs are listed by name, and not by client token."""
        token = aws.token_of(self._request.folder, token)
        prepared = emr_jobs.prepare(step, self._settings, self._request.folder, token)
        environment = emr_jobs.environment_of(self._settings)
        job = prepared.job
        if filesystem(environment).exists(environment):
            job = with_python(job, emr_jobs.package_of(self._settings))
        request = emr_requests.start_job_run(job, self._place, token)
        return request | {"name": f"{job.name} {self._request.plan.run} {token[:12]}"}

    def _find(self, name: str) -> str | None:
        jobs = aws.listed(
            self._client.get_paginator("list_job_runs"), "jobRuns", applicationId=self._place.application_id
        )
        return next((str(job["id"]) for job in jobs if job.get("name") == name), None)

    def poll(self, jobs: Sequence[str]) -> list[JobStatus]:
        try:
            statuses = [self._status(job) for job in jobs]
        except aws.errors() as error:
            if self._silent is None:
                self._silent = self._now()
                self._request.watch.warn(f"EMR Serverless does not answer, the job runs on: {error}")
            if (self._now() - self._silent).total_seconds() > _PATIENCE_SECONDS:
                minutes = _PATIENCE_SECONDS / 60
                raise SnowetlError(f"EMR Serverless has not answered for {minutes:.0f} minutes: {error}") from None
            return [JobStatus(job) for job in jobs]
        self._silent = None
        return statuses

    def _status(self, job: str) -> JobStatus:
        application, _, id_ = job.partition("/")
        try:
            found = aws.answered(self._client.get_job_run(applicationId=application, jobRunId=id_), "jobRun")
        except aws.errors() as error:
            if aws.code_of(error) == "ResourceNotFoundException":
                return JobStatus(job, LOST, f"EMR Serverless does not know the job {job}")
            raise
        state, details = str(found.get("state", "")), str(found.get("stateDetails") or "")
        log = self._log_folder(job) or ""
        if state not in _OVER:
            return JobStatus(job, RUNNING, log=log)
        usage = _usage_of(found)
        if usage is not None:
            self._request.watch.say(f"billed: {usage.text}")
        if state == "SUCCESS":
            return JobStatus(job, DONE, log=log, usage=usage)
        again = state == "FAILED" and any(word in details.lower() for word in _NOT_BEGUN)
        why = f"the job is {state}{f': {details}' if details else ''}"
        return JobStatus(job, _OVER[state], why, log, again, usage)

    def cancel(self, job: str) -> None:
        application, _, id_ = job.partition("/")
        try:
            self._client.cancel_job_run(applicationId=application, jobRunId=id_)
        except aws.errors() as error:
            with suppress(*aws.errors()):
                if self._status(job).state == RUNNING:
                    self._request.watch.warn(f"{job} cannot be cancelled: {error}")

    def log_tail(self, job: str) -> str:
        folder = self._log_folder(job)
        if folder is None:
            return "its log is in the console of EMR Serverless (give --emr-log-folder to have it on S3)"
        return emr_logs.tail(folder) or f"its log is not there yet: {folder}"

    def _log_folder(self, job: str) -> str | None:
        application, _, id_ = job.partition("/")
        uri = self._place.log_uri
        return None if uri is None else f"{uri.rstrip('/')}/applications/{application}/jobs/{id_}/SPARK_DRIVER"

    def notes(self) -> dict[str, str]:
        return {}

    def detach(self) -> None:
        """Nothing ends with this process: EMR ends its workers when they are idle."""


def _usage_of(found: dict[str, Any]) -> Usage | None:
    """The billed use of a job; until AWS has computed it, the measured use."""
    for key in ("billedResourceUtilization", "totalResourceUtilization"):
        told = found.get(key) or {}
        if told.get("vCPUHour"):
            return Usage(
                vcpu_hours=float(told["vCPUHour"]),
                gb_hours=float(told.get("memoryGBHour") or 0),
                storage_gb_hours=float(told.get("storageGBHour") or 0),
            )
    return None


def ready(settings: RunSettings) -> None:
    """Raises ``ConfigError`` where the package is missing. An image may bring the archive's part."""
    emr_preflight.package(settings, with_archive=False)


def examine(settings: RunSettings) -> str:
    """The package, the application, the regions. Raises ``ConfigError``."""
    check(settings)
    made = emr_preflight.package(settings, with_archive=False)
    notes = [emr_preflight.describe(made), emr_preflight.ask_application(settings, made)]
    return "; ".join(notes + emr_preflight.ask_buckets(settings, settings.emr_region))


@contextmanager
def open_serverless(request: ExecutorRequest) -> Iterator[ServerlessExecutor]:
    """The executor of an application. Nothing is sent until a step is submitted."""
    yield ServerlessExecutor(request)


EMR_SERVERLESS = ExecutorKind(open_serverless, check, ready, examine)
