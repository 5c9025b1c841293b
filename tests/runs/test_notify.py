"""Messages to queues and topics, as a local stand-in for the services takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from snowetl.errors import ConfigError, StorageError
from snowetl.runs.notify import Queue
from tests.steps.transform_support import RUN, enriched, transform, write_run

REGION = "eu-west-1"


@pytest.fixture
def aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes clients of the stand-in, as :class:`Queue` does from here on."""
    for name, value in (
        ("AWS_ENDPOINT_URL", aws_endpoint),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    return lambda service: boto3.client(service, region_name=REGION)


def make_queue(aws: Any, name: str) -> str:
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if name.endswith(".fifo") else {}
    url: str = aws("sqs").create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]
    return url


def received(aws: Any, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages", [])
    )
    return found


@pytest.mark.parametrize("name", ["runs", "runs.fifo"])
def test_queues_by_name_and_by_url(name: str, aws: Any) -> None:
    url = make_queue(aws, name)
    Queue(name, REGION).send("one")
    Queue(url, REGION).send("two")
    messages = received(aws, url)
    assert sorted(message["Body"] for message in messages) == ["one", "two"]
    group = "shredding" if name.endswith(".fifo") else None
    assert all(message["Attributes"].get("MessageGroupId") == group for message in messages)


@pytest.mark.parametrize("suffix", ["", ".fifo"])
def test_topics(suffix: str, aws: Any) -> None:
    url = make_queue(aws, f"behind{suffix}")
    attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "true"} if suffix else {}
    topic = aws("sns").create_topic(Name=f"told{suffix}", Attributes=attributes)["TopicArn"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    Queue(topic, REGION).send("one")
    (message,) = received(aws, url)
    assert json.loads(message["Body"])["Message"] == "one"


def test_other_names() -> None:
    with pytest.raises(ConfigError, match="is not an SNS topic"):
        Queue("arn:aws:sqs:eu-west-1:1:x")


def test_a_run_is_announced_and_announced_again_when_that_failed(tmp_path: Path, aws: Any) -> None:
    write_run(tmp_path / "enriched", [[enriched(1)]])
    with pytest.raises(StorageError, match="the run is transformed, but later could not be notified"):
        transform(tmp_path, queue="later", queue_region=REGION)
    run = tmp_path / "out" / RUN
    assert (run / "_report.json").exists()
    assert not (run / "shredding_complete.json").exists()
    url = make_queue(aws, "later")
    transform(tmp_path, queue="later", queue_region=REGION)
    (message,) = received(aws, url)
    assert message["Body"] == (run / "shredding_complete.json").read_text()
