"""A bucket for the tests of this room."""

from __future__ import annotations

import boto3
import pytest


@pytest.fixture
def lake(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty bucket, which the environment gives access to."""
    given = {
        "ENDPOINT_URL": aws_url,
        "ACCESS_KEY_ID": "test",
        "SECRET_ACCESS_KEY": "test",
        "DEFAULT_REGION": "us-east-1",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    boto3.client("s3").create_bucket(Bucket="lake")
    return "s3://lake"
