"""The event manifest in DynamoDB: a conditional put for each event, as RDB Loader makes them (events-manifest 0.3.0).

There is no cheaper request with a condition: batches of writes have none, transactions cost twice the write units. So
requests are made cheap: signed and sent as they are, several at once. What DynamoDB does not simply accept or refuse
(throttling, a session that expired, a server that is away) is left to botocore's client, which knows what to do. To put
an event twice is no harm: the second time it is the batch's own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from snowetl.dedupe.rules import DAYS_KEPT
from snowetl.errors import StorageError

if TYPE_CHECKING:
    import urllib3

    from snowetl.dedupe.event_manifest import DynamoConfig, Seen

_SECONDS_KEPT = DAYS_KEPT * 24 * 3600
_REQUESTS_AT_ONCE = 16
_CONDITION = "(attribute_not_exists(eventId) AND attribute_not_exists(fingerprint)) OR etlTime = :tst"
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "User-Agent": "snowetl",
    "X-Amz-Target": "DynamoDB_20120810.PutItem",
}
_REFUSED = "ConditionalCheckFailedException"
_CONNECT_SECONDS, _READ_SECONDS = 5, 20


class DynamoManifest:
    """Conditional puts: an item is taken if it is new, or was put by this batch."""

    def __init__(self, config: DynamoConfig) -> None:
        from botocore.config import Config
        from botocore.session import get_session

        session = get_session()
        if config.access_key and config.secret_key:
            session.set_credentials(config.access_key, config.secret_key)
        self._table = config.table
        self._client: Any = session.create_client(
            "dynamodb",
            region_name=config.region,
            endpoint_url=config.endpoint,
            config=Config(retries={"max_attempts": 12, "mode": "adaptive"}, max_pool_connections=_REQUESTS_AT_ONCE),
        )
        self._puts = _DirectPuts(session, self._client)

    def check(self) -> None:
        """Wait until the table is active. Raises :class:`StorageError` if it cannot be reached."""
        from botocore.exceptions import BotoCoreError, ClientError

        for _ in range(60):
            try:
                status = self._client.describe_table(TableName=self._table)["Table"]["TableStatus"]
            except (BotoCoreError, ClientError) as error:
                raise StorageError(f"Amazon DynamoDB table for event manifest is unavailable: {error}") from None
            if status == "ACTIVE":
                return
            time.sleep(5)
        raise StorageError(f"Amazon DynamoDB table {self._table} does not become active")

    def claim(self, events: Sequence[Seen], etl_time: int) -> list[bool]:
        """Which of the events are new, or this batch's own. ``etl_time`` (epoch seconds) names the batch."""
        with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
            return list(pool.map(lambda seen: self._put(seen, etl_time), events))

    def _put(self, seen: Seen, etl_time: int) -> bool:
        request = {
            "TableName": self._table,
            "Item": {
                "eventId": {"S": seen.event_id},
                "fingerprint": {"S": seen.fingerprint},
                "etlTime": {"N": str(etl_time)},
                "ttl": {"N": str(etl_time + _SECONDS_KEPT)},
            },
            "ConditionExpression": _CONDITION,
            "ExpressionAttributeValues": {":tst": {"N": str(etl_time)}},
        }
        taken = self._puts.put(request)
        return self._put_patiently(request) if taken is None else taken

    def _put_patiently(self, request: dict[str, Any]) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.put_item(**request)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == _REFUSED:
                return False
            raise StorageError(f"DynamoDB table {self._table}: {error}. Run again when it answers") from None
        return True


class _DirectPuts:
    """Requests signed by botocore and sent by urllib3: about half the processor time that botocore's client takes.

    ``session`` and ``client`` are botocore's; endpoint, credentials, proxy and certificates are theirs.
    """

    def __init__(self, session: Any, client: Any) -> None:
        self._url: str = client.meta.endpoint_url
        self._region: str = client.meta.region_name
        self._credentials = session.get_credentials()
        self._pool = _pool(self._url, session.get_config_variable("ca_bundle"))

    def put(self, request: dict[str, Any]) -> bool | None:
        """Whether DynamoDB takes an item; ``None`` if it says neither that it does nor that the condition fails."""
        import urllib3

        if self._credentials is None:
            return None
        body = msgspec.json.encode(request)
        try:
            answer = self._pool.request("POST", self._url, body=body, headers=self._signed(body), retries=False)
        except urllib3.exceptions.HTTPError:
            return None
        if answer.status == 200:
            return True
        return False if answer.status == 400 and _error_of(answer.data) == _REFUSED else None

    def _signed(self, body: bytes) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("POST", self._url, _HEADERS, body)
        SigV4Auth(self._credentials.get_frozen_credentials(), "dynamodb", self._region).add_auth(request)
        return dict(request.headers.items())


def _pool(url: str, certificates: str | None) -> urllib3.PoolManager:
    import urllib3
    from botocore.httpsession import where

    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    options: dict[str, Any] = {
        "maxsize": _REQUESTS_AT_ONCE,
        "timeout": urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
        "ca_certs": certificates or where(),
    }
    return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)


def _error_of(body: bytes) -> str:
    """The name of the error in an answer, without the namespace before it; empty where there is none."""
    try:
        named = msgspec.json.decode(body, type=_Error).type
    except (msgspec.DecodeError, UnicodeError):
        return ""
    return named.rpartition("#")[2]


class _Error(msgspec.Struct):
    type: str = msgspec.field(name="__type")
