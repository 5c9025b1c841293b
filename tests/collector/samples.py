"""Records of every format, made for the tests of this room."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from snowetl.collector import thrift_reader as reader
from snowetl.collector.cloudfront_realtime import ALL_FIELDS
from snowetl.collector.thrift_writer import SCHEMA, write_struct

UUID = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"


def cloudfront_line(columns: int = 24, separator: str = "\t", **changes: str) -> str:
    """A CloudFront line with the first ``columns`` of today's; columns by name replace the usual ones."""
    values = {
        "date": "2024-02-29",
        "time": "12:34:56",
        "location": "FRA2",
        "bytes": "480",
        "ip": "198.51.100.7",
        "method": "GET",
        "host": "d1.example.net",
        "path": "/i",
        "status": "200",
        "referer": "https://shop.example/a%2520b",
        "useragent": "Agent/1.0%2520(X;%2520Y)",
        "query": "e=pv&page=Hello%2520there&p=web",
        "cookie": "-",
        "result": "Hit",
        "id": "x9==",
        "host_header": "c.example.net",
        "protocol": "https",
        "request_bytes": "601",
        "taken": "0.001",
        "forwarded_for": "203.0.113.9,%20198.51.100.1",
        "ssl": "TLSv1.3",
        "cipher": "X",
        "edge": "Hit",
        "version": "HTTP/2.0",
    }
    assert changes.keys() <= values.keys()
    return separator.join(list((values | changes).values())[:columns])


CLOUDFRONT_12 = cloudfront_line(12)


def clj_tomcat_line(columns: int = 17, **changes: str) -> str:
    """A Clojure collector line: 12 columns, 15 with the hyphens, 17 with content type and body."""
    values = {
        "date": "2015-03-04",
        "time": "05:06:07",
        "location": "-",
        "bytes": "37",
        "ip": "198.51.100.7",
        "method": "POST",
        "host": "198.51.100.7",
        "path": "/com.snowplowanalytics.snowplow/tp2",
        "status": "200",
        "referer": "https://shop.example/",
        "useragent": "Agent%2F1.0+%28X%3B+Y%29",
        "query": "&cv=clj-1.1.0-tom-0.2.0&nuid=" + UUID,
        "hyphen1": "-",
        "hyphen2": "-",
        "hyphen3": "-",
        "content_type": "application%2Fjson%3B+charset%3DUTF-8",
        "body": base64.urlsafe_b64encode('{"é":1}'.encode()).decode().rstrip("="),
    }
    assert changes.keys() <= values.keys()
    return "\t".join(list((values | changes).values())[:columns])


REQUEST = {
    "date": "2026-03-02",
    "time": "08:00:00",
    "x-edge-location": "FRA2",
    "c-ip": "198.51.100.7",
    "cs-method": "GET",
    "cs(Host)": "d1.example.net",
    "cs-uri-stem": "/i",
    "sc-status": "200",
    "cs(Referer)": "https://shop.example/a%2520b",
    "cs(User-Agent)": "Agent/1.0%2520(X;%2520Y)",
    "cs-uri-query": "e=pv&page=Hello%2520there&p=web",
    "x-forwarded-for": "203.0.113.9,%20198.51.100.1",
    "timestamp(ms)": "1772438400123",
}
"""What standard logging v2 says of a request, by field."""


def cloudfront_object(**changes: Any) -> str:
    """A request as a JSON object; keys as in :data:`REQUEST`, with ``_`` for what no Python name has."""
    names = {re.sub("[^0-9a-z]+", "_", name.lower()).strip("_"): name for name in REQUEST}
    fields: dict[str, Any] = dict(REQUEST)
    for name, value in changes.items():
        fields[names[name]] = value
    return json.dumps({name: value for name, value in fields.items() if value is not ...})


def cloudfront_row(*names: str, header: bool = True, separator: str = "\t") -> str:
    """A request in W3C form with the fields ``names`` (all of them, if none is given), behind its header line."""
    names = names or tuple(REQUEST)
    row = separator.join(REQUEST[name] for name in names)
    return f"#Fields: {' '.join(names)}\n{row}" if header else row


def realtime_row(**changes: str) -> str:
    """A row of a real-time log of all fields; changes by name, with ``_`` for ``-``."""
    usual = {
        "timestamp": "1772438400.123",
        "c_ip": "198.51.100.7",
        "cs_method": "GET",
        "cs_uri_stem": "/i?e=pv&page=Hello%20there&p=web",
        "cs_user_agent": "Agent/1.0%20(X;%20Y)",
        "cs_referer": "https://shop.example/a%20b",
        "cs_uri_query": "e=pv&page=Hello%20there&p=web",
        "x_forwarded_for": "203.0.113.9,%20198.51.100.1",
    } | changes
    return "\t".join(usual.get(name.replace("-", "_"), "-") for name in ALL_FIELDS)


