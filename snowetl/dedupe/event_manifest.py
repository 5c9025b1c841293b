"""Which events earlier batches had: a table in DynamoDB, or one in PostgreSQL (events-manifest 0.3.0)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, Protocol

from snowetl import documents
from snowetl.dedupe.rules import DAYS_KEPT
from snowetl.errors import ConfigError, StorageError
from snowetl.model.schema import ParseError, SchemaCriterion, self_describing
from snowetl.references import in_address

_CRITERION = SchemaCriterion(
    "com.snowplowanalytics.snowplow.storage", "amazon_dynamodb_config", "jsonschema", None, None, None
)
_SECONDS_KEPT = DAYS_KEPT * 24 * 3600
BATCH = 1000


class Seen(NamedTuple):
    """What names an event in a manifest."""

    event_id: str
    fingerprint: str


class Manifest(Protocol):
    """Takes note of events. Raises :class:`StorageError` when it cannot: then the job fails, and can be repeated."""

    def check(self) -> None:
        """Get ready, once a job. Raises :class:`StorageError` if the manifest cannot be reached."""

    def claim(self, events: Sequence[Seen], etl_time: int) -> list[bool]:
        """Which of the events are new, or this batch's own. ``etl_time`` (epoch seconds) names the batch."""


@dataclass(frozen=True)
class DynamoConfig:
    """Where the table is. Without keys, AWS's own chain of credentials counts."""

    table: str
    region: str
    access_key: str | None = None
    secret_key: str | None = None
    endpoint: str | None = None

    @contextmanager
    def open(self) -> Iterator[Manifest]:
        from snowetl.dedupe.dynamo_manifest import DynamoManifest

        yield DynamoManifest(self)


@dataclass(frozen=True)
class PostgresConfig:
    """A database by URL. The table is made when it is not there."""

    url: str

    @contextmanager
    def open(self) -> Iterator[Manifest]:
        import psycopg

        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                yield PostgresManifest(connection)
        except psycopg.Error as error:
            raise StorageError(f"the event manifest in PostgreSQL cannot be used: {error}") from None


ManifestConfig = DynamoConfig | PostgresConfig


def parse_config(source: Any) -> ManifestConfig:
    """Read an ``amazon_dynamodb_config`` (JSON, its text, a file, base64), or the URL of a PostgreSQL database.

    Raises :class:`ConfigError`.
    """
    if isinstance(source, (DynamoConfig, PostgresConfig)):
        return source
    if isinstance(source, str) and source.startswith(("postgres://", "postgresql://")):
        return PostgresConfig(in_address(source))
    document = documents.read(source, "the duplicate storage configuration").value
    try:
        key, data = self_describing(document)
    except ParseError as error:
        raise ConfigError(f"the duplicate storage configuration is not self-describing JSON: {error.code}") from None
    if not _CRITERION.matches(key) or not isinstance(data, dict):
        raise ConfigError(f"the duplicate storage configuration must be an amazon_dynamodb_config, it is {key}")
    missing = [name for name in ("awsRegion", "dynamodbTable") if not isinstance(data.get(name), str)]
    if missing:
        raise ConfigError(f"the duplicate storage configuration lacks {' and '.join(missing)}")
    auth = data.get("auth") or {}
    return DynamoConfig(data["dynamodbTable"], data["awsRegion"], auth.get("accessKeyId"), auth.get("secretAccessKey"))


class PostgresManifest:
    """The same rule in SQL, a statement for many events."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def check(self) -> None:
        """Make the table, forget events older than the time an item lives."""
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS snowetl_event_manifest ("
            "event_id TEXT NOT NULL, fingerprint TEXT NOT NULL, etl_time BIGINT NOT NULL, "
            "PRIMARY KEY (event_id, fingerprint))"
        )
        self._connection.execute(
            "DELETE FROM snowetl_event_manifest WHERE etl_time < %s", (int(time.time()) - _SECONDS_KEPT,)
        )

    def claim(self, events: Sequence[Seen], etl_time: int) -> list[bool]:
        ours: set[tuple[str, str]] = set()
        rest = iter(dict.fromkeys(events))
        while batch := list(islice(rest, BATCH)):
            rows = self._connection.execute(
                "INSERT INTO snowetl_event_manifest AS had (event_id, fingerprint, etl_time) "
                "SELECT e, f, %s FROM unnest(%s::text[], %s::text[]) AS new (e, f) ORDER BY e, f "
                "ON CONFLICT (event_id, fingerprint) DO UPDATE SET etl_time = excluded.etl_time "
                "WHERE had.etl_time = excluded.etl_time RETURNING event_id, fingerprint",
                (etl_time, [seen.event_id for seen in batch], [seen.fingerprint for seen in batch]),
            )
            ours.update((event_id, fingerprint) for event_id, fingerprint in rows)
        return [tuple(seen) in ours for seen in events]
