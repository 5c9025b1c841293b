"""Events of earlier batches: DynamoDB (a local stand-in for the service) and PostgreSQL (a real postgres_url)."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from snowetl.dedupe.decide import seen_of
from snowetl.dedupe.dynamo_manifest import DynamoManifest
from snowetl.dedupe.event_manifest import DynamoConfig, ManifestConfig, PostgresConfig, Seen, parse_config
from snowetl.dedupe.rules import Key
from snowetl.errors import ConfigError, StorageError
from snowetl.workers import open_pool
from tests.steps.transform_support import enriched, plan, transform, write_run
from tests.web_server import Answer, Asked, answering

_DAYS_180 = 180 * 24 * 3600
FIRST = int(time.time())
SECOND = FIRST + 3600
URI = "iglu:com.snowplowanalytics.snowplow.storage/amazon_dynamodb_config/jsonschema/2-0-0"


@pytest.fixture
def dynamo(aws_endpoint: str, request: pytest.FixtureRequest) -> DynamoConfig:
    """A table of the manifest's shape, new for each test."""
    name = "".join(letter for letter in request.node.name if letter.isalnum())
    config = DynamoConfig(name, "eu-west-1", "x", "x", aws_endpoint)
    _client(config).create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "eventId", "AttributeType": "S"},
            {"AttributeName": "fingerprint", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "eventId", "KeyType": "HASH"},
            {"AttributeName": "fingerprint", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return config


def _client(config: DynamoConfig) -> Any:
    return boto3.client(
        "dynamodb",
        region_name=config.region,
        endpoint_url=config.endpoint,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )


@pytest.fixture
def postgres(postgres_url: str) -> PostgresConfig:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS snowetl_event_manifest")
    return PostgresConfig(postgres_url)


@pytest.fixture(params=["dynamo", "postgres"])
def config(request: pytest.FixtureRequest) -> ManifestConfig:
    found: ManifestConfig = request.getfixturevalue(request.param)
    return found


def claim(config: ManifestConfig, events: list[Seen], etl_time: int) -> list[bool]:
    with config.open() as manifest:
        manifest.check()
        return manifest.claim(events, etl_time)


# --- one rule, two tables -------------------------------------------------------------------------------------------


def test_an_event_belongs_to_the_batch_that_had_it_first(config: ManifestConfig) -> None:
    assert claim(config, [Seen("a", "1"), Seen("b", "1")], FIRST) == [True, True]
    assert claim(config, [Seen("c", "1"), Seen("a", "1"), Seen("a", "2")], SECOND) == [True, False, True]
    assert claim(config, [Seen("a", "1"), Seen("b", "1"), Seen("c", "1")], FIRST) == [True, True, False]


def test_no_events(config: ManifestConfig) -> None:
    assert claim(config, [], FIRST) == []


def test_many_events_and_strange_ones(config: ManifestConfig) -> None:
    events = [Seen(f"e{number}", "ü'\"\n\\") for number in range(200)]
    assert claim(config, events, FIRST) == [True] * 200
    assert claim(config, [*events, Seen("new", "x")], SECOND) == [False] * 200 + [True]


@pytest.mark.parametrize("fingerprint", ["x" * 5000, "ü" * 256, "a\0b", "\ud800"])
def test_fingerprints_nothing_makes(fingerprint: str, config: ManifestConfig) -> None:
    seen = seen_of(Key("a", fingerprint, None, (0, 0)))
    assert claim(config, [seen], FIRST) == [True]
    assert claim(config, [seen], SECOND) == [False]
    assert seen != seen_of(Key("a", fingerprint + "x", None, (0, 0)))


def test_two_batches_at_once_share_nothing(config: ManifestConfig) -> None:
    events = [Seen(f"e{number}", "f") for number in range(60)]
    with config.open() as manifest:
        manifest.check()
    with ThreadPoolExecutor(2) as pool:
        orders = [(events, FIRST), (events[::-1], SECOND)]
        one, other = pool.map(lambda each: claim(config, *each), orders)
    assert [mine != theirs for mine, theirs in zip(one, other[::-1], strict=True)] == [True] * 60


def test_dynamodb_items(dynamo: DynamoConfig) -> None:
    claim(dynamo, [Seen("a", "1")], FIRST)
    (item,) = _client(dynamo).scan(TableName=dynamo.table)["Items"]
    assert item == {
        "eventId": {"S": "a"},
        "fingerprint": {"S": "1"},
        "etlTime": {"N": str(FIRST)},
        "ttl": {"N": str(FIRST + _DAYS_180)},
    }


def test_old_events_leave_postgres(postgres: PostgresConfig) -> None:
    claim(postgres, [Seen("old", "1")], 1000)
    assert claim(postgres, [Seen("old", "1")], FIRST) == [True]


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_table_that_is_not_there(dynamo: DynamoConfig) -> None:
    with pytest.raises(StorageError, match="DynamoDB table for event manifest is unavailable"):
        claim(DynamoConfig("other", dynamo.region, "x", "x", dynamo.endpoint), [], FIRST)
    with DynamoConfig("other", dynamo.region, "x", "x", dynamo.endpoint).open() as manifest:
        events = [Seen("a", "1")]
        with pytest.raises(StorageError, match="DynamoDB table other"):
            manifest.claim(events, FIRST)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(StorageError, match="manifest in PostgreSQL cannot be used"):
        claim(PostgresConfig("postgresql://127.0.0.1:9/x"), [], FIRST)


def test_a_manifest_that_fails_stops_the_job(tmp_path: Path, dynamo: DynamoConfig) -> None:
    write_run(tmp_path / "enriched", [[enriched(1)]])
    with pytest.raises(StorageError):
        transform(tmp_path, duplicate_storage=DynamoConfig("other", dynamo.region, "x", "x", dynamo.endpoint))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}'),
        Answer(400, b"ConditionalCheckFailedException"),
        Answer(500, b'{"__type":"x#ConditionalCheckFailedException"}'),
        Answer(200, b"{", breaks_off=True),
    ],
)
def test_what_is_neither_taken_nor_refused_is_left_to_botocore(dynamo: DynamoConfig, answer: Answer) -> None:
    asked: list[Asked] = []

    def away(request: Asked) -> Answer:
        asked.append(request)
        return answer

    with answering(away) as url, dynamo.open() as manifest, dynamo.open() as direct:
        assert isinstance(manifest, DynamoManifest) and isinstance(direct, DynamoManifest)
        manifest._puts._url = url
        assert manifest.claim([Seen("a", "1")], FIRST) == [True]
        assert manifest.claim([Seen("a", "1"), Seen("b", "1")], SECOND) == [False, True]
        assert len(asked) == 3
        assert asked[0].headers["x-amz-target"] == "DynamoDB_20120810.PutItem"
        assert "SignedHeaders=content-type;host;x-amz-date;x-amz-target," in asked[0].headers["authorization"]
        direct._client = None  # is not asked where DynamoDB answers
        assert direct.claim([Seen("a", "1"), Seen("c", "1")], FIRST) == [True, True]
        assert direct.claim([Seen("c", "1"), Seen("b", "1")], SECOND) == [False, True]


