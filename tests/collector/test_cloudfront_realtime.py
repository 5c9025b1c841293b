"""Real-time logs of CloudFront."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.collector import loader_for
from snowetl.model.badrow import Origin
from snowetl.model.payload import CollectorPayload
from tests.collector.samples import realtime_row

ORIGIN = Origin("test", "1.0.0", 0)
CHOSEN = "cloudfront-realtime/timestamp,c-ip,cs-method,cs-uri-stem,cs-user-agent"


def load(line: str, input_format: str = "cloudfront-realtime") -> CollectorPayload:
    payload = loader_for(input_format, ORIGIN).load(line)
    assert isinstance(payload, CollectorPayload), payload
    return payload


def message(line: str, input_format: str = "cloudfront-realtime") -> dict[str, Any]:
    rows = loader_for(input_format, ORIGIN).load(line)
    assert isinstance(rows, list), rows
    [row] = rows
    found: dict[str, Any] = row.data["failure"]["message"]
    return found


def test_a_row_of_all_fields() -> None:
    payload = load(realtime_row())
    assert payload.querystring == [("e", "pv"), ("page", "Hello there"), ("p", "web")]
    assert (payload.timestamp, payload.ip_address) == (1772438400123, "203.0.113.9")
    assert (payload.useragent, payload.collector) == ("Agent/1.0%20(X;%20Y)", "cloudfront")
    assert payload.referer_uri == "https://shop.example/a%20b"


def test_later_fields_follow() -> None:
    assert load(realtime_row() + "\t0.1\t0.2\t64500") == load(realtime_row())


def test_a_row_of_chosen_fields_has_its_query_in_the_path() -> None:
    payload = load("1772438400.123\t198.51.100.7\tGET\t/i?e=pp&p=web\tAgent", CHOSEN)
    assert (payload.querystring, payload.useragent) == ([("e", "pp"), ("p", "web")], "Agent")


@pytest.mark.parametrize("count", [1, 4, 6])
def test_a_row_of_another_length_is_a_bad_row(count: int) -> None:
    assert message("\t".join("x" * count), CHOSEN) == {"error": f"row has {count} columns, expected 5"}


def test_a_row_with_fewer_than_all_fields_says_how_to_name_them() -> None:
    found = message("1772438400.123\t/i")["error"]
    assert found == (
        "row has 2 columns, expected at least 40; name those of the log as cloudfront-realtime/<field>,<field>,..."
    )


def test_other_requests_are_bad_rows() -> None:
    assert message(realtime_row(cs_method="HEAD"))["payloadField"] == "verb"
    assert message(realtime_row(cs_uri_stem="/robots.txt"))["payloadField"] == "path"
    assert loader_for("cloudfront-realtime", ORIGIN).load("") is None
