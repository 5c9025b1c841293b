"""Writes Thrift records as collectors do: for fixtures, and to send recovered payloads through the pipeline again."""

from __future__ import annotations

import struct
from typing import Any
from urllib.parse import quote

from snowetl.collector import thrift_reader as reader
from snowetl.collector.path import SNOWPLOW_TP1
from snowetl.jvm.strings import to_utf8
from snowetl.model.payload import CollectorPayload

SCHEMA = "iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-0"


def write_payload(payload: CollectorPayload) -> bytes:
    """A CollectorPayload record that the Thrift loader reads as this payload.

    The query string is encoded anew, in UTF-8, and the record says so; a payload without a time gets 1970-01-01.
    """
    path = "/i" if (payload.vendor, payload.version) == SNOWPLOW_TP1 else f"/{payload.vendor}/{payload.version}"
    return write_struct(
        {
            reader.IP_ADDRESS: payload.ip_address,
            reader.TIMESTAMP: payload.timestamp or 0,
            reader.ENCODING: "UTF-8",
            reader.COLLECTOR: payload.collector,
            reader.USER_AGENT: payload.useragent,
            reader.REFERER: payload.referer_uri,
            reader.PATH: path,
            reader.QUERYSTRING: "&".join(_pair(name, value) for name, value in payload.querystring) or None,
            reader.BODY: payload.body,
            reader.HEADERS: payload.headers or None,
            reader.CONTENT_TYPE: payload.content_type,
            reader.HOSTNAME: payload.hostname,
            reader.NETWORK_USERID: payload.network_userid,
            reader.SCHEMA: SCHEMA,
        }
    )


def _pair(name: str, value: str | None) -> str:
    quoted = quote(name, safe="", errors="replace")
    return quoted if value is None else f"{quoted}={quote(value, safe='', errors='replace')}"


def write_struct(fields: reader.Fields, known: dict[int, Any] = reader.COLLECTOR_PAYLOAD) -> bytes:
    """A struct in the binary protocol: fields by ascending id, those that are ``None`` left out.

    ``known`` gives the types (``thrift_reader.COLLECTOR_PAYLOAD`` or ``RAW_EVENT``).
    """
    pieces = []
    for field in sorted(fields):
        value, kind = fields[field], known[field]
        if value is None:
            continue
        if isinstance(kind, dict):
            pieces.append(struct.pack(">bh", reader.STRUCT, field) + write_struct(value, kind))
        else:
            pieces.append(struct.pack(">bh", kind, field) + _value(kind, value))
    return b"".join(pieces) + b"\0"


def _value(kind: int, value: Any) -> bytes:
    if kind == reader.STRING:
        raw = to_utf8(value)
        return struct.pack(">i", len(raw)) + raw
    if kind == reader.LIST:
        head = struct.pack(">bi", reader.STRING, len(value))
        return head + b"".join(_value(reader.STRING, text) for text in value)
    return struct.pack(">q" if kind == reader.I64 else ">i", value)
