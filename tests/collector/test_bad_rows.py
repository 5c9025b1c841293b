"""Bad rows as input: what each kind holds is read again, and what holds nothing stays the bad row it is."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from snowetl.collector import format_of, loader_for
from snowetl.collector.thrift_writer import write_payload
from snowetl.errors import ConfigError
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.payload import CollectorPayload

ORIGIN = Origin("snowetl", "1.0.0", 1_772_704_800_000)
BEFORE = Origin("snowplow-enrich-kinesis", "3.9.0", 1_672_704_800_000)
PAYLOAD = CollectorPayload(
    vendor="com.acme",
    version="v1",
    querystring=[("aid", "shop é&="), ("x", None)],
    content_type="application/json",
    body='{"a": "ü"}',
    collector="ssc-2.9.0",
    encoding="UTF-8",
    hostname="collector.example.com",
    timestamp=1_672_704_700_123,
    ip_address="198.51.100.7",
    useragent="Mozilla/5.0 (X11)",
    referer_uri="https://example.com/?q=1",
    headers=["Accept: */*", "Cookie: sp=1"],
    network_userid="8e8bf7b6-4b60-4ac6-a3c5-8e3d0b5b6b1c",
)
RAW: dict[str, Any] = {
    "vendor": "com.snowplowanalytics.snowplow",
    "version": "tp2",
    "parameters": [{"name": "e", "value": "pv"}, {"name": "url", "value": "https://example.com/ü"}],
    "contentType": "application/json",
    "loaderName": "ssc-2.9.0",
    "encoding": "UTF-8",
    "hostname": "collector.example.com",
    "timestamp": "2023-01-03T00:11:40.123Z",
    "ipAddress": "198.51.100.7",
    "useragent": "Mozilla/5.0 (X11)",
    "refererUri": None,
    "headers": ["Accept: */*"],
    "userId": None,
}


def row(kind: str, version: str = "1-0-0", **data: Any) -> str:
    schema = f"iglu:com.snowplowanalytics.snowplow.badrows/{kind}/jsonschema/{version}"
    processor = {"artifact": "snowplow-enrich-kinesis", "version": "3.9.0"}
    return json.dumps({"schema": schema, "data": {"processor": processor, "failure": {}} | data})


def load(text: str, input_format: str = "bad-rows") -> Any:
    return loader_for(input_format, ORIGIN).load(text)


def test_a_request_is_what_it_was() -> None:
    bad = badrow.adapter_failure(BEFORE, PAYLOAD, [])
    assert load(bad.to_json()) == PAYLOAD
    tracker = PAYLOAD.replaced(vendor="com.snowplowanalytics.snowplow", version="tp2")
    assert load(badrow.adapter_failure(BEFORE, tracker, []).to_json()) == tracker


@pytest.mark.parametrize("kind", ["schema_violations", "enrichment_failures"])
def test_an_event_is_sent_again_as_one_request(kind: str) -> None:
    sent = load(row(kind, "2-0-1", payload={"enriched": {}, "raw": RAW}))
    assert (sent.vendor, sent.version) == ("com.snowplowanalytics.snowplow", "tp2")
    assert sent.querystring == [("e", "pv"), ("url", "https://example.com/ü")]
    assert (sent.body, sent.content_type) == (None, None)
    assert (sent.collector, sent.timestamp, sent.ip_address) == ("ssc-2.9.0", 1_672_704_700_123, "198.51.100.7")
    older = RAW | {"parameters": {"e": "pv", "url": "https://example.com/ü"}}
    assert load(row(kind, payload={"enriched": {}, "raw": older})) == sent
    within = json.loads(row(kind, payload={"enriched": {}, "raw": RAW}))
    assert load(row("recovery_error", payload=within, recoveries=1)) == sent


def test_a_record_that_could_not_be_read_is_read_again() -> None:
    record = base64.b64encode(write_payload(PAYLOAD)).decode()
    kind = "collector_payload_format_violation"
    again = load(row(kind, failure={"loader": "thrift"}, payload=record))
    assert (again.vendor, again.body, again.headers) == (PAYLOAD.vendor, PAYLOAD.body, PAYLOAD.headers)
    assert load(row("generic_error", payload=record), "bad-rows/thrift").body == PAYLOAD.body
    line = '{"a": 1}'
    named = load(row(kind, failure={"loader": "ndjson"}, payload=line), "bad-rows/ndjson/com.acme/v1")
    assert (named.vendor, named.body) == ("com.acme", line)


@pytest.mark.parametrize(
    "text",
    [
        row("size_violation", payload="cut…"),
        row("loader_parsing_error", "2-0-0", payload="a\tb"),
        row("loader_iglu_error", "2-0-1", failure=[], payload={"event_id": "x"}),
        row("relay_failure", payload={}),
        row("generic_error", payload="not base64!"),
        row("generic_error", payload="AAAA"),
        row("collector_payload_format_violation", failure={"loader": "thrift"}, payload="AAAA"),
        row("collector_payload_format_violation", failure={"loader": "ndjson"}, payload="{}"),
        row("collector_payload_format_violation", failure={"loader": "cloudfront"}, payload="no line"),
        row("adapter_failures", payload={}),
        row("adapter_failures", payload=None),
        row("adapter_failures", payload="text"),
        row("schema_violations", "2-0-1", payload={"raw": RAW | {"timestamp": "yesterday"}}),
        row("schema_violations", "2-0-1", payload={"raw": RAW | {"timestamp": "0001-01-01T00:00:00"}}),
        row("schema_violations", "2-0-1", payload={"raw": RAW | {"parameters": 7}}),
        row("recovery_error", payload=[1], recoveries=1),
    ],
)
def test_what_holds_no_record_stays_the_bad_row_it_is(text: str) -> None:
    loaded = load(text)
    if isinstance(loaded, CollectorPayload):  # a time of long ago is one
        assert "0001-01-01" in text
        return
    [same] = loaded
    assert isinstance(same, BadRow)
    assert same.to_dict() == json.loads(text)


@pytest.mark.parametrize("text", ["hello", "{}", "[1]", '{"schema": "iglu:com.acme/x/jsonschema/1-0-0", "data": {}}'])
def test_what_is_no_bad_row_becomes_one(text: str) -> None:
    [bad] = load(text)
    assert (bad.type, bad.data["payload"]) == ("collector_payload_format_violation", text)
    assert bad.data["failure"]["message"] == {"error": "it is not a bad row"}


def test_an_empty_line_is_nothing() -> None:
    assert load("") is None
    assert load("  ") is None


def test_the_format_behind_the_slash() -> None:
    assert format_of("bad-rows/thrift") is format_of("bad-rows")
    assert loader_for("bad-rows/cloudfront-realtime", ORIGIN).decode_useragent("a%20b") == "a b"
    assert loader_for("bad-rows", ORIGIN).decode_useragent("a%20b") == "a%20b"
    for wrong in ("bad-rows/", "bad-rows/nothing", "bad-rows/tsv"):
        with pytest.raises(ConfigError, match="is not a recognised Snowplow event collector"):
            loader_for(wrong, ORIGIN)