def alb_line(kind: str = "https", **changes: str) -> str:
    """A line of an application load balancer; of a classic one with an empty ``kind``."""
    values = {
        "time": "2026-03-02T08:00:01.654321Z",
        "elb": "app/collector/50dc6c495c0c9188",
        "client": "198.51.100.7:54321",
        "target": "10.0.0.1:8080",
        "times": "0.001 0.002 0.003",
        "statuses": "200 200",
        "bytes": "412 57",
        "request": '"GET https://c.example.net:443/i?e=pv&page=Hello%20there&p=web HTTP/1.1"',
        "useragent": '"Agent/1.0 (X; Y)"',
        "ssl": "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2",
        "group": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/t/73e2d6bc24d8a067",
        "trace": '"Root=1-58337281-1d84f3d73c47ec4e" "c.example.net" "arn:aws:acm:eu-central-1:1:certificate/1"',
        "rule": "1",
        "received": "2026-03-02T08:00:00.123456Z",
        "rest": '"forward" "-" "-" "10.0.0.1:8080" "200" "-" "-" TID_1',
    }
    assert changes.keys() <= values.keys()
    columns = list((values | changes).values())
    return " ".join([kind, *columns] if kind else columns[:10])


_NAMES = {
    "ip_address": reader.IP_ADDRESS,
    "timestamp": reader.TIMESTAMP,
    "encoding": reader.ENCODING,
    "collector": reader.COLLECTOR,
    "useragent": reader.USER_AGENT,
    "referer": reader.REFERER,
    "path": reader.PATH,
    "querystring": reader.QUERYSTRING,
    "body": reader.BODY,
    "headers": reader.HEADERS,
    "content_type": reader.CONTENT_TYPE,
    "hostname": reader.HOSTNAME,
    "network_userid": reader.NETWORK_USERID,
    "schema": reader.SCHEMA,
}


def thrift_record(**changes: Any) -> bytes:
    """A CollectorPayload record; ``None`` leaves a field out."""
    fields = {
        "ip_address": "198.51.100.7",
        "timestamp": 1_700_000_000_123,
        "encoding": "UTF-8",
        "collector": "ssc-2.10.0-kinesis",
        "useragent": "Agent/1.0 (X; Y)",
        "referer": "https://shop.example/",
        "path": "/i",
        "querystring": "e=pv&page=Caf%C3%A9&p=web",
        "headers": ["Host: c.example.net", "X-Forwarded-For: 203.0.113.9", "Cookie: sp=" + UUID],
        "hostname": "c.example.net",
        "network_userid": UUID,
        "schema": SCHEMA,
    }
    return write_struct({_NAMES[name]: value for name, value in (fields | changes).items()})


def raw_event_record(**changes: Any) -> bytes:
    """A SnowplowRawEvent record, the struct before CollectorPayload."""
    fields = {
        1: 1_390_000_000_000,
        20: "ssc-0.0.1-Stdout",
        30: "UTF-8",
        40: "198.51.100.7",
        41: {1: 1, 2: 1, 3: "e=pp&p=web"},
        45: "localhost",
        50: "Agent/1.0",
        60: "https://shop.example/",
        70: ["Host: localhost"],
        80: UUID,
    }
    return write_struct(
        fields | {int(name.removeprefix("f")): value for name, value in changes.items()}, reader.RAW_EVENT
    )


def records(input_format: str) -> list[Any]:
    """Sound records of a format, to be mutated."""
    if input_format == "thrift":
        post = thrift_record(path="/com.acme/v1", querystring=None, body='{"é":1}', content_type="application/json")
        return [thrift_record(), post, raw_event_record(), base64.b64encode(post)]
    if input_format == "cloudfront":
        return [cloudfront_line(columns) for columns in (12, 15, 18, 19, 23, 24)] + [cloudfront_line(separator="  ")]
    if input_format == "clj-tomcat":
        return [clj_tomcat_line(columns) for columns in (12, 15, 17)]
    if input_format.startswith("tsv/"):
        return [cloudfront_line()]
    if input_format == "cloudfront-json":
        return [cloudfront_object(), cloudfront_object(timestamp_ms=...)]
    if input_format == "cloudfront-w3c":
        return [cloudfront_row(), cloudfront_row("timestamp(ms)", "cs-uri-stem", separator=" ")]
    if input_format == "cloudfront-realtime":
        return [realtime_row()]
    if input_format == "alb":
        return [alb_line(), alb_line("")]
    return [json.dumps({"id": UUID, "items": [1, 1.5, None, True, "é\n"], "nested": {"a": {"b": []}}})]
