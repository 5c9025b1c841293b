"""Remote adapters: events of a payload come from an HTTP service of the user's own (enrich 3.9.0 ``RemoteAdapter``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from snowetl.adapters.base import Adapt, Failures, Outcome, input_failure
from snowetl.errors import ConfigError
from snowetl.http import Http, HttpError, Policy, redacted
from snowetl.jvm import jsontext
from snowetl.jvm.scala_maps import as_map
from snowetl.jvm.strings import to_utf8
from snowetl.model import badrow
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.problems import Problems, did_you_mean

_TAG = "[REMOTE_ADAPTER]"
_HEADERS = {"content-type": "application/json", "accept": "*/*"}
_MAX_RESPONSE = 100_000_000
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
        problems = Problems()
        values = _object("remoteAdapters", data, _KEYS, problems)
        parsed: dict[str, Any] = {}
        with problems.gathered():
            parsed["connection_timeout"] = _seconds("connectionTimeout", values.get("connectionTimeout", 10))
        with problems.gathered():
            parsed["read_timeout"] = _seconds("readTimeout", values.get("readTimeout", 45))
        with problems.gathered():
            parsed["max_connections"] = _connections(values.get("maxConnections", 10))
        configs = values.get("configs", [])
        if not isinstance(configs, list):
            problems.add(f"remoteAdapters.configs must be a list of vendor, version and url, not {configs!r}")
            configs = []
        adapters = []
        for at, one in enumerate(configs):
            with problems.gathered():
                adapters.append(_adapter(f"remoteAdapters.configs[{at}]", one))
        problems.check()
        return cls(tuple(adapters), **parsed)

    def build(self) -> dict[tuple[str, str], Adapt]:
        """The adapters at work, sharing one pool of connections.

        A connection that cannot be made is tried once more; a request that was sent is not sent again.
        """
        if not self.configs:
            return {}
        http = Http(
            Policy(
                connect=self.connection_timeout,
                read=self.read_timeout,
                deadline=self.connection_timeout + self.read_timeout,
                max_bytes=_MAX_RESPONSE,
                retries=1,
                retried=frozenset(),
                resend=False,
                redirects=0,
                first_wait=_RETRY_AFTER,
            ),
            connections=self.max_connections,
        )
        return {(one.vendor, one.version): _adapt_through(http, one.url) for one in self.configs}


def _adapt_through(http: Http, url: str) -> Adapt:
    shown = redacted(url)

    def adapt(payload: CollectorPayload) -> Outcome:
        if not payload.body:
            return input_failure("body", None, f"empty body: not a valid remote adapter {shown} payload")
        try:
            answer = http.request("POST", url, headers=_HEADERS, body=to_utf8(request_text(payload)))
        except HttpError as error:
            return _no_response(shown, str(error))
        if not 200 <= answer.status < 300:
            return _no_response(shown, f"Request failed with status {answer.status}")
        return events_of(payload, answer.body.decode("utf-8", "replace"))

    return adapt


def _no_response(url: str, why: str) -> Outcome:
    return input_failure("body", None, f"{_TAG} could not get response from remote adapter {url}: {why}")


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


def _object(where: str, value: Any, keys: tuple[str, ...], problems: Problems) -> Mapping[str, Any]:
    """``value`` if it is an object; unknown keys are problems."""
    if not isinstance(value, Mapping):
        problems.add(f"{where} must hold keys and values, not {value!r}")
        return {}
    for key in value:
        if key not in keys:
            problems.add(f"{where}: unknown key '{key}'{did_you_mean(str(key), keys)}. Known are: {', '.join(keys)}")
    return value


def _adapter(where: str, data: Any) -> RemoteAdapter:
    problems = Problems()
    values = _object(where, data, RemoteAdapter._fields, problems)
    for key in RemoteAdapter._fields:
        if not isinstance(values.get(key), str) or not values[key]:
            problems.add(f"{where}: '{key}' must be a text")
    url = values.get("url")
    if isinstance(url, str) and url:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            problems.add(f"{where}: '{redacted(url)}' is not an address http:// or https://")
    problems.check()
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
