"""Writes S3 inventories as S3 does, of whatever rows."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from tests.orchestrator.sources.conftest import BUCKET, Aws

COLUMNS = ("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate", "ETag")
FOLDER = f"s3://{BUCKET}/inventory/{BUCKET}/daily"


def row(aws: Aws, key: str, **changed: str) -> dict[str, str]:
    """What an inventory says of the object that lies there now."""
    head = aws.s3.head_object(Bucket=BUCKET, Key=key)
    found = {
        "Bucket": BUCKET,
        "Key": quote_plus(key, safe="/"),
        "VersionId": "",
        "IsLatest": "true",
        "IsDeleteMarker": "false",
        "Size": str(head["ContentLength"]),
        "LastModifiedDate": head["LastModified"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "ETag": head["ETag"].strip('"'),
    }
    return found | changed


def write(
    aws: Aws,
    rows: Sequence[dict[str, str]],
    columns: Sequence[str] = COLUMNS,
    at: str = "2026-03-05T01-00Z",
    files: int = 1,
    **manifest: Any,
) -> str:
    """Write an inventory in CSV; the address of its manifest."""
    parts = []
    for number in range(files):
        text = io.StringIO()
        lines = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        lines.writerows([one[name] for name in columns] for one in rows[number::files])
        parts.append((f"inventory/{BUCKET}/daily/data/{at}-{number}.csv.gz", gzip.compress(text.getvalue().encode())))
    return write_manifest(aws, parts, at, **{"fileSchema": ", ".join(columns)} | manifest)


def write_manifest(aws: Aws, parts: Sequence[tuple[str, bytes]], at: str, **manifest: Any) -> str:
    """Write (key, content) and the manifest that names them."""
    for key, content in parts:
        aws.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    document = {
        "sourceBucket": BUCKET,
        "destinationBucket": f"arn:aws:s3:::{BUCKET}",
        "version": "2016-11-30",
        "creationTimestamp": "1772672400000",
        "fileFormat": "CSV",
        "files": [
            {"key": key, "size": len(content), "MD5checksum": hashlib.md5(content).hexdigest()}
            for key, content in parts
        ],
    }
    body = json.dumps(document | manifest).encode()
    aws.s3.put_object(Bucket=BUCKET, Key=f"inventory/{BUCKET}/daily/{at}/manifest.json", Body=body)
    return f"{FOLDER}/{at}/manifest.json"


def written(row: dict[str, str]) -> datetime:
    """When the object of a row was written."""
    return datetime.fromisoformat(row["LastModifiedDate"]).astimezone(UTC)
