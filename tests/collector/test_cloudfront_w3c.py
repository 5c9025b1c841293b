"""Standard logging v2 of CloudFront in W3C form: columns by the names in the header line."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.collector import loader_for
from snowetl.collector.cloudfront_json import CloudfrontJsonLoader
from snowetl.model.badrow import Origin
from snowetl.model.payload import CollectorPayload
from snowetl.storage.records import LONGEST_HEADER
from tests.collector.samples import REQUEST, cloudfront_object, cloudfront_row

ORIGIN = Origin("test", "1.0.0", 0)
LOADER = loader_for("cloudfront-w3c", ORIGIN)


def messages(record: str) -> list[dict[str, Any]]:
    rows = LOADER.load(record)
    assert isinstance(rows, list), rows
    assert all(row.data["payload"] == record for row in rows)
    return [row.data["failure"]["message"] for row in rows]


@pytest.mark.parametrize("separator", ["\t", " ", "  "])
def test_a_row_says_what_an_object_says(separator: str) -> None:
    as_object = CloudfrontJsonLoader(ORIGIN).load(cloudfront_object())
    row = cloudfront_row(*(name for name in REQUEST if name != "x-forwarded-for"), separator=separator)
    loaded = LOADER.load(row)
    assert isinstance(loaded, CollectorPayload)
    assert isinstance(as_object, CollectorPayload)
    assert loaded == as_object.replaced(ip_address="198.51.100.7")


def test_the_order_of_columns_is_the_header_s() -> None:
    forwards, backwards = list(REQUEST), list(reversed(REQUEST))
    assert LOADER.load(cloudfront_row(*forwards)) == LOADER.load(cloudfront_row(*backwards))


@pytest.mark.parametrize("line", ["", "#Version: 1.0", "#Fields: date time"])
def test_headers_and_empty_lines_are_discarded(line: str) -> None:
    assert LOADER.load(line) is None


def test_without_a_header_the_format_names_the_fields() -> None:
    line = cloudfront_row("timestamp(ms)", "cs-uri-stem", "c-ip", header=False)
    payload = loader_for("cloudfront-w3c/timestamp(ms), cs-uri-stem, c-ip", ORIGIN).load(line)
    assert isinstance(payload, CollectorPayload)
    assert (payload.timestamp, payload.ip_address) == (1772438400123, "198.51.100.7")
    [message] = messages(line)
    assert message["error"].startswith("no #Fields: line before it names its columns; name them as cloudfront-w3c/")


@pytest.mark.parametrize("row", ["a", "a\tb\tc", "a b c", "\t\t", "#x\ty\t"])
def test_a_row_of_another_length_is_a_bad_row(row: str) -> None:
    [message] = messages(f"#Fields: date time\n{row}")
    assert message["error"].endswith("columns, but 2 are named")


def test_a_header_with_too_few_fields() -> None:
    assert [message["payloadField"] for message in messages("#Fields: c-ip\n198.51.100.7")] == ["dateTime", "path"]


def test_a_header_as_long_as_any_is_read() -> None:
    names = ["cs-uri-stem", "timestamp"] + ["x"] * ((LONGEST_HEADER - 40) // 2)
    values = ["/i", "1772438400"] + ["-"] * (len(names) - 2)
    assert isinstance(LOADER.load(f"#Fields: {' '.join(names)}\n" + "\t".join(values)), CollectorPayload)
