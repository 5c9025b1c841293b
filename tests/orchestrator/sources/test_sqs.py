"""A queue that S3 tells of its objects, as the source of a run's input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import ConfigError, NothingToDo, SnowetlError, StorageError, UsageError
from snowetl.orchestrator import RunSettings, driver
from snowetl.orchestrator.choice import Choice, choose
from snowetl.orchestrator.claim import claim
from snowetl.orchestrator.sources import input_of, opened, sqs
from snowetl.sqs import QueueAddress
from snowetl.steps.base import Unwatched, World
from tests.integration.support import ROOT
from tests.orchestrator.sources.conftest import BUCKET, Aws
from tests.orchestrator.sources.inventories import row, write
from tests.orchestrator.sources.test_s3_events import s3_event

QUEUE = "raw-logs"
RESOLVER = str(ROOT / "fixtures" / "resolver.json")


class Heard(Unwatched):
    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.warned.append(text)


@pytest.fixture
def queue(aws: Aws) -> str:
    """The URL of a queue that the bucket tells of every object it gets (and of the notification itself, at first)."""
    url = str(aws.sqs.create_queue(QueueName=QUEUE)["QueueUrl"])
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    told = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    aws.s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [told]}
    )
    return url


def settings(folder: Path, queue: str = QUEUE, **changed: Any) -> RunSettings:
    given = {"input_folder": f"s3://{BUCKET}/raw", "output_folder": str(folder / "out"), "input_format": "cloudfront"}
    return RunSettings(**(given | {"iglu_config": RESOLVER, "input_queue": queue} | changed))


def take(given: RunSettings, watch: Heard | None = None) -> list[str]:
    """The names that a run takes, as ``snowetl run`` takes them."""
    watch = watch or Heard()
    entry = driver.begun(given, watch)
    entry.finish({"run": entry.id, "steps": []})
    return [file.url.removeprefix(f"s3://{BUCKET}/") for file in entry.inputs()]


def names(choice: Choice) -> list[str]:
    return [file.url.removeprefix(f"s3://{BUCKET}/") for file in choice.files or ()]


def waiting(aws: Aws, queue: str) -> tuple[int, int]:
    """How many messages wait, and how many somebody holds."""
    which = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=which)["Attributes"]
    return int(found[which[0]]), int(found[which[1]])


def send(aws: Aws, queue: str, *bodies: object) -> None:
    for body in bodies:
        aws.sqs.send_message(QueueUrl=queue, MessageBody=body if isinstance(body, str) else json.dumps(body))


def log(aws: Aws, *keys: str) -> None:
    for key in keys:
        aws.put(key, b"#Version: 1.0\n" + key.encode())


def test_what_the_bucket_tells_is_taken_once(aws: Aws, queue: str, tmp_path: Path) -> None:
    log(aws, "raw/a b+c", "raw/ü[1]{x}*?", "other/x")
    watch = Heard()
    assert take(settings(tmp_path, queue), watch) == ["raw/a b+c", "raw/ü[1]{x}*?"]
    assert waiting(aws, queue) == (0, 0)
    [warning] = watch.warned
    assert "tells of 1 object that --input-folder leaves out, such as s3://logs/other/x" in warning
    log(aws, "raw/d")
    assert take(settings(tmp_path)) == ["raw/d"]
    with pytest.raises(NothingToDo):
        take(settings(tmp_path))


def test_a_look_leaves_the_messages(aws: Aws, queue: str, tmp_path: Path) -> None:
    """``snowetl plan`` takes nothing."""
    log(aws, "raw/a")
    for _ in range(2):
        assert names(choose(settings(tmp_path), World.of_now())) == ["raw/a"]
        assert waiting(aws, queue)[1] == 0


def test_killed_before_the_ledger_has_the_run(aws: Aws, queue: str, tmp_path: Path) -> None:
    """The messages come again when SQS hides them no longer; nothing is lost."""
    log(aws, "raw/a")
    given = input_of(settings(tmp_path))
    assert names(choose(settings(tmp_path), World.of_now(), given)) == ["raw/a"]
    assert waiting(aws, queue)[1] > 0
    make_visible(aws, queue, given.queue)
    assert take(settings(tmp_path)) == ["raw/a"]


def test_killed_between_the_ledger_and_the_queue(
    aws: Aws, queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the ledger is heard again, and not taken again."""
    log(aws, "raw/a")
    monkeypatch.setattr(sqs.Queue, "forget", lambda *_: None)
    with opened(settings(tmp_path), Heard()) as given:
        entry = claim(settings(tmp_path), Heard(), given)
    monkeypatch.undo()
    environment_of(aws, monkeypatch)
    assert waiting(aws, queue)[0] > 0
    assert choose(settings(tmp_path), World.of_now()).entry == entry  # it waits to be finished
    entry.finish({"run": entry.id, "steps": []})
    with pytest.raises(NothingToDo, match="1 file taken by earlier runs"):
        take(settings(tmp_path))
    assert waiting(aws, queue) == (0, 0)


