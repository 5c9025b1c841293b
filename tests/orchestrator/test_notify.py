"""Notices of runs, told to real servers: HTTP, UDP, a stand-in for AWS, a file, a collector's way of reading."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from snowetl.errors import UsageError
from snowetl.orchestrator import notify
from snowetl.orchestrator.kinds import Notify
from snowetl.orchestrator.notify import FAILED, FINISHED, STARTED, Notice, StepNotice, notifier_of, tell
from snowetl.orchestrator.settings import RunSettings
from snowetl.steps.base import Unwatched
from tests.web_server import Answer, Asked, answering

START = 1_772_704_800_000
STARTED_NOTICE = Notice(event=STARTED, pipeline="s3://lake", run="2026-03-05-10-00-00", at=START, started=START)
DONE = Notice(
    event=FINISHED,
    pipeline="s3://lake",
    run="2026-03-05-10-00-00",
    at=START + 90_500,
    started=START,
    link="s3://lake/runs/run=2026-03-05-10-00-00/report.html",
    counts={
        "records": 1200.0,
        "events": 1100.0,
        "badRows": 50.0,
        "rows": 2200.0,
        "bytes": 3e6,
        "latenessSeconds": 61.5,
    },
    steps=(
        StepNotice("enrich", "done", START + 1000, START + 31_000),
        StepNotice("transform", "done", START + 31_000, START + 61_000),
        StepNotice("load", "waits"),
    ),
)
FAILED_NOTICE = replace(DONE, event=FAILED, reason="the cluster went away", counts={}, link="s3://lake/runs/")


class Warnings(Unwatched):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def warn(self, text: str) -> None:
        self.heard.append(text)


@contextmanager
def web_server(status: int = 200, hang: threading.Event | None = None) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """The address of a server, and (path, JSON document) of each POST that it got."""
    got: list[tuple[str, Any]] = []

    def reply(asked: Asked) -> Answer:
        got.append((asked.path, json.loads(asked.body)))
        if hang is not None:
            hang.wait(60)
        return Answer(status)

    with answering(reply) as uri:
        try:
            yield uri.removeprefix("http://"), got
        finally:
            if hang is not None:
                hang.set()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, aws_url: str) -> dict[str, Any]:
    for name, value in (
        ("AWS_ENDPOINT_URL", aws_url),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ):
        monkeypatch.setenv(name, value)
    return {"endpoint_url": aws_url, "region_name": "eu-west-1"}


def test_every_notifier_can_be_made_from_its_example() -> None:
    for place in notify.NOTIFIERS.values():
        module, _, name = place.partition(":")
        kind = getattr(__import__(module, fromlist=[name]), name)
        assert isinstance(notifier_of(kind.example), kind)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://example.com", "begins with none of"),
        ("nothing", "begins with none of"),
        ("https://", "no host"),
        ("arn:aws:sqs:eu-west-1:1:queue", "not the ARN of an SNS topic"),
        ("cloudwatch:AWS/EMR", "not a namespace"),
        ("prometheus:/tmp/x.txt", "*.prom"),
        ("statsd:8125", "no host"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_an_example(address: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        notifier_of(address)


def test_webhook() -> None:
    with web_server() as (host, got):
        notifier_of(f"http://{host}/hook").send(FAILED_NOTICE)
    [(path, document)] = got
    assert path == "/hook"
    assert (document["event"], document["reason"]) == ("run-failed", "the cluster went away")
    assert document["steps"][0] == {"name": "enrich", "state": "done", "seconds": 30.0}
    assert document["text"] == (
        "snowetl: run=2026-03-05-10-00-00 of s3://lake failed: the cluster went away (s3://lake/runs/)"
    )


def test_what_people_read_of_a_run_that_is_done() -> None:
    assert DONE.text == (
        "snowetl: run=2026-03-05-10-00-00 of s3://lake finished in 90 s: 1,100 events, 50 bad rows, 2,200 rows "
        "(s3://lake/runs/run=2026-03-05-10-00-00/report.html)"
    )


def test_sns(aws: dict[str, Any]) -> None:
    make: Any = boto3.client
    sns, sqs = make("sns", **aws), make("sqs", **aws)
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    notifier_of(topic).send(DONE)
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == "snowetl: run-finished 2026-03-05-10-00-00"
    assert envelope["MessageAttributes"]["event"]["Value"] == "run-finished"
    assert json.loads(envelope["Message"])["counts"]["events"] == 1100


def test_cloudwatch(aws: dict[str, Any]) -> None:
    notifier_of("cloudwatch:etl/shop").send(DONE)
    make: Any = boto3.client
    found = make("cloudwatch", **aws).list_metrics(Namespace="etl/shop")["Metrics"]
    names = {(metric["MetricName"], len(metric["Dimensions"])) for metric in found}
    assert {("RunsFinished", 1), ("RunsFailed", 1), ("Events", 1), ("Lateness", 1), ("StepSeconds", 2)} <= names


def test_emf(capsys: pytest.CaptureFixture[str]) -> None:
    notifier_of("emf:snowetl").send(FAILED_NOTICE)
    document = json.loads(capsys.readouterr().out)
    [directive] = document["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("snowetl", [["Pipeline"]])
    assert {metric["Name"] for metric in directive["Metrics"]} <= document.keys()
    assert (document["RunsFailed"], document["RunsFinished"], document["Pipeline"]) == (1, 0, "s3://lake")


def test_statsd() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        notifier_of(f"statsd://127.0.0.1:{server.getsockname()[1]}/etl.shop").send(DONE)
        lines = server.recv(65_535).decode().split("\n")
    assert {"etl.shop.runs_finished:1|c", "etl.shop.events:1100|g", "etl.shop.run:90500|ms"} <= set(lines)
    assert "etl.shop.enrich.step:30000|ms" in lines


def test_prometheus(tmp_path: Path) -> None:
    file = tmp_path / "metrics" / "snowetl.prom"
    told = notifier_of(f"prometheus:{file}")
    told.send(DONE)
    told.send(replace(DONE, pipeline='C:\\"x"'))
    told.send(replace(FAILED_NOTICE, at=START + 999_000))
    lines = file.read_text().splitlines()
    assert 'snowetl_run_state{pipeline="s3://lake"} 3.0' in lines
    assert 'snowetl_run_last_success_timestamp_seconds{pipeline="s3://lake"} 1772704890.5' in lines
    assert 'snowetl_run_last_failure_timestamp_seconds{pipeline="s3://lake"} 1772705799.0' in lines
    assert 'snowetl_run_state{pipeline="C:\\\\\\"x\\""} 2.0' in lines
    assert lines.count("# TYPE snowetl_run_state gauge") == 1
    assert [path.name for path in file.parent.iterdir()] == ["snowetl.prom"]
    assert file.stat().st_mode & 0o777 == 0o644


def test_snowplow() -> None:
    """What a collector gets is read as any event is: by the adapter of the tracker protocol."""
    with web_server() as (host, got):
        told = notifier_of(f"snowplow+http://{host}?app=etl")
        for notice in (STARTED_NOTICE, DONE, FAILED_NOTICE):
            told.send(notice)
    assert {path for path, _ in got} == {"/com.snowplowanalytics.snowplow/tp2"}
    events = []
    for _, document in got:
        assert document["schema"] == "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
        [tracked] = document["data"]
        assert (tracked["e"], tracked["aid"], tracked["p"]) == ("ue", "etl", "srv")
        events.append(json.loads(tracked["ue_pr"])["data"])
        entities = {entity["schema"].split("/")[1]: entity["data"] for entity in json.loads(tracked["co"])["data"]}
    vendor = "iglu:com.snowplowanalytics.monitoring.batch"
    assert [event["schema"] for event in events] == [
        f"{vendor}/emr_job_{name}/jsonschema/1-0-0" for name in ("started", "succeeded", "failed")
    ]
    assert entities["emr_job_status"] == {
        "name": "s3://lake",
        "jobflow_id": "2026-03-05-10-00-00",
        "state": "FAILED",
        "created_at": "2026-03-05T10:00:00Z",
        "ended_at": "2026-03-05T10:01:30Z",
        "last_state_change_reason": "the cluster went away",
    }
    assert entities["application_context"]["name"] == "snowetl"
    assert entities["jobflow_step_status"]["state"] == "PENDING"
    ids = {document["data"][0]["eid"] for _, document in got}
    assert len(ids) == 3


def test_one_that_fails_is_warned_of_and_the_others_are_told() -> None:
    watch = Warnings()
    with web_server(status=403) as (refusing, _), web_server() as (taking, got):
        tell([f"http://{refusing}/secret-path", "http://127.0.0.1:9/x", f"http://{taking}/"], DONE, watch)
    assert len(got) == 1
    assert len(watch.heard) == 2
    assert "403" in watch.heard[0] and "secret-path" not in watch.heard[0]


def test_one_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "_PATIENCE_SECONDS", 0.2)
    watch = Warnings()
    with web_server(hang=threading.Event()) as (host, _):
        tell([f"http://{host}/"], DONE, watch)
    assert "no answer for" in watch.heard[0]


def settings(**more: Any) -> RunSettings:
    return RunSettings(input_folder="raw", input_format="thrift", iglu_config={}, output_folder="out", **more)


def test_webhooks_are_secrets_and_other_addresses_are_not() -> None:
    public = settings(notify=("arn:aws:sns:eu-west-1:123456789012:alarms", "statsd://127.0.0.1"))
    assert RunSettings.from_mapping(public.to_json(), {}).notify == public.notify
    hook = settings(notify=("https://hooks.example.com/T0/secret", "statsd://127.0.0.1"))
    assert "secret" not in json.dumps(hook.to_json()) + str(hook.to_argv()) + repr(hook)
    environment = hook.to_environment()
    assert environment["SNOWETL_NOTIFY"] == "https://hooks.example.com/T0/secret statsd://127.0.0.1"
    assert RunSettings.from_mapping(hook.to_json(), environment).notify == hook.notify


def test_a_wrong_address_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ValueError, match="such as arn:aws:sns"):
        Notify().parse("arn:aws:s3:::bucket")
