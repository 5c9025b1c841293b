"""Remote adapters: events of a payload come from an HTTP service of the user's own (enrich 3.9.0 ``RemoteAdapter``)."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from snowetl.adapters.base import Adapt, Failures, Outcome, input_failure
from snowetl.errors import ConfigError
from snowetl.jvm import jsontext
from snowetl.jvm.scala_maps import as_map
from snowetl.jvm.text import to_utf8
from snowetl.model import badrow
from snowetl.model.payload import CollectorPayload, RawEvent

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_TAG = "[REMOTE_ADAPTER]"
_HEADERS = {"content-type": "application/json", "accept": "*/*"}
_MAX_RESPONSE = 100_000_000
_CHUNK = 65_536
_RETRY_AFTER = 0.1
_KEYS = ("connectionTimeout", "readTimeout", "maxConnections", "configs")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.ASCII)
_UNITS = {
    **dict.fromkeys(("", "s", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "milli", "millis", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("m", "minute", "minutes"), 60.0),
}


class RemoteAdapter(NamedTuple):
    """The service that adapts payloads of one path."""

    vendor: str
    version: str
    url: str


@dataclass(frozen=True)
class RemoteAdaptersConfig:
    """Configuration ``remoteAdapters``. Timeouts are in seconds."""

    configs: tuple[RemoteAdapter, ...] = ()
    connection_timeout: float = 10.0
    read_timeout: float = 45.0
    max_connections: int = 10

    @classmethod
    def parse(cls, data: Any) -> RemoteAdaptersConfig:
        """Read ``{connectionTimeout, readTimeout, maxConnections, configs: [{vendor, version, url}]}``.

        Durations are numbers of seconds or texts such as ``10 seconds``, ``500 ms``. Raises :class:`ConfigError`.
        """
        values = _object("remoteAdapters", data, _KEYS)
        configs = values.get("configs", [])
        if not isinstance(configs, list):
            raise ConfigError(f"remoteAdapters.configs must be a list of vendor, version and url, not {configs!r}")
        return cls(
            configs=tuple(_adapter(f"remoteAdapters.configs[{at}]", one) for at, one in enumerate(configs)),
            connection_timeout=_seconds("connectionTimeout", values.get("connectionTimeout", 10)),
            read_timeout=_seconds("readTimeout", values.get("readTimeout", 45)),
            max_connections=_connections(values.get("maxConnections", 10)),
        )

    def build(self) -> dict[tuple[str, str], Adapt]:
        """The adapters at work, sharing one pool of connections.

        A connection that cannot be made is tried once more; a request that was sent is not sent again.
        """
        if not self.configs:
            return {}
        from urllib3 import PoolManager, Retry, Timeout

        pool = PoolManager(
            maxsize=self.max_connections,
            block=True,
            timeout=Timeout(connect=self.connection_timeout, read=self.read_timeout),
            retries=Retry(
                connect=1, read=0, other=0, status=0, backoff_factor=_RETRY_AFTER, respect_retry_after_header=False
            ),
        )
        return {(one.vendor, one.version): _adapt_through(pool, one.url, self.read_timeout) for one in self.configs}


def _adapt_through(pool: PoolManager, url: str, read_timeout: float) -> Adapt:
    def adapt(payload: CollectorPayload) -> Outcome:
        if not payload.body:
            return input_failure("body", None, f"empty body: not a valid remote adapter {url} payload")
        try:
            response = _post(pool, url, request_text(payload), read_timeout)
        except _RequestFailed as error:
            reason = f"could not get response from remote adapter {url}: {error}"
            return input_failure("body", None, f"{_TAG} {reason}")
        return events_of(payload, response)

    return adapt


def request_text(payload: CollectorPayload) -> str:
    """The body of the request to the service."""
    return jsontext.dumps(
        {
            "contentType": payload.content_type,
            "queryString": as_map(payload.parameters()),
            "headers": payload.headers,
            "body": payload.body,
        }
    )


def events_of(payload: CollectorPayload, response: str) -> Outcome:
    """The events in the service's answer ``{"events": [{name: text}]}``; nothing is added to their parameters."""
    try:
        value = jsontext.loads_exact(response)
    except jsontext.JsonError as error:
        return Failures((badrow.not_json("body", response, f"{_TAG} invalid json: {error}"),))
    events: Any = value.get("events", _MISSING) if isinstance(value, dict) else _MISSING
    why = _decoding_fault(events)
    if why is not None:
        reason = f"could not be decoded as a list of json objects: {why}"
        return input_failure("body", response, f"{_TAG} {reason}")
    if not events:
        return input_failure("body", response, f"{_TAG} empty list of events")
    return [RawEvent(payload, event) for event in events]


