"""CloudFront access logs."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.collector.cloudfront import CloudfrontLoader
from snowetl.model.badrow import Origin
from snowetl.model.payload import CollectorPayload
from tests.collector.samples import cloudfront_line

LOADER = CloudfrontLoader(Origin("test", "1.0.0", 0))
UNKNOWN = [{"error": "does not match header or data row formats"}]


def _load(line: str) -> CollectorPayload:
    payload = LOADER.load(line)
    assert isinstance(payload, CollectorPayload), payload
    return payload


def _messages(line: str | bytes) -> list[dict[str, Any]]:
    rows = LOADER.load(line)
    assert isinstance(rows, list), rows
    assert all(row.data["payload"] == rows[0].data["payload"] for row in rows)
    return [row.data["failure"]["message"] for row in rows]


def test_a_line_becomes_a_payload() -> None:
    assert _load(cloudfront_line()) == CollectorPayload(
        vendor="com.snowplowanalytics.snowplow",
        version="tp1",
        querystring=[("e", "pv"), ("page", "Hello there"), ("p", "web")],
        content_type=None,
        body=None,
        collector="cloudfront",
        encoding="UTF-8",
        hostname=None,
        timestamp=1_709_210_096_000,
        ip_address="203.0.113.9",
        useragent="Agent/1.0%20(X;%20Y)",
        referer_uri="https://shop.example/a%20b",
    )


@pytest.mark.parametrize("header", ["#Version: 1.0", "#Fields: date time", "#Version:", b"#Fields:"])
def test_headers_are_discarded(header: str | bytes) -> None:
    assert LOADER.load(header) is None


@pytest.mark.parametrize("line", ["", " ", "# Version: 1.0", " #Version: 1.0", "#version: 1.0", "not a row"])
def test_other_lines_are_no_rows(line: str) -> None:
    assert _messages(line) == UNKNOWN


@pytest.mark.parametrize("separator", ["\t", " ", "  ", " \t\x0b\f"])
def test_columns_through_the_years(separator: str) -> None:
    for columns in range(1, 25):
        line = cloudfront_line(columns, separator)
        is_row = columns in (12, 15, 18, 19) or columns >= 23
        if columns in (14, 17, 22) and len(separator) > 1:
            is_row = True  # then the 13th column is read as empty
        assert isinstance(LOADER.load(line), CollectorPayload) == is_row, columns
    assert _load(cloudfront_line(24, separator) + separator + "more " * 20).ip_address == "203.0.113.9"


@pytest.mark.parametrize("columns", [12, 15, 18, 19])
def test_old_rows_end_with_their_last_column(columns: int) -> None:
    assert _messages(cloudfront_line(columns) + " ") == UNKNOWN
    assert _messages(" " + cloudfront_line(columns)) == UNKNOWN


def test_new_rows_may_go_on() -> None:
    for columns in (23, 24):
        for more in (" ", "\t-", " é\t"):
            _load(cloudfront_line(columns) + more)
        for more in ("\n", "\t\x85", " \u2028", "\r\n"):
            assert _messages(cloudfront_line(columns) + more) == UNKNOWN


@pytest.mark.parametrize("columns", [15, 18, 19, 23])
def test_an_empty_cookie(columns: int) -> None:
    payload = _load(cloudfront_line(columns, cookie=""))
    assert payload.querystring[0] == ("e", "pv")
    assert payload.ip_address == ("203.0.113.9" if columns == 23 else "198.51.100.7")


def test_with_columns_enough_an_empty_cookie_shifts_the_others() -> None:
    assert _load(cloudfront_line(24, cookie="", ssl="192.0.2.5")).ip_address == "192.0.2.5"


def test_an_empty_cookie_needs_two_blanks() -> None:
    for columns in (15, 18, 23):
        assert _messages(cloudfront_line(columns, cookie="").replace("\t\t", "\t")) == UNKNOWN


@pytest.mark.parametrize(("method", "shown"), [("POST", "POST"), ("head", "HEAD"), ("straße", "STRASSE")])
def test_other_methods(method: str, shown: str) -> None:
    fault = {"payloadField": "verb", "value": shown, "expectation": "operation must be GET"}
    for columns in (12, 13, 24):
        assert _messages(cloudfront_line(columns, method=method)) == [fault]
    assert _messages(cloudfront_line(11, method=method)) == UNKNOWN


def test_the_method_may_be_in_small_letters_and_escapes_the_check_behind_a_line_end() -> None:
    _load(cloudfront_line(method="get"))
    _load(cloudfront_line(15, method="POST", cookie="\x85"))


def test_dashes_are_null() -> None:
    payload = _load(cloudfront_line(ip="-", forwarded_for="-", referer="-", useragent="-", query="-"))
    assert payload.ip_address is payload.referer_uri is payload.useragent is None
    assert payload.querystring == []


@pytest.mark.parametrize(
    ("referer", "uri"),
    [
        ("http://a/%", "http://a/"),
        ("%", ""),
        ("%%", "%"),
        ("http://a/50%2525", "http://a/50%25"),
        ("%25", "%25"),
        ("a%2541", "a%41"),
    ],
)
def test_referers(referer: str, uri: str) -> None:
    assert _load(cloudfront_line(referer=referer)).referer_uri == uri


def test_the_address_is_taken_as_it_is() -> None:
    for address in ("2001:db8::1", "198.51.100.7:8080", "x"):
        assert _load(cloudfront_line(19, ip=address)).ip_address == address


def test_all_faults_are_told() -> None:
    assert [
        message["payloadField"] for message in _messages(cloudfront_line(date="x", query="a=%", path="/robots.txt"))
    ] == ["dateTime", "querystring", "path"]


def test_bytes_are_decoded() -> None:
    assert _load(cloudfront_line(useragent="é")).useragent == "é"
    payload = LOADER.load(cloudfront_line(useragent="@").encode().replace(b"@", b"\xed\xa0\x80\xff"))
    assert isinstance(payload, CollectorPayload)
    assert payload.useragent == "\ufffd\ufffd"
    assert _messages(b"\xff") == UNKNOWN


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("Agent/1.0%20(X;%20Y)", "Agent/1.0 (X; Y)"),
        ("a+b%2B", "a+b+"),
        ("%C3%A9%FF", "é\ufffd"),
        ("%", "%"),
        ("%zz%41%4", "%zzA%4"),
        ("%2541", "%41"),
        ("x%20" * 1000, "x " * 1000),
    ],
)
def test_user_agents_are_decoded_once(text: str, decoded: str) -> None:
    assert LOADER.decode_useragent(text) == decoded
