"""A stand-in for AWS in which steps really run: moto server, a proxy before it with faults, and what moves states on.

A step that is submitted is run as a process, ``python jobs/ENRICH.py …``, against the same S3. What a client sends is
held against the model of botocore.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
from moto.emr.models import emr_backends
from moto.emrserverless.models import emrserverless_backends

from snowetl.orchestrator.executors.emr_requests import TOKEN
from tests.aws_server import aws_server
from tests.integration.support import ROOT, environment
from tests.orchestrator.exports.support import refused

REGION, ACCOUNT = "us-east-1", "123456789012"
BUCKET = "lake"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/job"
_ENDED = ("COMPLETED", "FAILED", "CANCELLED", "INTERRUPTED")
_JOB_ENDED = ("SUCCESS", "FAILED", "CANCELLED")
_TICK_SECONDS = 0.03
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}

Fault = Callable[[str, int], str | None]
"""The fault of the nth request of an operation: ``throttled``, ``500``, ``reset``, ``empty``; with `` when done`` it is
carried out, and the answer is lost."""


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    log: Path
    started: float


@dataclass
class Aws:
    """The stand-in. Tests read what was asked, and say what goes wrong."""

    endpoint: str
    folder: Path
    fault: Fault = lambda operation, number: None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Each request that was carried out: operation and parameters."""
    refused: list[str] = field(default_factory=list)
    """What the model of botocore says against requests."""
    counts: Counter[str] = field(default_factory=Counter)
    lost_launches: list[tuple[str, str]] = field(default_factory=list)
    """Code and message for the clusters that end before their first step, one a launch."""
    broken: dict[str, str] = field(default_factory=dict)
    """Verb -> state in which its step ends, once, without having run; ``hangs``: it never ends."""
    ran: list[str] = field(default_factory=list)
    """The verb of each process that was started."""
    jobs_environment: dict[str, str] = field(default_factory=dict)
    lingers: float = 0.0
    """So many seconds a step goes on that was told to end."""
    ended: list[set[str]] = field(default_factory=list)
    """The keys below ``out/`` when such a step ended, one set a step."""
    _ending: dict[str, float] = field(default_factory=dict)
    _processes: dict[str, _Running] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # --- what tests ask -----------------------------------------------------------------------------------------------

    @property
    def emr(self) -> Any:
        return emr_backends[ACCOUNT][REGION]

    @property
    def serverless(self) -> Any:
        return emrserverless_backends[ACCOUNT][REGION]

    @property
    def clusters(self) -> list[Any]:
        return list(self.emr.clusters.values())

    @property
    def clusters_left(self) -> list[str]:
        return [cluster.id for cluster in self.clusters if not str(cluster.state).startswith("TERMINAT")]

    @property
    def steps(self) -> list[Any]:
        return [step for cluster in self.clusters for step in cluster.steps]

    def application(self) -> str:
        """A new application of EMR Serverless."""
        made = self.serverless.create_application("a", "emr-7.1.0", "SPARK", "t", "", "", {}, "", "", None)
        self.serverless.job_runs[made.id] = []
        return str(made.id)

    def tokens(self) -> Counter[str]:
        """How often each token was submitted: once, or something was started twice."""
        jobs = [job for jobs in self.serverless.job_runs.values() for job in jobs]
        parameters = [job.job_driver["sparkSubmit"]["sparkSubmitParameters"].split() for job in jobs]
        texts = [step.args for step in self.steps] + parameters
        return Counter(one for args in texts for one in args if one.startswith(TOKEN))

    def operations(self, name: str) -> list[dict[str, Any]]:
        return [parameters for operation, parameters in list(self.calls) if operation == name]

    def begin_again(self, *keep: str) -> None:
        """Forget everything but the objects below ``keep``."""
        with self._lock:
            self.close()
            self.fault = lambda operation, number: None
            self.emr.clusters.clear()
            self.serverless.job_runs.clear()
            for found in (self.calls, self.ran, self.refused, self.counts):
                found.clear()
        client = s3(self.endpoint)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for each in page.get("Contents", ()):
                if not each["Key"].startswith(keep):
                    client.delete_object(Bucket=BUCKET, Key=each["Key"])

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing moves on in here."""
        with self._lock:
            yield

    # --- what EMR does ------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        with self._lock:
            for cluster in self.clusters:
                self._move(cluster)
            for jobs in list(self.serverless.job_runs.values()):
                for job in list(jobs):
                    self._move_job(job)

    def _move(self, cluster: Any) -> None:
        if self.lost_launches and not hasattr(cluster, "fate"):
            cluster.fate = self.lost_launches.pop(0)
        cluster.fate = getattr(cluster, "fate", None)
        if cluster.fate and cluster.state not in ("TERMINATED", "TERMINATED_WITH_ERRORS"):
            cluster.reason_code, cluster.last_state_change_reason = cluster.fate
            cluster.state = "TERMINATED_WITH_ERRORS"
        if str(cluster.state).startswith("TERMINAT"):
            for step in cluster.steps:
                self._stop(step.id)
                if step.state not in _ENDED:
                    step.state = "CANCELLED"
                    step.start_date_time = None if cluster.fate else step.start_date_time
            return
        active = next((step for step in cluster.steps if step.state not in _ENDED), None)
        cluster.state = "RUNNING" if active is not None else "WAITING"
        if active is not None:
            self._advance(active, cluster)

    def _advance(self, step: Any, cluster: Any) -> None:
        arguments = list(step.args)
        place = next(index for index, text in enumerate(arguments) if text.endswith(".py"))
        verb = Path(arguments[place]).stem
        running = self._processes.get(step.id)
        if running is None:
            fate = self.broken.pop(verb, None)
            if fate in _ENDED:
                step.state = fate
                return
            step.state, step.start_date_time = "RUNNING", step.creation_date_time
            self._start(step.id, verb, arguments[place + 1 :], hangs=fate == "hangs")
        elif step.id in self._ending:
            if time.monotonic() > self._ending[step.id]:
                self._stop(step.id)
                step.state = "CANCELLED"
                listed = s3(self.endpoint).list_objects_v2(Bucket=BUCKET, Prefix="out/")
                self.ended.append({each["Key"] for each in listed.get("Contents", ())})
        elif running.process.poll() is not None:
            failed = running.process.returncode != 0
            step.state = "FAILED" if failed else "COMPLETED"
            step.last_state_change_reason = "Unknown Error." if failed else None
            if cluster.log_uri:
                self._keep_log(f"{cluster.log_uri.rstrip('/')}/{cluster.id}/steps/{step.id}", step.id)

    def _move_job(self, job: Any) -> None:
        if not hasattr(job, "taken"):  # moto has it done at once
            job.taken, job.state = True, "RUNNING"
            submit = job.job_driver["sparkSubmit"]
            verb = Path(submit["entryPoint"]).stem
            fate = self.broken.pop(verb, None)
            if fate in _JOB_ENDED:
                job.state, job.state_details = fate, "insufficient capacity" if fate == "FAILED" else None
                return
            self._start(job.id, verb, submit["entryPointArguments"], hangs=fate == "hangs")
        running = self._processes.get(job.id)
        if job.state == "CANCELLED":
            self._stop(job.id)
        elif running is not None and job.state == "RUNNING" and running.process.poll() is not None:
            job.state = "SUCCESS" if running.process.returncode == 0 else "FAILED"
            job.billed_resource_utilization = {"vCPUHour": 0.5, "memoryGBHour": 2.0, "storageGBHour": 0.0}
            uri = ((job.configuration_overrides or {}).get("monitoringConfiguration") or {}).get(
                "s3MonitoringConfiguration"
            )
            if uri:
                folder = f"{uri['logUri'].rstrip('/')}/applications/{job.application_id}/jobs/{job.id}/SPARK_DRIVER"
                self._keep_log(folder, job.id)

    def _start(self, id_: str, verb: str, arguments: list[str], hangs: bool) -> None:
        self.ran.append(verb)
        more = [] if verb == "load" else ["--master", "none"]
        command = [sys.executable, str(ROOT / "jobs" / f"{verb}.py"), *arguments, *more]
        if hangs:
            command = ["sleep", "600"]
        log = self.folder / f"{id_}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(**self.jobs_environment),
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self._processes[id_] = _Running(process, log, time.monotonic())

    def _stop(self, id_: str) -> None:
        running = self._processes.get(id_)
        if running is not None and running.process.poll() is None:
            os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()

    def _keep_log(self, folder: str, id_: str) -> None:
        parts = urlsplit(folder)
        body = gzip.compress(self._processes[id_].log.read_bytes())
        s3(self.endpoint).put_object(Bucket=parts.netloc, Key=f"{parts.path.strip('/')}/stderr.gz", Body=body)

    def close(self) -> None:
        with self._lock:
            for id_ in self._processes:
                self._stop(id_)

    # --- requests -----------------------------------------------------------------------------------------------------

    def heard(self, operation: str, parameters: dict[str, Any]) -> str | None:
        """Note a request, and hold it against the model; its fault, if it has one."""
        service = "emr" if operation in _OF_EMR else "emr-serverless"
        problem = refused(service, operation, parameters)
        if problem:
            self.refused.append(f"{operation}: {problem}")
        with self._lock:
            self.counts[operation] += 1
            return self.fault(operation, self.counts[operation])

    def cancel_steps(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Which moto does not know."""
        with self._lock:
            cluster = self.emr.clusters[parameters["ClusterId"]]
            for step in cluster.steps:
                if step.id in parameters["StepIds"] and step.state not in _ENDED:
                    if self.lingers:
                        self._ending.setdefault(step.id, time.monotonic() + self.lingers)
                        continue
                    self._stop(step.id)
                    step.state = "CANCELLED"
        return {"CancelStepsInfoList": [{"StepId": id_, "Status": "SUBMITTED"} for id_ in parameters["StepIds"]]}

    def started_before(self, token: str) -> dict[str, Any] | None:
        """The job of a client token, which moto does not compare."""
        for jobs in self.serverless.job_runs.values():
            for job in jobs:
                if job.client_token == token:
                    return {"applicationId": job.application_id, "jobRunId": job.id, "arn": job.arn}
        return None

    def amended(self, operation: str, document: dict[str, Any]) -> dict[str, Any]:
        """An answer of moto with what it leaves out: the code of a cluster's end."""
        if operation == "DescribeCluster" and "Cluster" in document:
            cluster = self.emr.clusters[document["Cluster"]["Id"]]
            reason = document["Cluster"]["Status"].setdefault("StateChangeReason", {})
            reason["Code"] = getattr(cluster, "reason_code", "USER_REQUEST")
        return document


