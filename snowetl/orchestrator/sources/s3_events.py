"""What S3 tells of objects: its event notifications, as they are, within a notice of SNS, or as EventBridge has them.

Sources: Amazon S3 user guide, "Event message structure", "EventBridge event message structure". Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from snowetl.jvm import jsontext
from snowetl.sqs import sent_text
from snowetl.storage import FileInfo

_CREATED = ("ObjectCreated:", "s3:ObjectCreated:")
_CREATED_DETAIL = "Object Created"
_SEQUENCER_DIGITS = 64


class Written(NamedTuple):
    """An object that was written. Of two words on one object the one with the greater ``sequencer`` is later.

    Deletions are left out: before an object is taken, the bucket itself is asked whether it is there.
    """

    file: FileInfo
    sequencer: str


def read(body: str) -> list[Written]:
    """The objects that a message tells of; none for one of something else: ``s3:TestEvent``, deletions, tags.

    Raises ``ValueError`` for a text that is not a notification of S3.
    """
    return list(_events(_parsed(sent_text(body))))


def _parsed(text: str) -> Mapping[str, Any]:
    document = jsontext.loads(text)
    if not isinstance(document, Mapping):
        raise ValueError("it is not a JSON object")
    return document


def _events(document: Mapping[str, Any]) -> Iterator[Written]:
    try:
        if document.get("Event") == "s3:TestEvent":
            return
        if document.get("source") == "aws.s3" and "detail-type" in document:
            if document["detail-type"] == _CREATED_DETAIL:
                yield _of_event_bridge(document)
            return
        for record in document["Records"]:
            if record["eventName"].startswith(_CREATED):
                yield _of_s3(record)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is not an event notification of S3 ({type(error).__name__}: {error})") from None


def _of_s3(record: Mapping[str, Any]) -> Written:
    """Keys are URL-encoded, a space as a plus."""
    s3 = record["s3"]
    key = unquote_plus(s3["object"]["key"], errors="strict")
    return _written(s3["bucket"]["name"], key, s3["object"], s3["object"].get("eTag"), record["eventTime"])


def _of_event_bridge(document: Mapping[str, Any]) -> Written:
    """Keys are as they are."""
    detail = document["detail"]
    found = detail["object"]
    return _written(detail["bucket"]["name"], found["key"], found, found.get("etag"), document["time"])


def _written(bucket: str, key: str, found: Mapping[str, Any], etag: str | None, time: str) -> Written:
    key.encode("utf-8")  # refuses what S3 does not take as a key
    moment = datetime.fromisoformat(time)
    modified = int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    file = FileInfo(f"s3://{bucket}/{key}", int(found.get("size") or 0), (etag or "").strip('"'), modified)
    return Written(file, str(found.get("sequencer") or "").ljust(_SEQUENCER_DIGITS, "0"))