# --- the configuration ----------------------------------------------------------------------------------------------


def document(**data: Any) -> dict[str, Any]:
    return {"schema": URI, "data": {"name": "x", "awsRegion": "eu-west-1", "dynamodbTable": "t", **data}}


def test_every_way_to_give_it(tmp_path: Path) -> None:
    text = json.dumps(document())
    (tmp_path / "config.json").write_text(text)
    expected = DynamoConfig("t", "eu-west-1")
    for source in (document(), text, str(tmp_path / "config.json"), base64.b64encode(text.encode()).decode()):
        assert parse_config(source) == expected
    keys = {"accessKeyId": "k", "secretAccessKey": "s"}
    assert parse_config(document(auth=keys)) == DynamoConfig("t", "eu-west-1", "k", "s")
    assert parse_config(document(auth=None)) == expected
    assert parse_config("postgresql://h/d") == PostgresConfig("postgresql://h/d")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing", "no file or folder nothing"),
        ("{", "line 1, column 2 is not JSON"),
        ("e30=", "not self-describing"),
        ({}, "not self-describing"),
        ({"schema": "iglu:a/b/jsonschema/1-0-0", "data": {}}, "must be an amazon_dynamodb_config"),
        ({"schema": URI, "data": []}, "must be an amazon_dynamodb_config"),
        ({"schema": URI, "data": {}}, "lacks awsRegion and dynamodbTable"),
        ({"schema": URI, "data": {"awsRegion": 1, "dynamodbTable": "t"}}, "lacks awsRegion"),
    ],
)
def test_what_is_no_configuration(source: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(source)


# --- in the job -----------------------------------------------------------------------------------------------------


def _two_batches(folder: Path) -> None:
    first = [enriched(number) for number in range(5)]
    later = [enriched(number, etl_tstamp="2026-01-03 03:00:00.000") for number in (3, 4, 5, 6)]
    write_run(folder / "enriched", [first])
    write_run(folder / "enriched", [later, [later[3]]], "run=2026-01-03-03-04-05")


def test_the_second_batch_lacks_what_the_first_had(tmp_path: Path, config: ManifestConfig) -> None:
    _two_batches(tmp_path)
    first, second = transform(tmp_path, duplicate_storage=config)
    assert (first["events"], first["duplicates"]) == (5, 0)
    assert (second["events"], second["duplicatesByKind"]) == (2, {"earlier batches'": 2, "natural": 1})


def test_a_batch_that_is_repeated_has_its_own_again(tmp_path: Path, config: ManifestConfig) -> None:
    _two_batches(tmp_path)
    for output in ("out", "again"):
        reports = transform(tmp_path, duplicate_storage=config, output_folder=str(tmp_path / output))
        assert [report["events"] for report in reports] == [5, 2]


def test_a_batch_without_times_is_named_by_its_run(tmp_path: Path, config: ManifestConfig) -> None:
    write_run(tmp_path / "enriched", [[enriched(1, etl_tstamp="")]])
    write_run(tmp_path / "enriched", [[enriched(1, etl_tstamp="")]], "run=2026-01-03-03-04-05")
    assert [report["events"] for report in transform(tmp_path, duplicate_storage=config)] == [1, 0]
    again = transform(tmp_path, duplicate_storage=config, output_folder=str(tmp_path / "again"))
    assert [report["events"] for report in again] == [1, 0]


@pytest.mark.spark
def test_the_same_on_spark(tmp_path: Path, config: ManifestConfig) -> None:
    _two_batches(tmp_path)

    def on_spark() -> Any:
        return open_pool("local[2]", 1, "test")

    reports = transform(tmp_path, on_spark, duplicate_storage=config, split_size=1)
    assert [report["events"] for report in reports] == [5, 2]
    assert reports[1]["duplicatesByKind"] == {"earlier batches'": 2, "natural": 1}


def test_a_manifest_needs_natural_deduplication(tmp_path: Path, dynamo: DynamoConfig) -> None:
    write_run(tmp_path / "enriched", [[enriched(1)]])
    with pytest.raises(ConfigError, match="Natural deduplication needs to be enabled"):
        plan(tmp_path, duplicate_storage=dynamo, natural=False, synthetic="NONE")