_OF_EMR = {
    "RunJobFlow",
    "AddJobFlowSteps",
    "ListSteps",
    "ListClusters",
    "DescribeCluster",
    "CancelSteps",
    "TerminateJobFlows",
}
_SERVERLESS = (
    ("POST", r"/applications/([^/]+)/jobruns", "StartJobRun"),
    ("GET", r"/applications/([^/]+)/jobruns/([^/]+)", "GetJobRun"),
    ("GET", r"/applications/([^/]+)/jobruns", "ListJobRuns"),
    ("DELETE", r"/applications/([^/]+)/jobruns/([^/]+)", "CancelJobRun"),
    ("GET", r"/applications/([^/]+)", "GetApplication"),
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    aws: Aws
    target: tuple[str, int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation, parameters = self._named(body)
        fault = self.aws.heard(operation, parameters)
        if fault in ("throttled", "500", "reset", "empty"):
            self._fail(fault)
            return
        self.aws.calls.append((operation, parameters))
        answer = self._carried_out(operation, parameters, body)
        if fault is not None:
            self._fail(fault.removesuffix(" when done"))
        else:
            self._answer(*answer)

    do_GET = do_DELETE = do_PUT = do_POST  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def _named(self, body: bytes) -> tuple[str, dict[str, Any]]:
        target = self.headers.get("X-Amz-Target")
        if target:
            return target.partition(".")[2], json.loads(body or b"{}")
        parts = urlsplit(self.path)
        for method, pattern, operation in _SERVERLESS:
            match = re.fullmatch(pattern, parts.path)
            if match and method == self.command:
                ids = dict(zip(("applicationId", "jobRunId"), match.groups(), strict=False))
                given = json.loads(body) if body else {}
                return operation, {**given, **ids, **({} if body else _query(parts.query))}
        raise AssertionError(f"{self.command} {self.path}")

    def _carried_out(self, operation: str, parameters: dict[str, Any], body: bytes) -> tuple[int, bytes, list[Any]]:
        if operation == "CancelSteps":
            return 200, json.dumps(self.aws.cancel_steps(parameters)).encode(), []
        if operation == "StartJobRun":
            before = self.aws.started_before(parameters["clientToken"])
            if before is not None:
                return 200, json.dumps(before).encode(), []
        connection = HTTPConnection(*self.target, timeout=60)
        try:
            with self.aws._lock:
                connection.request(
                    self.command,
                    self.path,
                    body,
                    {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP},
                )
                answer = connection.getresponse()
                content = answer.read()
            if operation == "DescribeCluster" and answer.status == 200:
                content = json.dumps(self.aws.amended(operation, json.loads(content))).encode()
            return answer.status, content, answer.getheaders()
        finally:
            connection.close()

    def _fail(self, fault: str) -> None:
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        elif fault == "throttled":
            self._answer(400, json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode(), [])
        elif fault == "500":
            self._answer(500, json.dumps({"__type": "InternalServerException", "message": "try again"}).encode(), [])
        else:
            self._answer(200, b"{}", [])

    def _answer(self, status: int, content: bytes, headers: list[Any]) -> None:
        try:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the client was killed
            self.close_connection = True


def _query(text: str) -> dict[str, Any]:
    return {key: int(value) if value.isdigit() else value for key, value in parse_qsl(text)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Silence: clients are killed here."""


def s3(endpoint: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    return boto3.client("s3", endpoint_url=endpoint, **keys)


@contextmanager
def stand_in(folder: Path, environ: Callable[[str, str], None]) -> Iterator[Aws]:
    """The stand-in, and the variables that lead clients of this and other processes to it."""
    with aws_server() as endpoint:
        address = urlsplit(endpoint)
        aws = Aws(endpoint, folder)
        handler = type("Handler", (_Handler,), {"aws": aws, "target": (address.hostname, address.port)})
        proxy = _Server(("127.0.0.1", 0), handler)
        of_emr = f"http://127.0.0.1:{proxy.server_address[1]}"
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        variables = {
            "AWS_ENDPOINT_URL_S3": endpoint,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint,
            "AWS_ENDPOINT_URL_EMR": of_emr,
            "AWS_ENDPOINT_URL_EMR_SERVERLESS": of_emr,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }
        for name, value in variables.items():
            environ(name, value)
        aws.jobs_environment = dict(variables)
        s3(endpoint).create_bucket(Bucket=BUCKET)
        done = threading.Event()

        def move() -> None:
            while not done.wait(_TICK_SECONDS):
                aws.tick()

        mover = threading.Thread(target=move, daemon=True)
        mover.start()
        try:
            yield aws
        finally:
            done.set()
            mover.join()
            aws.close()
            proxy.shutdown()
            proxy.server_close()
