"""``snowetl run`` from S3 into PostgreSQL, with files heard of in other ways than by a listing."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from snowetl.cli.main import main
from snowetl.load.embedded import embedded_postgres
from tests.integration.support import ROOT
from tests.integration.test_growing import hit
from tests.orchestrator.sources.conftest import BUCKET, Aws
from tests.orchestrator.sources.inventories import FOLDER, row, write


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def arguments(folder: Path, *more: str, verb: str = "run") -> list[str]:
    given = ["--input-folder", f"s3://{BUCKET}/raw", "--input-format", "cloudfront", "--master", "none"]
    where = ["--output-folder", str(folder / "out"), "--iglu-config", str(ROOT / "fixtures" / "resolver.json")]
    return [verb, *given, *where, *more]


def run(folder: Path, *more: str, verb: str = "run") -> int:
    return main(arguments(folder, *more, verb=verb))


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


def test_the_raw_files_of_a_run_are_archived(aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be copied fails no load; the exit code says it, and the next run makes up for it."""
    archive = ("--archive", "s3://keep/raw")
    aws.s3.create_bucket(Bucket="keep")
    names = [log(aws, f"2026/03-0{day} x+.log", day) for day in (1, 2)]
    assert run(tmp_path, *archive) == 0
    [first] = sorted((tmp_path / "out" / "runs").glob("run=*"))
    listed = [item["Key"] for item in aws.s3.list_objects_v2(Bucket="keep")["Contents"]]
    assert listed == [name.replace("raw/", f"raw/{first.name}/", 1) for name in names]
    report = json.loads((first / "report.json").read_text())
    assert (report["archive"]["files"], report["archive"]["copied"], report["archive"]["done"]) == (2, 2, True)
    assert "archive: 2 files" in " ".join(capsys.readouterr().err.split())
    log(aws, "2026/03-03.log", 3)
    second = "2099-12-31-23-59-59"
    aws.put(f"raw/run={second}/2026/03-03.log", b"of another pipeline", bucket="keep")
    assert run(tmp_path, *archive, "--run-id", second) == 1
    assert rows(tmp_path) == 3
    assert "its archive is not complete" in " ".join(capsys.readouterr().err.split())
    assert main(["status", "-o", str(tmp_path / "out")]) == 0
    assert "archive: 1 file not copied to s3://keep/raw" in " ".join(capsys.readouterr().out.split())
    aws.s3.delete_object(Bucket="keep", Key=f"raw/run={second}/2026/03-03.log")
    assert run(tmp_path, *archive) == 3
    assert main(["resume", "-o", str(tmp_path / "out"), second]) == 0
    kept = aws.s3.get_object(Bucket="keep", Key=f"raw/run={second}/2026/03-03.log")["Body"].read()
    assert kept.decode() == hit(3)
    for name in (*names, "raw/2026/03-03.log"):
        assert aws.s3.head_object(Bucket=BUCKET, Key=name)


@pytest.mark.slow
def test_killed_at_moments_of_chance_with_a_queue(aws: Aws, queue: str, tmp_path: Path) -> None:
    """Whenever it dies: every event once, and no message left. SQS shows held messages again after half an hour."""
    by_itself(aws, queue)
    given = ["--input-queue", "raw-logs", "--transformation", "widerow-json"]
    dice = random.Random(11)
    for number in range(6):
        log(aws, f"{number}.log", 2 * number, 2 * number + 1)
        killed = subprocess.Popen(
            [sys.executable, "-m", "snowetl", *arguments(tmp_path, *given)], stderr=subprocess.PIPE
        )
        time.sleep(dice.uniform(0.3, 4.0))
        killed.kill()
        killed.communicate()
        show_again("raw-logs")
    while (code := run(tmp_path, *given)) == 0:
        pass
    assert code == 3
    parts = [gzip.decompress(path.read_bytes()).decode() for path in tmp_path.glob("out/enriched/run=*/part-*")]
    lines = [line for part in parts for line in part.splitlines()]
    assert sorted(int(line.split("\t")[6][-12:]) for line in lines) == list(range(12))
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=queue)


def show_again(name: str) -> None:
    """What SQS does when nobody deletes a message in time."""
    for message in sqs_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].queues[name]._messages:
        message.change_visibility(0)