def environment_of(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)


def make_visible(aws: Aws, queue: str, held: sqs.Queue | None) -> None:
    """What SQS does half an hour later."""
    assert held is not None
    for message in held._messages or ():
        aws.sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message.receipt, VisibilityTimeout=0)


def test_duplicates_and_messages_out_of_order(aws: Aws, queue: str, tmp_path: Path) -> None:
    """The bucket itself says what is there now; the sequencer, which word was the last."""
    old = aws.put("raw/a", b"#old")["ETag"].strip('"')
    new = aws.put("raw/a", b"#newer")["ETag"].strip('"')
    aws.sqs.purge_queue(QueueUrl=queue)
    first, second = (
        s3_event("raw/a", size=4, eTag=old, sequencer="01"),
        s3_event("raw/a", size=6, eTag=new, sequencer="02"),
    )
    gone = s3_event("raw/a", "ObjectRemoved:Delete", sequencer="011")
    send(aws, queue, *({"Records": [event]} for event in (second, gone, first, second)))
    assert take(settings(tmp_path)) == ["raw/a"]
    send(aws, queue, {"Records": [first]}, {"Records": [second]}, {"Records": [second]})
    with pytest.raises(NothingToDo, match="1 file taken by earlier runs"):
        take(settings(tmp_path))
    send(aws, queue, {"Records": [first]})  # alone: old news of an object that was taken since
    with pytest.raises(NothingToDo, match="1 file taken by earlier runs"):
        take(settings(tmp_path))
    aws.put("raw/a", b"#newest!")
    with pytest.raises(NothingToDo, match="1 file changed since a run took them"):
        take(settings(tmp_path))
    assert waiting(aws, queue) == (0, 0)


def test_an_object_that_is_gone_is_not_waited_for(aws: Aws, queue: str, tmp_path: Path) -> None:
    log(aws, "raw/a", "raw/b")
    aws.s3.delete_object(Bucket=BUCKET, Key="raw/a")
    watch = Heard()
    assert take(settings(tmp_path), watch) == ["raw/b"]
    assert any("gone" in text and "raw/a" in text for text in watch.said)
    assert waiting(aws, queue) == (0, 0)


def test_poison_is_named_and_left_to_the_dead_letter_queue(aws: Aws, queue: str, tmp_path: Path) -> None:
    aside = aws.sqs.create_queue(QueueName="aside")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=aside, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    assert "it has no dead-letter queue" in input_of(settings(tmp_path)).sources[0].note()
    aws.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    assert "dead-letter" not in input_of(settings(tmp_path)).sources[0].note()
    send(aws, queue, "poison", {"Service": "Amazon S3", "Event": "s3:TestEvent"})
    log(aws, "raw/a")
    watch = Heard()
    assert take(settings(tmp_path), watch) == ["raw/a"]
    [warning] = watch.warned
    assert "holds 1 message not of S3, such as" in warning
    assert waiting(aws, queue) == (0, 1)  # the poison only: hidden, until it is received too often
    held = aws.sqs.receive_message(QueueUrl=aside).get("Messages", [])
    assert held == []


