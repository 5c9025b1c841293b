"""Steps on a cluster of EMR: one that is there, or one that is started for the run and ends with it.

EMR has no client tokens. So each step carries its token as a property of Spark, each cluster has a name of its own, and
both are looked for before anything is sent again. A cluster ends when it is idle, whoever has died before ending it.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from snowetl import documents
from snowetl.errors import ConfigError, SnowetlError
from snowetl.orchestrator.executors import aws, emr_jobs, emr_logs, emr_preflight, emr_requests
from snowetl.orchestrator.executors.base import ExecutorKind, ExecutorRequest, JobStatus
from snowetl.orchestrator.imports.found import Cluster
from snowetl.orchestrator.imports.yml import read_cluster
from snowetl.orchestrator.planner import PlannedStep
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.state import CANCELLED, DONE, FAILED, LOST, RUNNING
from snowetl.problems import Problems
from snowetl.settings.times import Duration

ALIVE = ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING")
_OVER = {"COMPLETED": DONE, "FAILED": FAILED, "INTERRUPTED": FAILED, "CANCELLED": CANCELLED}
"""States of steps that have ended."""
_SAFE_TO_REPEAT = frozenset(("BOOTSTRAP_FAILURE", "INSTANCE_FAILURE", "INSTANCE_FLEET_TIMEOUT", "INTERNAL_ERROR"))
"""Reasons for the end of a cluster after which another may be started, if no step had begun."""
_CAPACITY = ("capacity", "quota", "limit exceeded", "spot")
_IDS_A_REQUEST = 10
_IDLE_SECONDS = 900
"""How long a cluster of one run waits for its next step, or for somebody who resumes the run."""
_LOOKED_BACK = timedelta(days=14)
_EMPTY_ROUNDS = 5
_CLUSTER_ROUNDS = 6
_LOG_ROUNDS = 6
_END_TRIES = 3
_PATIENCE_SECONDS = 1800.0
"""So long may EMR fail to answer before the run is left to itself."""
_CANCELLING_SECONDS = 300.0


class _Gone(SnowetlError):
    """The cluster ended between two requests."""


def cluster_of(settings: RunSettings) -> Cluster:
    """The cluster to start, with what the options say over what its document says. Raises ``ConfigError``."""
    document = {} if settings.emr_cluster is None else settings.emr_cluster
    cluster = read_cluster(documents.read(document, "--emr-cluster", secrets=False))
    return replace(
        cluster,
        region=settings.emr_region or cluster.region,
        log_uri=settings.emr_log_folder or cluster.log_uri,
        tags={**cluster.tags, **settings.tags},
        idle_seconds=cluster.idle_seconds or _IDLE_SECONDS,
    )


def check(settings: RunSettings) -> None:
    """Raises :class:`ConfigError` that lists all that is wrong, before a file is taken or a cluster started."""
    problems = Problems()
    with problems.gathered():
        emr_jobs.check(settings)
    if (settings.emr_cluster is None) == (settings.emr_cluster_id is None):
        problems.add(
            "--executor emr needs one of --emr-cluster (cluster.yml: start a cluster) and --emr-cluster-id (use one)"
        )
    if settings.emr_cluster is not None:
        with problems.gathered():
            cluster = cluster_of(settings)
            for name, value in (("service-role", cluster.service_role), ("instance-profile", cluster.instance_profile)):
                if not value and not cluster.overrides:
                    problems.add(f"--emr-cluster: {name} is missing")
            if not 60 <= (cluster.idle_seconds or 60) <= 604_800:
                problems.add("--emr-cluster: idle-seconds must be between 60 and 604800 (a week)")
    problems.check()


@dataclass(frozen=True)
class _Step:
    """What EMR says of a step."""

    id: str
    state: str
    token: str
    created: datetime | None
    started: datetime | None
    failure: str


class EmrExecutor:
    """Submits steps one by one, and asks for the states of all with one request."""

    here = False

    def __init__(
        self,
        request: ExecutorRequest,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._request = request
        self._settings = request.settings
        self._cluster = cluster_of(request.settings)
        region = self._cluster.region
        self._emr = aws.client("emr", region)
        self._emr_once = aws.client("emr", region, retried=False)
        self._now, self._sleep = now, sleep
        self._id = request.settings.emr_cluster_id or request.notes.get("cluster")
        self._detached = request.looks
        self._documents = emr_jobs.Documents(request.plan, request.settings, request.folder)
        self._rounds = 0
        self._empty: Counter[str] = Counter()
        self._overdue: dict[str, datetime] = {}
        self._silent: datetime | None = None

    # --- submit -------------------------------------------------------------------------------------------------------

    def submit(self, step: PlannedStep, token: str) -> str:
        token = aws.token_of(self._request.folder, token)
        prepared = emr_jobs.prepare(step, self._settings, self._request.folder, token)
        entry = emr_requests.step(prepared.job, emr_jobs.environment_of(self._settings), "CONTINUE")
        self._documents.bring()
        self._request.watch.say(f"{step.name}: {prepared.job.name}")
        try:
            return self._submit(entry, token)
        except _Gone:
            self._id = None
            return self._submit(entry, token)
        except aws.errors() as error:
            raise SnowetlError(f"{step.name} cannot be submitted to EMR: {error}") from None

    def find(self, step: PlannedStep, token: str) -> str | None:
        try:
            cluster = self._id or self._find_cluster()
            found = cluster and self._find_step(cluster, aws.token_of(self._request.folder, token))
        except aws.errors() as error:
            raise SnowetlError(f"{step.name} cannot be looked for on EMR: {error}") from None
        return f"{cluster}/{found}" if found else None

    def _submit(self, entry: dict[str, Any], token: str) -> str:
        cluster = self._usable()
        if cluster is None:
            cluster = aws.exactly_once(
                "a cluster", lambda: self._launch(entry), self._find_cluster, self._settings.emr_poll, self._sleep
            )
            self._request.watch.say(f"cluster {cluster} starts")
        self._id = cluster
        step = aws.exactly_once(
            entry["Name"],
            lambda: self._add(cluster, entry),
            lambda: self._find_step(cluster, token),
            self._settings.emr_poll,
            self._sleep,
        )
        return f"{cluster}/{step}"

    def _launch(self, entry: dict[str, Any]) -> str:
        """Start a cluster with its first step."""
        request = self.launch_request(entry)
        return str(aws.answered(self._emr_once.run_job_flow(**request), "JobFlowId"))

    def launch_request(self, entry: dict[str, Any]) -> dict[str, Any]:
        made = emr_requests.run_job_flow(self._cluster, [entry], self._request.plan.run, stays=True)
        return made | {"Name": self._name}

    def _add(self, cluster: str, entry: dict[str, Any]) -> str:
        try:
            answer = self._emr_once.add_job_flow_steps(**emr_requests.add_job_flow_steps(cluster, [entry]))
        except aws.errors() as error:
            if self._is_own and aws.meaning(error) is aws.Answer.REFUSED and self._state(cluster)[0] not in ALIVE:
                raise _Gone(cluster) from None
            raise
        return str(aws.answered(answer, "StepIds")[0])

    @property
    def _is_own(self) -> bool:
        """Whether the cluster is one that this program starts and ends."""
        return self._settings.emr_cluster_id is None

    @property
    def _name(self) -> str:
        """The name of the cluster: no other run has it, nor, if it is kept, any other pipeline."""
        pipeline = hashlib.sha256(self._request.folder.rpartition("/")[0].encode()).hexdigest()[:12]
        run = "" if self._settings.emr_keep_cluster else f" {self._request.plan.run}"
        return f"{self._cluster.name}{run} {pipeline}"

    def _usable(self) -> str | None:
        """The cluster to add a step to; ``None``: one has to be started. A cluster that is ending is nobody's."""
        if not self._is_own:
            given = str(self._settings.emr_cluster_id)
            state, reason = self._state(given)
            if state not in ALIVE:
                raise ConfigError(f"--emr-cluster-id {given}: it is {state}{f' ({reason})' if reason else ''}")
            return given
        if self._id is not None and self._state(self._id)[0] in ALIVE:
            return self._id
        return self._find_cluster()

    def _find_cluster(self) -> str | None:
        clusters = aws.listed(
            self._emr.get_paginator("list_clusters"),
            "Clusters",
            ClusterStates=list(ALIVE),
            CreatedAfter=self._now() - _LOOKED_BACK,
        )
        return next((str(each["Id"]) for each in clusters if each.get("Name") == self._name), None)

    def _find_step(self, cluster: str, token: str) -> str | None:
        steps = aws.listed(self._emr.get_paginator("list_steps"), "Steps", ClusterId=cluster)
        return next((step.id for step in map(_step, steps) if step.token == token), None)

    def _state(self, cluster: str) -> tuple[str, str]:
        """State and reason of a cluster; ``LOST`` for one that nobody knows."""
        try:
            status = aws.answered(self._emr.describe_cluster(ClusterId=cluster), "Cluster").get("Status", {})
        except aws.errors() as error:
            if aws.code_of(error) in ("InvalidRequestException", "ValidationException"):
                return LOST.upper(), str(error)
            raise
        reason = status.get("StateChangeReason", {})
        return str(status.get("State", "")), ": ".join(
            part for part in (reason.get("Code"), reason.get("Message")) if part
        )

    # --- poll ---------------------------------------------------------------------------------------------------------

    def poll(self, jobs: Sequence[str]) -> list[JobStatus]:
        self._rounds += 1
        try:
            found = self._steps(jobs)
            statuses = [self._status(job, found.get(job)) for job in jobs]
        except aws.errors() as error:
            return self._unanswered(jobs, error)
        self._silent = None
        return statuses

    def _unanswered(self, jobs: Sequence[str], error: Exception) -> list[JobStatus]:
        """EMR does not answer: the jobs run on. Raises :class:`SnowetlError` if it stays silent."""
        if self._silent is None:
            self._silent = self._now()
            self._request.watch.warn(f"EMR does not answer, the job runs on: {error}")
        if (self._now() - self._silent).total_seconds() > _PATIENCE_SECONDS:
            raise SnowetlError(f"EMR has not answered for {_PATIENCE_SECONDS / 60:.0f} minutes: {error}")
        return [JobStatus(job) for job in jobs]

    def _steps(self, jobs: Sequence[str]) -> dict[str, _Step]:
        """The steps by job: one request for each cluster and ten steps."""
        by_cluster: dict[str, list[str]] = defaultdict(list)
        for job in jobs:
            cluster, _, step = job.partition("/")
            by_cluster[cluster].append(step)
        found = {}
        for cluster, ids in by_cluster.items():
            for first in range(0, len(ids), _IDS_A_REQUEST):
                answer = self._emr.list_steps(ClusterId=cluster, StepIds=ids[first : first + _IDS_A_REQUEST])
                found.update({f"{cluster}/{step.id}": step for step in map(_step, answer.get("Steps", ()))})
        return found

    def _status(self, job: str, step: _Step | None) -> JobStatus:
        cluster = job.partition("/")[0]
        if step is None:
            return self._unlisted(job)
        self._empty.pop(job, None)
        log = self._log_folder(job) or ""
        if step.state in _OVER:
            return self._ended(job, step, log)
        overdue = self._is_overdue(job, step)
        if overdue:
            return JobStatus(job, FAILED, overdue, log)
        if step.state == "PENDING" or self._rounds % _CLUSTER_ROUNDS == 0:
            state, reason = self._state(cluster)
            if state not in ALIVE and (state.startswith("TERMINATED") or state == LOST.upper()):
                return self._with_its_cluster(job, step, state, reason, log)
        return JobStatus(job, RUNNING, log=log)

    def _ended(self, job: str, step: _Step, log: str) -> JobStatus:
        outcome = _OVER[step.state]
        if outcome == DONE:
            return JobStatus(job, DONE, log=log)
        if job in self._overdue:
            return JobStatus(job, FAILED, self._too_long(), log)
        if step.state == "CANCELLED" and step.started is None:
            state, reason = self._state(job.partition("/")[0])
            if state not in ALIVE:
                return self._with_its_cluster(job, step, state, reason, log)
        return JobStatus(job, outcome, f"the step is {step.state}{f': {step.failure}' if step.failure else ''}", log)

    def _with_its_cluster(self, job: str, step: _Step, state: str, reason: str, log: str) -> JobStatus:
        """The step ended because its cluster did."""
        code, _, message = reason.partition(": ")
        begun = step.started is not None and step.state != "PENDING"
        capacity = any(word in message.lower() for word in _CAPACITY)
        again = self._is_own and not begun and (code in _SAFE_TO_REPEAT or capacity)
        cluster = job.partition("/")[0]
        return JobStatus(job, FAILED, f"its cluster {cluster} is {state}{f' ({reason})' if reason else ''}", log, again)

    def _unlisted(self, job: str) -> JobStatus:
        """EMR lists late: a step that is missing once may be there; one that stays away is lost."""
        self._empty[job] += 1
        if self._empty[job] < _EMPTY_ROUNDS:
            return JobStatus(job)
        return JobStatus(job, LOST, f"EMR does not know the step {job}")

    def _is_overdue(self, job: str, step: _Step) -> str:
        """Why a step is given up that took too long; it is cancelled, and for a while waited for."""
        limit = self._settings.emr_step_timeout
        if step.created is None or (self._now() - step.created).total_seconds() <= limit:
            return ""
        if job not in self._overdue:
            self._overdue[job] = self._now()
            self.cancel(job)
        waited = (self._now() - self._overdue[job]).total_seconds()
        return self._too_long() if waited > _CANCELLING_SECONDS else ""

    def _too_long(self) -> str:
        limit = Duration().to_json(self._settings.emr_step_timeout)
        return f"it took longer than {limit} (--emr-step-timeout), and was cancelled"

    # --- the rest -----------------------------------------------------------------------------------------------------

    def cancel(self, job: str) -> None:
        cluster, _, step = job.partition("/")
        try:
            self._emr.cancel_steps(ClusterId=cluster, StepIds=[step], StepCancellationOption="TERMINATE_PROCESS")
        except aws.errors() as error:
            if self._state(cluster)[0] in ALIVE:
                self._request.watch.warn(f"{job} cannot be cancelled: {error}")

    def log_tail(self, job: str) -> str:
        """EMR brings logs to S3 every few minutes, and when a cluster ends: for some time they are waited for."""
        folder = self._log_folder(job)
        if folder is None:
            return ""
        for _ in range(0 if self._request.looks else _LOG_ROUNDS):
            if emr_logs.is_there(folder):
                break
            self._sleep(self._settings.emr_poll)
        application = emr_logs.application_of(folder)
        containers = f"{folder.rpartition('/steps/')[0]}/containers/{application}"
        found = emr_logs.tail(*([containers] if application else []), folder)
        return found or f"its log is not there yet: {folder}"

    def _log_folder(self, job: str) -> str | None:
        cluster, _, step = job.partition("/")
        uri = self._cluster.log_uri
        return None if uri is None else f"{uri.rstrip('/')}/{cluster}/steps/{step}"

    def notes(self) -> dict[str, str]:
        return {"cluster": self._id} if self._id is not None and self._is_own else {}

    def detach(self) -> None:
        self._detached = True

    def close(self) -> None:
        """End the cluster that was started for the run, also one that was started by a process that died over it."""
        if self._detached or not self._is_own or self._settings.emr_keep_cluster:
            return
        try:
            cluster = self._id or self._find_cluster()
            for _ in range(_END_TRIES if cluster else 0):
                self._emr.terminate_job_flows(JobFlowIds=[cluster])
                if self._state(str(cluster))[0] not in ALIVE:
                    self._request.watch.say(f"cluster {cluster} ends")
                    return
                self._sleep(min(self._settings.emr_poll, 5.0))
        except aws.errors() as error:
            idle = Duration().to_json(self._cluster.idle_seconds)
            self._request.watch.warn(f"the cluster cannot be ended: {error}. It ends when it has been idle for {idle}")


