"""Collector records as a collector would have written them: Thrift, from what a tracker sends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from snowetl.collector import thrift_reader as thrift
from snowetl.collector.thrift_writer import SCHEMA, write_struct
from snowetl.errors import ConfigError
from snowetl.model.schema import ParseError, SchemaKey

SNOWPLOW = "com.snowplowanalytics.snowplow"
PAGE_VIEW = {"e": "pv"}
TRACKER = {"p": "web", "tv": "py-test"}
"""Parameters without which a request is not the tracker's; what a test gives replaces them."""

Json = dict[str, Any]


def entity(schema: str, data: Any) -> Json:
    """A self-describing JSON: an entity, or the data of an event. ``schema`` is ``iglu:VENDOR/NAME/jsonschema/1-0-0``.

    Raises ``ConfigError`` when ``schema`` is not such a URI.
    """
    try:
        SchemaKey.parse(schema)
    except ParseError as error:
        raise ConfigError(
            f"'{schema}' is not the URI of a schema ({error.code}). Write iglu:VENDOR/NAME/jsonschema/1-0-0."
        ) from None
    return {"schema": schema, "data": data}


def event(schema: str, data: Any, entities: Sequence[Json] = (), **parameters: str) -> dict[str, str]:
    """Tracker-protocol parameters of a self-describing event. ``parameters`` are more of them: ``url="https://…"``."""
    found = {"e": "ue", "ue_pr": _envelope("unstruct_event", entity(schema, data))}
    if entities:
        found["co"] = _envelope("contexts", list(entities))
    return {**TRACKER, **found, **parameters}


def hit(parameters: Mapping[str, str] | None = None, **context: Any) -> bytes:
    """A GET of the tracker's pixel that carries one event; a page view where no ``parameters`` are given.

    ``context`` as of :func:`record`.
    """
    query = urlencode({**TRACKER, **(PAGE_VIEW if parameters is None else parameters)})
    return record(**{"path": "/i", "querystring": query, **context})


def tp2(*events: Mapping[str, str], **context: Any) -> bytes:
    """A POST of the tracker that carries ``events``, each as the parameters of :func:`event` or of your own.

    ``context`` as of :func:`record`.
    """
    body = _envelope("payload_data", [{**TRACKER, **parameters} for parameters in events], "1-0-4")
    return record(**{"path": f"/{SNOWPLOW}/tp2", "body": body, "content_type": "application/json", **context})


def record(
    *,
    path: str,
    querystring: str | None = None,
    body: str | None = None,
    content_type: str | None = None,
    time: int = 1_772_442_000_000,
    ip: str = "192.0.2.7",
    useragent: str | None = "Mozilla/5.0",
    referer: str | None = None,
    network_userid: str | None = None,
    hostname: str = "collector.example.com",
    headers: Sequence[str] = (),
) -> bytes:
    """Any request to a collector as a Thrift record. ``time`` is epoch milliseconds; a header is ``Name: value``."""
    return write_struct(
        {
            thrift.IP_ADDRESS: ip,
            thrift.TIMESTAMP: time,
            thrift.ENCODING: "UTF-8",
            thrift.COLLECTOR: "ssc-test",
            thrift.USER_AGENT: useragent,
            thrift.REFERER: referer,
            thrift.PATH: path,
            thrift.QUERYSTRING: querystring,
            thrift.BODY: body,
            thrift.HEADERS: list(headers) or None,
            thrift.CONTENT_TYPE: content_type,
            thrift.HOSTNAME: hostname,
            thrift.NETWORK_USERID: network_userid,
            thrift.SCHEMA: SCHEMA,
        }
    )


def _envelope(name: str, data: Any, version: str = "1-0-0") -> str:
    return json.dumps({"schema": f"iglu:{SNOWPLOW}/{name}/jsonschema/{version}", "data": data}, separators=(",", ":"))
