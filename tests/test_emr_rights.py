"""Verbs with no rights but those of emr/policies: they suffice, with the folders that docs/emr.md names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import boto3
import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.storage import _of_kind
from tests.integration.support import ROOT
from tests.rights import Asked, policy, rights

BUCKET, ARCHIVE, QUEUE = "my-lake", "keep", "snowetl-raw-logs"
RUN = "2026-03-05-00-00-03"
LOGS = ROOT / "fixtures" / "logs" / "webhooks"
EVENTS: int = json.loads((ROOT / "fixtures/logs/expected.json").read_text("utf-8"))["webhooks"]["events"]
INPUT = ("--input-folder", f"s3://{BUCKET}/raw", "--input-format", "thrift")
RESOLVER = ("--iglu-config", "fixtures/resolver.json")
CONFIGURATION = ("--enrichments", "fixtures/enrichments", *RESOLVER)
HERE = ("--master", "none")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, aws_url: str) -> Iterator[Any]:
    """A client that may do everything; the bucket has raw logs."""
    monkeypatch.chdir(ROOT)
    for name, value in {"ENDPOINT_URL": aws_url, "ACCESS_KEY_ID": "t", "SECRET_ACCESS_KEY": "t"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    make: Any = boto3.client
    client = make("s3")
    for bucket in (BUCKET, ARCHIVE):
        client.create_bucket(Bucket=bucket)
    for path in LOGS.iterdir():
        client.put_object(Bucket=BUCKET, Key=f"raw/{path.name}", Body=path.read_bytes(), Tagging="team=data")
    _of_kind.cache_clear()  # clients of this process know another endpoint
    yield client
    _of_kind.cache_clear()


def may(name: str) -> list[dict[str, Any]]:
    queue = f"arn:aws:sqs:us-east-1:123456789012:{QUEUE}"
    return policy(name, BUCKET=BUCKET, ARCHIVE_BUCKET=ARCHIVE, QUEUE_ARN=queue, **dict.fromkeys(_OF_EMR, "x"))


_OF_EMR = ("APPLICATION_ID", "RUN_ROLE_ARN", "CLUSTER_ROLE_ARN")


def without_folders(refused: list[Asked]) -> list[Asked]:
    """What was refused, but for looking whether a folder's name is that of an object."""
    names = ("raw", "lake", "lake/enriched", "lake/bad", "lake/failed", "lake/transformed")
    folders = {f"arn:aws:s3:::{BUCKET}/{name}" for name in names}
    return [asked for asked in refused if asked.action != "s3:GetObject" or asked.resource not in folders]


def rows(database: str) -> int:
    with psycopg.connect(database) as connection:
        [(found,)] = connection.execute("SELECT count(*) FROM atomic.events").fetchall()
    return int(found)