def _step(document: dict[str, Any]) -> _Step:
    status = document.get("Status") or {}
    timeline, details = status.get("Timeline") or {}, status.get("FailureDetails") or {}
    arguments = (document.get("Config") or {}).get("Args") or ()
    prefix = f"{emr_requests.TOKEN}="
    message = (status.get("StateChangeReason") or {}).get("Message")
    return _Step(
        id=str(document.get("Id", "")),
        state=str(status.get("State", "")),
        token=next((text.removeprefix(prefix) for text in arguments if text.startswith(prefix)), ""),
        created=timeline.get("CreationDateTime"),
        started=timeline.get("StartDateTime"),
        failure="; ".join(str(part) for part in (details.get("Reason"), details.get("Message"), message) if part),
    )


def ready(settings: RunSettings) -> None:
    """Raises ``ConfigError`` where the package is missing, or made for other processors than the cluster has."""
    _package(settings)


def examine(settings: RunSettings) -> str:
    """The package, the cluster, the regions. Raises ``ConfigError``."""
    check(settings)
    made = _package(settings)
    region = cluster_of(settings).region
    notes = [emr_preflight.describe(made), emr_preflight.ask_cluster(settings, region)]
    return "; ".join(notes + emr_preflight.ask_buckets(settings, region))


def _package(settings: RunSettings) -> dict[str, Any]:
    made = emr_preflight.package(settings, with_archive=True)
    if settings.emr_cluster is not None:
        emr_preflight.check_processors(made, emr_preflight.processors_of(cluster_of(settings)))
    return made


@contextmanager
def open_emr(request: ExecutorRequest) -> Iterator[EmrExecutor]:
    """The executor of a cluster. Nothing is sent until a step is submitted. Raises ``ConfigError``."""
    executor = EmrExecutor(request)
    try:
        yield executor
    finally:
        executor.close()


EMR = ExecutorKind(open_emr, check, ready, examine)
