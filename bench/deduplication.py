"""What deduplication costs a transform: processor time with it less that without, medians of rounds in turn.

Every event is new, as nearly all are: its key is read, compared with those of its batch, and noted in a manifest. The
databases are processes of their own, so what is counted is the client.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from bench.warehouse import write_run
from snowetl.load.embedded import embedded_postgres
from snowetl.steps.base import Unwatched, World
from snowetl.steps.settings import TransformSettings
from snowetl.steps.table import TRANSFORM
from snowetl.workers.in_process import InProcess

_ROUNDS = 3
_CONFIG = "iglu:com.snowplowanalytics.snowplow.storage/amazon_dynamodb_config/jsonschema/2-0-0"
_AWS = (
    "import sys; from tests.aws_server import aws_server\n"
    "with aws_server() as url: print(url, flush=True); sys.stdin.read()"
)
"""A stand-in for AWS, until its standard input ends."""


def costs(lines: Sequence[str], resolver: str, folder: Path) -> dict[str, float]:
    """Seconds of processor time that each kind of deduplication adds to a million events like ``lines``."""
    write_run(folder / "enriched", lines)
    with embedded_postgres(folder / "postgres") as postgres, _dynamo() as dynamo:
        plain = TransformSettings(
            input_folder=str(folder / "enriched"),
            output_folder=str(folder),
            iglu_config=resolver,
            natural=False,
            synthetic="NONE",
        )
        within = dataclasses.replace(plain, natural=True, synthetic="BROADCAST")
        kinds = {
            "without": plain,
            "within a batch": within,
            "and earlier ones, PostgreSQL": dataclasses.replace(within, duplicate_storage=postgres),
            "and earlier ones, DynamoDB": dataclasses.replace(within, duplicate_storage=dynamo),
        }
        rounds = [_round(kinds, folder / f"out-{number}") for number in range(_ROUNDS)]
    spent = {kind: median(one[kind] for one in rounds) for kind in kinds}
    base = spent.pop("without")
    return {kind: (seconds - base) / len(lines) * 1e6 for kind, seconds in spent.items()}


def _round(kinds: Mapping[str, TransformSettings], folder: Path) -> dict[str, float]:
    return {kind: _seconds(settings, folder / str(place)) for place, (kind, settings) in enumerate(kinds.items())}


def _seconds(settings: TransformSettings, output: Path) -> float:
    settings = dataclasses.replace(settings, output_folder=str(output))
    before = time.process_time()
    TRANSFORM.execute(TRANSFORM.plan(settings, World.of_now()), InProcess(), Unwatched())
    return time.process_time() - before


@contextmanager
def _dynamo() -> Iterator[dict[str, Any]]:
    """The configuration of a table of a stand-in for DynamoDB, which clients of this process reach."""
    import boto3

    keys = {"accessKeyId": "x", "secretAccessKey": "x"}
    data = {"name": "bench", "awsRegion": "eu-west-1", "dynamodbTable": "events", "auth": keys}
    parts = {"eventId": "HASH", "fingerprint": "RANGE"}
    with subprocess.Popen(
        [sys.executable, "-c", _AWS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None and server.stdin is not None
        with mock.patch.dict("os.environ", AWS_ENDPOINT_URL=server.stdout.readline().strip()):
            make: Any = boto3.client
            client = make("dynamodb", data["awsRegion"], aws_access_key_id="x", aws_secret_access_key="x")
            client.create_table(
                TableName=data["dynamodbTable"],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in parts],
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in parts.items()],
                BillingMode="PAY_PER_REQUEST",
            )
            yield {"schema": _CONFIG, "data": data}
        server.stdin.close()
