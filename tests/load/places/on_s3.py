"""Runs on the S3 endpoint of the tests."""

from __future__ import annotations

from pathlib import Path

import boto3

BUCKET = "warehouse-tests"


def put(folder: str, prefix: str) -> str:
    """Copy a run there; an address there stays as it is."""
    if folder.startswith("s3://"):
        return folder
    client = boto3.client("s3")
    base = Path(folder)
    url = f"{prefix}{base.resolve()}"
    for path in sorted(base.rglob("*")):
        if path.is_file():
            client.put_object(Bucket=BUCKET, Key=f"{url}/{path.relative_to(base)}", Body=path.read_bytes())
    return f"s3://{BUCKET}/{url}"
