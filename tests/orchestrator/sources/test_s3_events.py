"""Messages of S3, in every form they come in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from snowetl.orchestrator.sources.s3_events import read

TIME = "2026-03-05T10:00:00.123Z"
MILLIS = 1_772_704_800_123


def s3_event(key: str = "raw/a", name: str = "ObjectCreated:Put", **of_object: Any) -> dict[str, Any]:
    found = {"key": key, "size": 7, "eTag": "e1", "sequencer": "0055AED6DCD90281E5"} | of_object
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": TIME,
        "eventName": name,
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "logs", "arn": "arn:aws:s3:::logs"}, "object": found},
    }


def event_bridge(key: str, kind: str = "Object Created") -> dict[str, Any]:
    found = {"key": key, "size": 7, "etag": "e1", "version-id": "v", "sequencer": "0055AED6DCD90281E5"}
    detail = {"version": "0", "bucket": {"name": "logs"}, "object": found, "reason": "PutObject"}
    return {"version": "0", "detail-type": kind, "source": "aws.s3", "time": "2026-03-05T10:00:00Z", "detail": detail}


def by_sns(document: object) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:…", "Message": json.dumps(document)}


def told(document: object) -> list[tuple[str, int, str, int]]:
    return [tuple(event.file) for event in read(json.dumps(document))]


def test_s3_itself_and_by_sns() -> None:
    """Keys are URL-encoded; a message may tell of several objects."""
    message = {
        "Records": [s3_event("raw/a%2Bb+c%C3%BC/d%3D1"), s3_event("raw/2", "ObjectCreated:CompleteMultipartUpload")]
    }
    expected = [("s3://logs/raw/a+b cü/d=1", 7, "e1", MILLIS), ("s3://logs/raw/2", 7, "e1", MILLIS)]
    assert told(message) == told(by_sns(message)) == expected


def test_event_bridge() -> None:
    """Keys are as they are there."""
    message = event_bridge("raw/a%2Bb+c ü")
    assert told(message) == told(by_sns(message)) == [("s3://logs/raw/a%2Bb+c ü", 7, "e1", MILLIS - 123)]


@pytest.mark.parametrize(
    "message",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": TIME, "Bucket": "logs", "RequestId": "1"},
        {"Records": [s3_event(name="ObjectRemoved:Delete"), s3_event(name="ObjectRemoved:DeleteMarkerCreated")]},
        {"Records": [s3_event(name="ObjectTagging:Put"), s3_event(name="LifecycleExpiration:Delete")]},
        event_bridge("raw/a", "Object Deleted"),
        event_bridge("raw/a", "Object Tags Added"),
        {"Records": []},
    ],
)
def test_what_tells_of_no_new_object(message: object) -> None:
    assert told(message) == told(by_sns(message)) == []


def test_the_later_of_two_words_has_the_greater_sequencer() -> None:
    """Shorter ones are filled up with zeros behind."""
    in_order = ["0055AED6DCD9", "0055AED6DCD90281E5", "0055AED6DCD91"]
    read_ = [read(json.dumps({"Records": [s3_event(sequencer=each)]}))[0].sequencer for each in in_order]
    assert sorted(read_) == read_


@pytest.mark.parametrize(
    "body",
    [
        "hello",
        "",
        "[]",
        "null",
        "1e999999",
        '{"a": 1}',
        '{"Records": 7}',
        '{"Records": [{}]}',
        '{"Records": [{"eventName": 3}]}',
        json.dumps({"Records": [s3_event() | {"eventTime": "yesterday"}]}),
        json.dumps({"Records": [s3_event() | {"eventTime": None}]}),
        json.dumps({"Records": [s3_event(size="large")]}),
        json.dumps({"Records": [s3_event("%ff")]}),
        json.dumps({"Records": [s3_event("\ud800")]}),
        json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": {}}),
        json.dumps({"Type": "Notification", "Message": "hello"}),
        json.dumps(by_sns(by_sns({"Records": []}))),
        "[" * 100_000,
    ],
)
def test_what_is_no_message_of_s3(body: str) -> None:
    with pytest.raises(ValueError):
        read(body)
