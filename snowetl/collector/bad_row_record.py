"""From a bad row back to a record that a loader reads, where the bad row still holds one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from snowetl.collector import thrift_reader
from snowetl.collector.thrift_writer import write_payload, write_struct
from snowetl.jvm import jsontext
from snowetl.model.payload import CollectorPayload
from snowetl.recovery.failure import RecoveryFailure
from snowetl.recovery.querystrings import cleaned

BAD_ROWS = "iglu:com.snowplowanalytics.snowplow.badrows/"
_SENDGRID, _IGLU = "com.sendgrid", "com.snowplowanalytics.iglu"
TRACKER = ("com.snowplowanalytics.snowplow", "tp2")
_LOADERS = {name: name for name in ("thrift", "cloudfront", "cloudfront-json", "clj-tomcat", "alb")}
"""The loader a bad row names -> the input format it stands for, where it says it all."""

OF_REQUESTS = ("adapter_failures", "tracker_protocol_violations")
OF_EVENTS = ("schema_violations", "enrichment_failures")
FAULTS = (KeyError, TypeError, AttributeError, ValueError, binascii.Error, OverflowError)
"""What the payload of a bad row raises that is not as in bad rows of its kind."""

Json = Mapping[str, Any]


class Found(NamedTuple):
    """A record to be explained, its input format (``None``: the one that was given), and how it was come by."""

    record: bytes | str
    input_format: str | None
    note: str


class Lost(NamedTuple):
    """A bad row that holds no record any more, and why."""

    reason: str


def read_bad_row(text: str) -> Json | None:
    """The bad row that ``text`` is; ``None`` for any other text."""
    if not text.lstrip().startswith("{") or "snowplow.badrows/" not in text:
        return None
    try:
        document = jsontext.loads(text)
    except ValueError:
        return None
    schema = document.get("schema") if isinstance(document, dict) else None
    data = document.get("data") if isinstance(document, dict) else None
    return document if isinstance(schema, str) and schema.startswith(BAD_ROWS) and isinstance(data, dict) else None


def kind_of(bad_row: Json) -> str:
    """The name of its schema, such as ``schema_violations``."""
    return str(bad_row["schema"].split("/")[1])


def payload_of(bad_row: Json) -> CollectorPayload | None:
    """The request that ``bad_row`` was made of, as it was when it was read; ``None`` for a bad row that holds none: of
    an unreadable record (:func:`record_of`), of an event, of what was cut.

    Raises ``ValueError``, ``KeyError``, ``TypeError``, ``AttributeError`` for a payload unlike those of its kind.
    """
    payload = bad_row["data"].get("payload")
    if kind_of(bad_row) in OF_REQUESTS:
        return _payload(payload)
    return _raw_event(payload["raw"])[0] if kind_of(bad_row) in OF_EVENTS else None


def mended_payload(bad_row: Json, payload: Any) -> CollectorPayload:
    """The request that a mended payload makes, as Event Recovery sends it: events of SendGrid and of the Iglu adapter
    go through their adapters again. Raises what :func:`payload_of` raises.
    """
    if kind_of(bad_row) not in OF_EVENTS:
        return _timed(_payload(payload))
    sent = _timed(_raw_event(payload["raw"])[0])
    vendor, version = payload["raw"]["vendor"], payload["raw"]["version"]
    if vendor not in (_SENDGRID, _IGLU):
        return sent
    inner = jsontext.loads(dict(sent.querystring)["ue_pr"] or "")["data"]
    schema, data = str(inner["schema"]), inner["data"]
    querystring = [("schema", schema)] if vendor == _IGLU else sent.querystring
    body = jsontext.dumps(data if vendor == _IGLU else [{**data, "event": schema.split("/")[1]}])
    return sent.replaced(
        vendor=vendor, version=version, querystring=querystring, body=body, content_type="application/json"
    )


def _timed(payload: CollectorPayload) -> CollectorPayload:
    """As a Thrift record tells it, which has a time: without one, 1970."""
    return payload if payload.timestamp is not None else payload.replaced(timestamp=0)


def with_clean_querystring(record: bytes) -> bytes:
    """A Thrift record whose query string can be parsed. Raises :class:`RecoveryFailure`."""
    try:
        fields = thrift_reader.Walker(record).read_record(thrift_reader.COLLECTOR_PAYLOAD)
    except thrift_reader.ThriftError:
        try:  # records that were encoded twice
            content = base64.b64decode(record, validate=True)
            thrift_reader.Walker(content).read_record(thrift_reader.COLLECTOR_PAYLOAD)
        except (binascii.Error, thrift_reader.ThriftError) as error:
            raise RecoveryFailure(f"Failed to read the record: {error}") from None
        return content
    pairs = cleaned(str(fields.get(thrift_reader.QUERYSTRING) or ""))
    fields[thrift_reader.QUERYSTRING] = "&".join(f"{name}={value}" for name, value in pairs.items())
    return write_struct(fields)


def record_of(bad_row: Json, *, binary: bool) -> Found | Lost:
    """The record in the payload of ``bad_row``. ``binary``: the records of the input format are bytes."""
    kind = kind_of(bad_row)
    payload = bad_row["data"].get("payload")
    try:
        if kind == "collector_payload_format_violation":
            return _unreadable(bad_row["data"], payload, binary)
        if kind in OF_REQUESTS:
            return Found(write_payload(_payload(payload)), "thrift", "its collector payload, as a Thrift record")
        if kind in OF_EVENTS:
            sent, note = _raw_event(payload["raw"])
            return Found(write_payload(sent), "thrift", note)
        if kind == "generic_error" and not str(payload).startswith("{"):
            content = base64.b64decode(payload, validate=True)
            return Found(content if binary else content.decode("utf-8"), None, "its record")
    except FAULTS as error:
        return Lost(f"its payload is not as in bad rows of its kind ({type(error).__name__}: {error})")
    if kind == "size_violation":
        return Lost("its payload is cut, the record is in the collector's logs only")
    if kind.startswith("loader_") or kind == "generic_error":
        return Lost("it was an event already, which the transform could not make rows of; the record is not in it")
    return Lost(f"bad rows of the kind {kind} hold no record")


def _unreadable(data: Json, payload: Any, binary: bool) -> Found | Lost:
    loader = _LOADERS.get(str(data["failure"].get("loader")))
    if not isinstance(payload, str) or not payload:
        return Lost("its payload is empty: a damaged file, not a record")
    if loader == "thrift" or (loader is None and binary):
        return Found(base64.b64decode(payload, validate=True), "thrift", "its record, from base64")
    return Found(payload, loader, "its line")


def _raw_event(raw: Json) -> tuple[CollectorPayload, str]:
    """An event after its adapter: parameters of the tracker protocol, which are sent again as one request; and a note
    that says so.
    """
    payload = _payload({**raw, "collector": raw["loaderName"], "networkUserId": raw.get("userId"), "querystring": ()})
    note = "its raw event, as a Thrift record of one request of the tracker protocol"
    if not payload.vendor.startswith("com.snowplowanalytics"):
        note += f" (it came through the adapter of {payload.vendor}/{payload.version})"
    vendor, version = TRACKER
    querystring = _pairs(raw["parameters"])
    sent = payload.replaced(vendor=vendor, version=version, querystring=querystring, body=None, content_type=None)
    return sent, note


def _payload(json: Json) -> CollectorPayload:
    """Of its JSON, in which programs leave out what is ``null``."""
    timestamp = json.get("timestamp")
    return CollectorPayload(
        vendor=json["vendor"],
        version=json["version"],
        querystring=_pairs(json["querystring"]),
        content_type=json.get("contentType"),
        body=json.get("body"),
        collector=json["collector"],
        encoding="UTF-8",
        hostname=json.get("hostname"),
        timestamp=None if timestamp is None else round(datetime.fromisoformat(timestamp).timestamp() * 1000),
        ip_address=json.get("ipAddress"),
        useragent=json.get("useragent"),
        referer_uri=json.get("refererUri"),
        headers=[str(header) for header in json.get("headers") or ()],
        network_userid=json.get("networkUserId"),
    )


def _pairs(pairs: Any) -> list[tuple[str, str | None]]:
    """Of a list of names and values, or of the object that the rows of Spark Enrich 2.0 have."""
    if isinstance(pairs, Mapping):
        return [(str(name), None if value is None else str(value)) for name, value in pairs.items()]
    return [(str(pair["name"]), None if pair["value"] is None else str(pair["value"])) for pair in pairs]
