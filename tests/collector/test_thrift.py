"""Thrift records through the loader."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.collector import loader_for
from snowetl.collector.thrift import ThriftLoader
from snowetl.collector.thrift_writer import write_payload
from snowetl.model.badrow import Origin
from snowetl.model.payload import CollectorPayload
from tests.collector.samples import UUID, raw_event_record, thrift_record

ORIGIN = Origin("test", "1.0.0", 1_600_000_000_000)
LOADER = ThriftLoader(ORIGIN)
_SCHEMA = "iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/"


def _messages(record: bytes | str, loader: ThriftLoader = LOADER) -> list[dict[str, Any]]:
    rows = loader.load(record)
    assert isinstance(rows, list)
    return [row.data["failure"]["message"] for row in rows]


def test_a_record_becomes_a_payload() -> None:
    assert LOADER.load(thrift_record()) == CollectorPayload(
        vendor="com.snowplowanalytics.snowplow",
        version="tp1",
        querystring=[("e", "pv"), ("page", "Café"), ("p", "web")],
        content_type=None,
        body=None,
        collector="ssc-2.10.0-kinesis",
        encoding="UTF-8",
        hostname="c.example.net",
        timestamp=1_700_000_000_123,
        ip_address="203.0.113.9",
        useragent="Agent/1.0 (X; Y)",
        referer_uri="https://shop.example/",
        headers=["Host: c.example.net", "X-Forwarded-For: 203.0.113.9", f"Cookie: sp={UUID}"],
        network_userid=UUID,
    )


def test_a_post_keeps_its_body_and_an_empty_text_is_not_null() -> None:
    payload = LOADER.load(
        thrift_record(path="/com.acme/v1", querystring=None, body="é", content_type="", useragent="", referer="")
    )
    assert isinstance(payload, CollectorPayload)
    assert (payload.vendor, payload.version) == ("com.acme", "v1")
    assert payload.querystring == []
    assert (payload.body, payload.content_type, payload.useragent, payload.referer_uri) == ("é", "", "", "")


def test_absent_fields() -> None:
    absent = ("ip_address", "timestamp", "collector", "useragent", "referer", "querystring", "headers", "hostname")
    payload = LOADER.load(thrift_record(network_userid=None, **dict.fromkeys(absent)))
    assert isinstance(payload, CollectorPayload)
    assert payload.timestamp == 0
    assert payload.headers == []
    assert payload.ip_address is payload.collector is payload.network_userid is None


@pytest.mark.parametrize("version", ["1-0-1", "1-0-123"])
def test_any_addition_of_the_schema_will_do(version: str) -> None:
    assert isinstance(LOADER.load(thrift_record(schema=_SCHEMA + version)), CollectorPayload)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"schema": ""}, "could not parse schema: INVALID_IGLUURI"),
        ({"schema": _SCHEMA + "1-0-*"}, "could not parse schema: INVALID_IGLUURI"),
        ({"schema": _SCHEMA + "1-0-00"}, "could not parse schema: INVALID_SCHEMAVER"),
        (
            {"schema": _SCHEMA + "1-1-0"},
            f"verifying record as {_SCHEMA}1-0-* failed: found {_SCHEMA}1-1-0",
        ),
        ({"encoding": None}, "error deserializing raw event: Null charset name"),
        ({"encoding": "klingon"}, "error deserializing raw event: klingon"),
        ({"encoding": "klingon", "querystring": None}, "error deserializing raw event: klingon"),
        ({"encoding": ""}, "error deserializing raw event: "),
        (
            {"schema": None},
            'error deserializing raw event: Cannot read field "data" because "snowplowRawEvent.payload" is null',
        ),
    ],
)
def test_faults_of_the_whole_record(changes: dict[str, Any], error: str) -> None:
    assert _messages(thrift_record(**changes)) == [{"error": error}]


def test_each_fault_is_a_bad_row_with_the_whole_record() -> None:
    record = thrift_record(querystring="a=%", path="/x", network_userid="me")
    rows = LOADER.load(record)
    assert isinstance(rows, list)
    assert [row.data["failure"]["message"]["payloadField"] for row in rows] == ["querystring", "path", "networkUserId"]
    assert rows[0].to_dict() == {
        "schema": "iglu:com.snowplowanalytics.snowplow.badrows/collector_payload_format_violation/jsonschema/1-0-0",
        "data": {
            "processor": {"artifact": "test", "version": "1.0.0"},
            "failure": {
                "timestamp": "2020-09-13T12:26:40Z",
                "loader": "thrift",
                "message": {
                    "payloadField": "querystring",
                    "value": "a=%",
                    "expectation": "could not extract name-value pairs from querystring with encoding UTF-8: "
                    "Malformed escape pair at index 20: http://localhost/?a=%",
                },
            },
            "payload": base64.b64encode(record).decode(),
        },
    }


def test_a_record_without_a_path() -> None:
    assert _messages(thrift_record(path=None)) == [
        {"payloadField": "path", "value": None, "expectation": "request does not contain a path"}
    ]


def test_the_canonical_name_of_the_charset_is_told_and_the_message_cleaned() -> None:
    (message,) = _messages(thrift_record(encoding="latin1", querystring="a=\t@1f;\x01 "))
    assert message["expectation"] == (
        "could not extract name-value pairs from querystring with encoding ISO-8859-1: "
        "Illegal character in query at index 20: http://localhost/?a=    @xxxxxx;"
    )


def test_the_legacy_struct() -> None:
    payload = LOADER.load(raw_event_record())
    assert isinstance(payload, CollectorPayload)
    assert (payload.vendor, payload.version) == ("com.snowplowanalytics.snowplow", "tp1")
    assert payload.querystring == [("e", "pp"), ("p", "web")]
    assert payload.timestamp == 1_390_000_000_000
    assert (payload.ip_address, payload.network_userid, payload.hostname) == ("198.51.100.7", UUID, "localhost")


def test_the_legacy_struct_and_its_faults() -> None:
    payload = LOADER.load(raw_event_record(f41={}, f70=None, f80=None))
    assert isinstance(payload, CollectorPayload)
    assert payload.querystring == payload.headers == []
    faults = _messages(raw_event_record(f41={3: "a b"}, f80=""))
    assert [fault["payloadField"] for fault in faults] == ["querystring", "networkUserId"]


def test_base64_is_tried_only_when_asked_for() -> None:
    record = base64.urlsafe_b64encode(thrift_record())
    assert _messages(record) == [{"error": "error deserializing raw event: Unrecognized type 67"}]
    lenient = loader_for("thrift", ORIGIN, try_base64=True)
    assert lenient.load(record) == lenient.load(thrift_record()) == LOADER.load(thrift_record())
    assert lenient.load(record.decode()) == LOADER.load(thrift_record())
    rows = lenient.load(b"no thrift")
    assert isinstance(rows, list)
    assert rows[0].data["payload"] == base64.b64encode(b"no thrift").decode()


def test_user_agents_are_left_alone() -> None:
    assert LOADER.decode_useragent("a%20b+c") == "a%20b+c"
    assert LOADER.binary
    assert LOADER.name == "thrift"


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    st.builds(
        CollectorPayload,
        vendor=st.sampled_from(["com.acme", "com.snowplowanalytics.snowplow"]),
        version=st.sampled_from(["v1", "tp1", "tp2"]),
        querystring=st.lists(st.tuples(_TEXT.filter(bool), st.none() | _TEXT)),
        content_type=st.none() | _TEXT,
        body=st.none() | _TEXT,
        collector=_TEXT,
        encoding=st.just("UTF-8"),
        hostname=st.none() | _TEXT,
        timestamp=st.integers(-(2**63), 2**63 - 1),
        ip_address=st.none() | _TEXT,
        useragent=st.none() | _TEXT,
        referer_uri=st.none() | _TEXT,
        headers=st.lists(_TEXT),
        network_userid=st.none() | st.uuids().map(str),
    )
)
def test_a_payload_that_is_written_is_read_again(payload: CollectorPayload) -> None:
    assert LOADER.load(write_payload(payload)) == payload


@pytest.mark.parametrize("version", ["1-0-2147483648", "1-2147483648-0", "2147483648-0-0", "1-0-" + "2147483648" * 9])
def test_F6_a_schema_version_beyond_32_bits(version: str) -> None:
    number = max(version.split("-"), key=len)
    [message] = _messages(thrift_record(schema=_SCHEMA + version))
    assert message == {"error": f'error deserializing raw event: For input string: "{number}"'}


@pytest.mark.parametrize("version", ["1-0-02147483648", "0-0-1", "1-0"])
def test_F6_a_malformed_version_keeps_its_message(version: str) -> None:
    [message] = _messages(thrift_record(schema=_SCHEMA + version))
    assert message["error"].startswith("could not parse schema: INVALID_")
