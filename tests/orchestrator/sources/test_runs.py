"""``snowetl run`` from S3 into PostgreSQL, with files heard of in other ways than by a listing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.load.embedded import embedded_postgres
from tests.integration.support import ROOT
from tests.integration.test_growing import hit
from tests.orchestrator.sources.conftest import BUCKET, Aws
from tests.orchestrator.sources.inventories import FOLDER, row, write


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def run(folder: Path, *more: str, verb: str = "run") -> int:
    given = ["--input-folder", f"s3://{BUCKET}/raw", "--input-format", "cloudfront", "--master", "none"]
    where = ["--output-folder", str(folder / "out"), "--iglu-config", str(ROOT / "fixtures" / "resolver.json")]
    return main([verb, *given, *where, *more])


def rows(folder: Path, schema: str = "atomic") -> int:
    with embedded_postgres(folder / "out" / "warehouse") as url, psycopg.connect(url) as connection:
        found = connection.execute(f"SELECT count(*), count(DISTINCT event_id) FROM {schema}.events").fetchone()
    assert found is not None
    assert found[0] == found[1]
    return int(found[0])


def log(aws: Aws, name: str, *numbers: int) -> str:
    aws.put(f"raw/{name}", "".join(map(hit, numbers)).encode())
    return f"raw/{name}"


def test_by_inventory(aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Day by day; what an inventory does not know yet comes with the next, or by a listing."""
    day = [log(aws, f"2026-03-05 {hour}:00.log", hour) for hour in range(3)]
    write(aws, [row(aws, key) for key in day], at="2026-03-06T01-00Z")
    log(aws, "2026-03-06 00:00.log", 100)
    by_inventory = ("--inventory", FOLDER)
    assert run(tmp_path, *by_inventory, verb="doctor") == 0
    assert "1 file in CSV" in " ".join(capsys.readouterr().out.split())
    assert run(tmp_path, *by_inventory) == 0
    assert rows(tmp_path) == 3
    assert run(tmp_path, *by_inventory) == 3
    day.append("raw/2026-03-06 00:00.log")
    write(aws, [row(aws, key) for key in day], at="2026-03-07T01-00Z")
    assert run(tmp_path, *by_inventory) == 0
    assert rows(tmp_path) == 4
    log(aws, "2026-03-07.log", 101)
    assert run(tmp_path) == 0
    assert rows(tmp_path) == 5
    assert os.environ["AWS_ENDPOINT_URL"] == aws.url


def test_a_backfill_by_inventory(aws: Aws, tmp_path: Path) -> None:
    keys = [log(aws, f"2026-03-0{day}.log", day) for day in range(1, 6)]
    manifest = write(aws, [row(aws, key) for key in keys])
    aws.s3.delete_object(Bucket=BUCKET, Key=keys[2])
    period = ("--from", "2026-03-02", "--to", "2026-03-05")
    assert run(tmp_path, "--inventory", manifest, *period, verb="backfill") == 0
    assert rows(tmp_path, "atomic_backfill") == 2


@pytest.fixture
def queue(aws: Aws) -> str:
    """The URL of a queue, and its ARN by :func:`arn`."""
    return str(aws.sqs.create_queue(QueueName="raw-logs")["QueueUrl"])


def arn(aws: Aws, queue: str) -> str:
    found = aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def by_itself(aws: Aws, queue: str) -> None:
    told = {"QueueArn": arn(aws, queue), "Events": ["s3:ObjectCreated:*"]}
    configuration = {"QueueConfigurations": [told]}
    aws.s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)


def by_sns(aws: Aws, queue: str) -> None:
    sns: Any = boto3.client("sns")
    topic = sns.create_topic(Name="raw-logs")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(aws, queue))
    configuration = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
    aws.s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)


def by_event_bridge(aws: Aws, queue: str) -> None:
    events: Any = boto3.client("events")
    events.put_rule(Name="raw-logs", EventPattern='{"source": ["aws.s3"]}', State="ENABLED")
    events.put_targets(Rule="raw-logs", Targets=[{"Id": "1", "Arn": arn(aws, queue)}])
    aws.s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


@pytest.mark.parametrize("told", [by_itself, by_sns, by_event_bridge])
def test_by_queue(told: Callable[[Aws, str], None], aws: Aws, queue: str, tmp_path: Path) -> None:
    told(aws, queue)
    log(aws, "2026-03-05 00:00+1.log", 1, 2)
    log(aws, "2026-03-05 01:00.log", 3)
    assert run(tmp_path, "--input-queue", arn(aws, queue)) == 0
    assert rows(tmp_path) == 3
    assert run(tmp_path, "--input-queue", queue) == 3
    assert run(tmp_path) in (0, 3)  # by a listing: nothing is new
    log(aws, "2026-03-05 02:00.log", 4)
    assert run(tmp_path, "--input-queue", "raw-logs", verb="doctor") == 0
    assert run(tmp_path, "--input-queue", "raw-logs", verb="plan") == 0
    assert run(tmp_path, "--input-queue", "raw-logs") == 0
    assert rows(tmp_path) == 4
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=queue)