_MISSING: Any = object()


def _decoding_fault(events: Any) -> str | None:
    """What keeps ``events`` from being a list of objects of texts, in the words of circe 0.14.1."""
    if events is _MISSING:
        return "Attempt to decode value on failed cursor: DownField(events)"
    if not isinstance(events, list):
        return "C[A]: DownField(events)"
    for index, event in enumerate(events):
        history = ",".join(["MoveRight"] * index + ["DownArray", "DownField(events)"])
        if not isinstance(event, dict):
            return f"[K, V]Map[K, V]: {history}"
        for key, text in event.items():
            if not isinstance(text, str):
                return f"String: DownField({key}),{history}"
    return None


class _RequestFailed(Exception):
    """No usable answer; the message says why."""


def _post(pool: PoolManager, url: str, body: str, read_timeout: float) -> str:
    """The text of a 2xx answer. Raises :class:`_RequestFailed`."""
    from urllib3.exceptions import HTTPError, MaxRetryError

    try:
        response = pool.request(
            "POST", url, body=to_utf8(body), headers=_HEADERS, preload_content=False, redirect=False
        )
        try:
            return _content(response, read_timeout).decode("utf-8", "replace")
        except BaseException:
            response.close()
            raise
        finally:
            response.release_conn()
    except MaxRetryError as error:
        raise _RequestFailed(str(error.reason)) from error
    except HTTPError as error:
        raise _RequestFailed(str(error) or type(error).__name__) from error


def _content(response: BaseHTTPResponse, read_timeout: float) -> bytes:
    """All of an answer, which must be there in time: a socket's own timeout begins anew with every byte."""
    if not 200 <= response.status < 300:
        raise _RequestFailed(f"Request failed with status {response.status}")
    deadline = time.monotonic() + read_timeout
    content = bytearray()
    while chunk := response.read1(_CHUNK):
        content += chunk
        if len(content) > _MAX_RESPONSE:
            raise _RequestFailed(f"the answer is longer than {_MAX_RESPONSE} bytes")
        if time.monotonic() > deadline:
            raise _RequestFailed(f"the answer is not complete after {read_timeout:g} seconds")
    return bytes(content)


def _object(where: str, value: Any, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} must hold keys and values, not {value!r}")
    for key in value:
        if key not in keys:
            raise ConfigError(f"{where}: unknown key '{key}'. Known are: {', '.join(keys)}")
    return value


def _adapter(where: str, data: Any) -> RemoteAdapter:
    values = _object(where, data, RemoteAdapter._fields)
    for key in RemoteAdapter._fields:
        if not isinstance(values.get(key), str) or not values[key]:
            raise ConfigError(f"{where}: '{key}' must be a text")
    url = urlsplit(values["url"])
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ConfigError(f"{where}: '{values['url']}' is no http(s) address")
    return RemoteAdapter(values["vendor"], values["version"], values["url"])


def _seconds(key: str, value: Any) -> float:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        value = float(match[1]) * _UNITS[match[2]] if match and match[2] in _UNITS else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigError(f"remoteAdapters.{key} must be a duration, such as 10 or '10 seconds'")
    return float(value)


def _connections(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"remoteAdapters.maxConnections must be a number from 1, not {value!r}")
    return value