def test_what_is_left_for_the_next_run_goes_back(aws: Aws, queue: str, tmp_path: Path) -> None:
    log(aws, *(f"raw/{number:02d}" for number in range(25)))
    aws.sqs.purge_queue(QueueUrl=queue)
    for number in range(25):
        head = aws.s3.head_object(Bucket=BUCKET, Key=f"raw/{number:02d}")
        event = s3_event(f"raw/{number:02d}", size=head["ContentLength"], eTag=head["ETag"].strip('"'))
        send(aws, queue, {"Records": [event]})
    size = aws.s3.head_object(Bucket=BUCKET, Key="raw/00")["ContentLength"]
    taken = [take(settings(tmp_path, max_bytes=size * 12)) for _ in range(3)]
    assert [len(each) for each in taken] == [12, 12, 1]
    assert sorted(name for each in taken for name in each) == [f"raw/{number:02d}" for number in range(25)]
    assert waiting(aws, queue) == (0, 0)


def test_young_objects_wait_in_the_queue(aws: Aws, queue: str, tmp_path: Path) -> None:
    log(aws, "raw/a")
    with pytest.raises(NothingToDo, match="1 file too young"):
        take(settings(tmp_path, settle="1h"))
    assert waiting(aws, queue)[1] == 0
    assert take(settings(tmp_path)) == ["raw/a"]


def test_an_inventory_for_what_was_before_and_a_queue_for_what_comes(aws: Aws, queue: str, tmp_path: Path) -> None:
    log(aws, "raw/a", "raw/b")
    manifest = write(aws, [row(aws, key) for key in ("raw/a", "raw/b")])
    aws.sqs.purge_queue(QueueUrl=queue)
    log(aws, "raw/b2", "raw/a2")
    assert take(settings(tmp_path, inventory=manifest)) == ["raw/a", "raw/a2", "raw/b", "raw/b2"]
    with pytest.raises(NothingToDo):
        take(settings(tmp_path, inventory=manifest))


def test_a_run_that_is_refused_gives_the_messages_back(aws: Aws, queue: str, tmp_path: Path) -> None:
    aws.put("raw/a", json.dumps({"schema": "iglu:com.snowplowanalytics.snowplow.badrows/x", "data": {}}).encode())
    for _ in range(2):
        with pytest.raises(UsageError, match="bad rows"):
            take(settings(tmp_path))
        assert waiting(aws, queue)[1] == 0


def test_messages_that_cannot_be_deleted_do_no_harm(
    aws: Aws, queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(aws, "raw/a")
    watch = Heard()
    with opened(settings(tmp_path), watch) as given:
        claim(settings(tmp_path), watch, given)
    assert waiting(aws, queue) == (0, 0)
    with opened(settings(tmp_path), watch) as given:
        log(aws, "raw/b")
        assert given.queue is not None
        list(given.queue.files())
        aws.sqs.delete_queue(QueueUrl=queue)
        given.recorded()
    assert "cannot delete 1 message of the queue raw-logs" in watch.warned[-1]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("raw-logs", (None, None)),
        ("arn:aws-cn:sqs:cn-north-1:123456789012:raw-logs", ("cn-north-1", "123456789012")),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/raw-logs", ("eu-west-1", "123456789012")),
        ("http://127.0.0.1:5000/123456789012/raw-logs", (None, "123456789012")),
    ],
)
def test_addresses(given: str, found: tuple[str | None, str | None]) -> None:
    address = QueueAddress.of(given)
    assert (address.region, address.account) == found
    assert address.name == "raw-logs"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("arn:aws:sns:eu-west-1:123456789012:raw-logs", "is not a queue of SQS"),
        ("s3://logs", "is not a queue of SQS"),
        ("", "is not a queue of SQS"),
        ("raw-logs.fifo", "is a FIFO queue"),
    ],
)
def test_what_is_no_address_is_refused(given: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=says):
        settings(tmp_path, given)


def test_mistakes_are_named(aws: Aws, tmp_path: Path) -> None:
    cases: Sequence[tuple[dict[str, Any], str]] = (
        ({"queue": "none"}, "cannot receive from the queue none: there is no such queue"),
        ({"queue": f"{aws.url}/123456789012/none"}, "there is no such queue"),
        ({"since": "2026-03-05"}, "--input-queue does not go with --since and --until"),
        ({"input_folder": "/raw"}, "/raw is not on S3"),
    )
    for changed, says in cases:
        with pytest.raises(UsageError, match=says):
            take(settings(tmp_path, **changed))


def test_no_answer_is_no_empty_queue(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StorageError, match="check the network and run again") as caught:
        take(settings(tmp_path))
    assert isinstance(caught.value, SnowetlError)
