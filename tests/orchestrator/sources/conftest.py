"""AWS over HTTP, as moto answers: a client of S3 and one of SQS, and a bucket ``logs``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
import pytest

BUCKET = "logs"


class Aws(NamedTuple):
    s3: Any
    sqs: Any
    url: str

    def put(self, key: str, body: bytes = b"x", bucket: str = BUCKET) -> dict[str, Any]:
        """Write an object; what a listing knows of it."""
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        head: dict[str, Any] = self.s3.head_object(Bucket=bucket, Key=key)
        return head


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, aws_url: str) -> Iterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    make: Any = boto3.client
    s3, sqs = make("s3"), make("sqs")
    s3.create_bucket(Bucket=BUCKET)
    yield Aws(s3, sqs, aws_url)
