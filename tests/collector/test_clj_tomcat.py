"""Logs of the Clojure collector."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.collector.clj_tomcat import CljTomcatLoader
from snowetl.model.badrow import Origin
from snowetl.model.payload import CollectorPayload
from tests.collector.samples import UUID, clj_tomcat_line

LOADER = CljTomcatLoader(Origin("test", "1.0.0", 0))
UNKNOWN = [{"error": "does not match the raw event format"}]
SHORT = clj_tomcat_line(12)
HYPHENS = "\t-\t-\t-"


def _load(line: str) -> CollectorPayload:
    payload = LOADER.load(line)
    assert isinstance(payload, CollectorPayload), payload
    return payload


def _messages(line: str) -> list[dict[str, Any]]:
    rows = LOADER.load(line)
    assert isinstance(rows, list), rows
    return [row.data["failure"]["message"] for row in rows]


def test_a_line_becomes_a_payload() -> None:
    assert _load(clj_tomcat_line()) == CollectorPayload(
        vendor="com.snowplowanalytics.snowplow",
        version="tp2",
        querystring=[("cv", "clj-1.1.0-tom-0.2.0"), ("nuid", UUID)],
        content_type="application/json; charset=UTF-8",
        body='{"é":1}',
        collector="clj-tomcat",
        encoding="UTF-8",
        hostname=None,
        timestamp=1_425_445_567_000,
        ip_address="198.51.100.7",
        useragent="Agent%2F1.0+%28X%3B+Y%29",
        referer_uri="https://shop.example/",
    )


@pytest.mark.parametrize(
    ("tail", "content"),
    [
        ("", (None, None)),
        ("  ", (None, None)),
        ("\tct\tYQ", ("ct", "a")),
        ("\tct\t-", ("ct", None)),
        ("\t-\t-", (None, None)),
        ("\t-\tYQ", ("-", "a")),
        ("\t\tYQ", ("", "a")),
        ("\t\t-", ("", None)),
        (HYPHENS, (None, None)),
        (HYPHENS + "\t\t", (None, None)),
        (HYPHENS + "\tct\tYQ", ("ct", "a")),
        (HYPHENS + "\t-\t-", (None, None)),
        (HYPHENS + "\ta%2Fb+c\t-", ("a/b c", None)),
        (HYPHENS + "\t\tYQ", ("", "a")),
        (HYPHENS + "\tct\t!!!", ("ct", "")),
    ],
)
def test_content_type_and_body(tail: str, content: tuple[str | None, str | None]) -> None:
    payload = _load(SHORT + tail)
    assert (payload.content_type, payload.body) == content


@pytest.mark.parametrize(
    "tail",
    [
        "\t",
        "\tx",
        "\tct\tYQ\t",
        "\ta\tb\tc",
        HYPHENS + "\t",
        HYPHENS + "\tx",
        HYPHENS + "\ta\tb\tc",
        "\t-\t-\tx",
        HYPHENS + "\ta\tb ",
    ],
)
def test_other_tails_are_no_rows(tail: str) -> None:
    assert _messages(SHORT + tail) == UNKNOWN


@pytest.mark.parametrize("line", ["", "#Version: 1.0", " " + SHORT, clj_tomcat_line(11), clj_tomcat_line(location="x")])
def test_other_lines_are_no_rows(line: str) -> None:
    assert _messages(line) == UNKNOWN


def test_only_a_post_has_a_body() -> None:
    fault = "operation must be POST if content type and/or body are provided"
    for tail in ("\tct\tYQ", "\tct\t", HYPHENS + "\t\tYQ"):
        line = clj_tomcat_line(12, method="get") + tail
        assert _messages(line) == [{"payloadField": "verb", "value": "GET", "expectation": fault}]
    for tail in ("", HYPHENS, HYPHENS + "\t-\t-", HYPHENS + "\tct\t-"):
        _load(clj_tomcat_line(12, method="OPTIONS") + tail)
    _load(clj_tomcat_line(method="post"))


def test_a_body_that_is_not_there() -> None:
    assert _messages(SHORT + "\tct\t") == [
        {"payloadField": "body", "value": None, "expectation": "could not base64 decode: null"}
    ]


def test_all_faults_are_told() -> None:
    line = clj_tomcat_line(date="x", query="a b".replace(" ", "|"), path="/x", content_type="%")
    assert [message["payloadField"] for message in _messages(line)] == [
        "dateTime",
        "querystring",
        "path",
        "contentType",
    ]
    assert _messages(line)[3]["expectation"] == (
        "exception URL-decoding (encoding UTF-8): URLDecoder: Incomplete trailing escape (%) pattern"
    )


def test_nothing_is_decoded_twice() -> None:
    payload = _load(clj_tomcat_line(12, query="page=a%2520b", referer="http://a/%2520%", ip="-"))
    assert payload.querystring == [("page", "a%20b")]
    assert payload.referer_uri == "http://a/%2520%"
    assert payload.ip_address is None


@pytest.mark.parametrize(
    ("text", "decoded"), [("Agent%2F1.0+%28X%29", "Agent/1.0 (X)"), ("%2B+%", "+ %"), ("a+" * 500, "a " * 500)]
)
def test_user_agents_are_decoded_once(text: str, decoded: str) -> None:
    assert LOADER.decode_useragent(text) == decoded
