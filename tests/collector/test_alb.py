"""Access logs of load balancers."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.collector.alb import AlbLoader
from snowetl.model.badrow import Origin
from snowetl.model.payload import CollectorPayload
from tests.collector.samples import alb_line

LOADER = AlbLoader(Origin("test", "1.0.0", 0))


def load(line: str) -> CollectorPayload:
    payload = LOADER.load(line)
    assert isinstance(payload, CollectorPayload), payload
    return payload


def messages(line: str) -> list[dict[str, Any]]:
    rows = LOADER.load(line)
    assert isinstance(rows, list), rows
    assert all(row.data["payload"] == line for row in rows)
    return [row.data["failure"]["message"] for row in rows]


def test_a_line_becomes_a_payload() -> None:
    assert load(alb_line()) == CollectorPayload(
        vendor="com.snowplowanalytics.snowplow",
        version="tp1",
        querystring=[("e", "pv"), ("page", "Hello there"), ("p", "web")],
        content_type=None,
        body=None,
        collector="alb",
        encoding="UTF-8",
        hostname="c.example.net",
        timestamp=1772438400123,
        ip_address="198.51.100.7",
        useragent="Agent/1.0 (X; Y)",
        referer_uri=None,
    )


def test_lines_of_all_years() -> None:
    whole = load(alb_line())
    assert load(alb_line(rest='"forward"')) == whole
    assert load(alb_line(rest='"forward" "-" "-" "-" "-" "-" "-" TID_1 "c.example.net" "/i" "-" more')) == whole
    at_the_end = load(alb_line(received="-", rest=""))  # without the time of the request, that of the answer counts
    assert at_the_end == whole.replaced(timestamp=1772438401654)
    assert load(alb_line("")) == at_the_end


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("2026-03-02T08:00:00.123456Z", 1772438400123),
        ("2026-03-02T08:00:00.123Z", 1772438400123),
        ("2026-03-02T08:00:00Z", 1772438400000),
        ("2026-03-02T08:00:00.1Z", 1772438400100),
        ("2026-03-02T09:00:00.5+01:00", 1772438400500),
        ("2026-3-2T8:00:00.123456Z", 1772438400123),
    ],
)
def test_times(text: str, millis: int) -> None:
    assert load(alb_line(received=text)).timestamp == millis


@pytest.mark.parametrize("text", ["2026-02-30T08:00:00.123456Z", "2026-03-02T25:00:00.123456Z", "x", "T", "1772438400"])
def test_what_is_no_time_is_a_fault(text: str) -> None:
    [message] = messages(alb_line(received=text))
    assert (message["payloadField"], message["value"]) == ("dateTime", text)
    assert message["expectation"].startswith("could not convert timestamp: ")


@pytest.mark.parametrize("kind", ["http", "https", "h2", "grpcs", "ws", "wss"])
def test_every_kind_of_connection(kind: str) -> None:
    assert load(alb_line(kind)) == load(alb_line())


@pytest.mark.parametrize(
    ("client", "address"),
    [
        ("198.51.100.7:1", "198.51.100.7"),
        ("[2001:db8::7]:1", "2001:db8::7"),
        ("2001:db8::7:1", "2001:db8::7"),
        ("198.51.100.7", "198.51.100.7"),
        ("-", None),
        ("-:-", None),
    ],
)
def test_the_client_is_an_address_with_a_port(client: str, address: str | None) -> None:
    assert load(alb_line(client=client)).ip_address == address


def test_the_user_agent_is_unescaped_once() -> None:
    text = load(alb_line(useragent=r'"Say \x22hi\x22 \xc3\xa9 %20+"')).useragent
    assert text == r"Say \x22hi\x22 \xc3\xa9 %20+"
    assert LOADER.decode_useragent(text) == 'Say "hi" é %20+'
    assert load(alb_line(useragent='"-"')).useragent is None


def test_a_query_is_not_decoded_twice() -> None:
    request = '"GET https://c.example.net:443/i?page=a%2520b HTTP/1.1"'
    assert load(alb_line(request=request)).querystring == [("page", "a%20b")]


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS"])
def test_other_methods_have_no_body_in_the_log(method: str) -> None:
    request = f'"{method} https://c.example.net:443/com.snowplowanalytics.snowplow/tp2 HTTP/1.1"'
    assert messages(alb_line(request=request)) == [
        {"payloadField": "verb", "value": method, "expectation": "operation must be GET"}
    ]


def test_all_faults_of_a_request_are_told() -> None:
    line = alb_line(request='"GET https://c.example.net:443/health?a=%2 HTTP/1.1"', received="yesterday")
    assert [message["payloadField"] for message in messages(line)] == ["dateTime", "querystring", "path"]


@pytest.mark.parametrize("request_line", ['"- - -"', '"GET /i?e=pv HTTP/1.1"', '"GET"', '""'])
def test_a_request_that_was_not_understood(request_line: str) -> None:
    assert messages(alb_line(request=request_line)) == [{"error": "the load balancer could not read the request"}]


@pytest.mark.parametrize(
    "line", ["x", "a b c", alb_line().replace('"', ""), alb_line()[:150], '"' * 9, alb_line()[6:90]]
)
def test_other_lines_are_bad_rows(line: str) -> None:
    assert messages(line) == [{"error": "does not match the row format of load balancers"}]


def test_an_empty_line_is_discarded() -> None:
    assert LOADER.load("") is None