@pytest.mark.parametrize("slash", ["/", ""], ids=["with a slash", "without"])
def test_each_verb_by_itself(
    slash: str, aws: Any, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder may be named with a slash behind it or without: a role is refused an object of the folder's name."""
    lake = f"s3://{BUCKET}/lake"
    steps = {
        "enrich": (
            *("--input-folder", f"s3://{BUCKET}/raw{slash}", "--input-format", "thrift", "--run-id", RUN),
            *("--output-folder", f"{lake}/enriched{slash}", "--bad-folder", f"{lake}/bad{slash}", *CONFIGURATION),
            *("--failed-folder", f"{lake}/failed{slash}", *HERE),
        ),
        "transform": (
            *("--input-folder", f"{lake}/enriched{slash}", "--output-folder", f"{lake}/transformed{slash}"),
            *("--target", "postgres", *RESOLVER, *HERE),
        ),
        "load": ("--input-folder", f"{lake}/transformed{slash}", "--database", database, *RESOLVER),
    }
    for verb, arguments in steps.items():
        with rights(may(f"{verb}-role"), monkeypatch) as refused:
            codes = [main([verb, *arguments]) for _ in range(2)]
        assert (verb, codes[0], without_folders(refused)) == (verb, 0, []), capsys.readouterr().err
        assert codes[1] in (0, 3), "the second time there is nothing to do"
    assert rows(database) == EVENTS


def run(database: str, *more: str) -> list[str]:
    output = ("--output-folder", f"s3://{BUCKET}/lake")
    return ["run", *INPUT, *output, *CONFIGURATION, "--database", database, *HERE, *more]


def test_a_run(aws: Any, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with rights(may("run-role"), monkeypatch) as refused:
        arguments = run(database, "--failed-events", "--notify", "cloudwatch:Snowetl", "--no-data-exit-code", "0")
        codes = [main(arguments) for _ in range(2)]
        codes.append(main(["status", "--output-folder", f"s3://{BUCKET}/lake"]))
        assert (codes, without_folders(refused)) == ([0, 0, 0], []), capsys.readouterr().err
    assert rows(database) == EVENTS


def test_an_archive_needs_rights_of_its_own(
    aws: Any, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with rights(may("run-role"), monkeypatch) as refused:
        assert main(run(database, "--archive", f"s3://{ARCHIVE}/raw")) == 1
    assert {asked.resource.partition("/")[0] for asked in without_folders(refused)} == {f"arn:aws:s3:::{ARCHIVE}"}
    assert "access denied" in capsys.readouterr().err
    with rights([*may("run-role"), *may("archive")], monkeypatch) as refused:
        code = main(run(database, "--archive", f"s3://{ARCHIVE}/raw", "--no-data-exit-code", "0"))
        assert (code, without_folders(refused)) == (0, []), capsys.readouterr().err
    kept = aws.list_objects_v2(Bucket=ARCHIVE)["Contents"]
    assert len(kept) == len([*LOGS.iterdir()])


@pytest.mark.parametrize("role", ["run-role", "orchestrator"])
def test_the_sources_of_input(
    role: str,
    aws: Any,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever drives a run asks the queue and reads inventories: its jobs do not."""
    make: Any = boto3.client
    sqs = make("sqs")
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    told = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    aws.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [told]})
    for path in LOGS.iterdir():
        aws.put_object(Bucket=BUCKET, Key=f"raw/{path.name}", Body=path.read_bytes())
    inventory = _inventory(aws)
    plan = ["plan", *run(database)[1:]]
    for option, value, needed in (("--input-queue", QUEUE, "input-queue"), ("--inventory", inventory, "inventory")):
        with rights(may(role), monkeypatch) as refused:
            assert main([*plan, option, value]) != 0
        assert refused
        assert "access denied" in capsys.readouterr().err
        with rights([*may(role), *may(needed)], monkeypatch) as refused:
            code = main([*plan, option, value])
            assert (code, without_folders(refused)) == (0, []), capsys.readouterr().err
    if role == "run-role":
        with rights([*may(role), *may("input-queue")], monkeypatch) as refused:
            code = main(run(database, "--input-queue", QUEUE))
            assert (code, without_folders(refused)) == (0, []), capsys.readouterr().err
        assert rows(database) == EVENTS


def _inventory(client: Any) -> str:
    """An inventory of raw/ as the templates let S3 write it; the folder of its configuration."""
    folder = f"inventory/{BUCKET}/raw-logs"
    found = client.list_objects_v2(Bucket=BUCKET, Prefix="raw/")["Contents"]
    lines = [
        f'"{BUCKET}","{each["Key"]}","{each["Size"]}","{each["LastModified"]:%Y-%m-%dT%H:%M:%S.000Z}",{each["ETag"]}'
        for each in found
    ]
    client.put_object(Bucket=BUCKET, Key=f"{folder}/data/1.csv.gz", Body=gzip.compress("\n".join(lines).encode()))
    manifest = {
        "sourceBucket": BUCKET,
        "destinationBucket": f"arn:aws:s3:::{BUCKET}",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, LastModifiedDate, ETag",
        "files": [{"key": f"{folder}/data/1.csv.gz"}],
    }
    place = f"{folder}/2026-03-05T01-00Z/manifest.json"
    client.put_object(Bucket=BUCKET, Key=place, Body=json.dumps(manifest).encode())
    return f"s3://{BUCKET}/{folder}"
