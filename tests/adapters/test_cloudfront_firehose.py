from __future__ import annotations

import json
from base64 import b64encode

import pytest

from tests.adapters.helpers import JSON, adapt, failures, input_data, payload

PATH = "com.amazon.aws.cloudfront/firehose"
ENTRY = {
    "timestamp(ms)": "1772438400123",
    "x-host-header": "shop.example.com",
    "cs-uri-stem": "/tea/green%2520tea",
    "cs-uri-query": "q=a%2520b",
    "cs(User-Agent)": "ClaudeBot/1.0%20(+https://example.com/bot)",
    "cs(Referer)": "https://search.example/?q=%C3%A9",
    "c-ip": "198.18.0.7",
    "sc-status": "200",
}


def record(*entries: object) -> dict[str, str]:
    return {"data": b64encode("\n".join(map(json.dumps, entries)).encode()).decode()}


def request(*records: object) -> str:
    return json.dumps({"requestId": "1", "timestamp": 1772438460000, "records": list(records)})


def test_an_entry_becomes_a_page_view() -> None:
    [made] = adapt(payload(PATH, request(record(ENTRY)), JSON))
    assert made.parameters == {
        "e": "pv",
        "p": "srv",
        "tv": "com.amazon.aws.cloudfront/firehose",
        "aid": "cloudfront",
        "url": "https://shop.example.com/tea/green%20tea?q=a%20b",
        "refr": "https://search.example/?q=%C3%A9",
        "stm": "1772438400123",
        "ua": "ClaudeBot/1.0 (+https://example.com/bot)",
        "ip": "198.18.0.7",
    }


def test_the_context_of_the_delivery_is_not_the_visitor_s() -> None:
    given = payload(PATH, request(record(ENTRY)), JSON, referer_uri="r", network_userid="n")
    context = adapt(given)[0].payload
    assert context.timestamp == given.timestamp
    assert (context.ip_address, context.useragent, context.referer_uri) == (None, None, None)
    assert (context.headers, context.network_userid) == ([], None)


def test_every_entry_of_every_record_is_an_event() -> None:
    entries = [ENTRY | {"cs-uri-stem": f"/{n}"} for n in range(4)]
    body = request(record(entries[0]), record(*entries[1:3]), record(entries[3]))
    made = adapt(payload(PATH, body, JSON))
    assert [one.parameters["url"] for one in made] == [f"https://shop.example.com/{n}?q=a%20b" for n in range(4)]


def test_aid_of_the_query_string() -> None:
    [made] = adapt(payload(PATH, request(record(ENTRY)), f"{JSON}; charset=utf-8", {"aid": "shop"}))
    assert made.parameters["aid"] == "shop"


@pytest.mark.parametrize("empty", ["-", "", None, [], {}, True])
def test_fields_that_are_empty_or_absent_are_not_sent(empty: object) -> None:
    [made] = adapt(payload(PATH, request(record(dict.fromkeys(ENTRY, empty), {})), JSON))[:1]
    assert made.parameters == {"e": "pv", "p": "srv", "tv": "com.amazon.aws.cloudfront/firehose", "aid": "cloudfront"}


def test_the_url_needs_a_host_only() -> None:
    def url(**fields: str) -> str | None:
        entry = {name.replace("_", "-"): value for name, value in fields.items()}
        return adapt(payload(PATH, request(record(entry)), JSON))[0].parameters.get("url")

    assert url(cs_uri_stem="/a", cs_uri_query="b=c") is None
    assert url(x_host_header="tea.example") == "https://tea.example"
    assert url(x_host_header="tea.example", cs_protocol="http", cs_uri_stem="/a") == "http://tea.example/a"
    assert url(x_host_header="tea.example", cs_protocol="wss", cs_uri_stem="/a") == "https://tea.example/a"


def test_a_line_of_a_file_is_one_entry_with_its_own_time() -> None:
    line = {"collector": "ndjson", "timestamp": None}
    [made] = adapt(payload(PATH, json.dumps(ENTRY), None, **line))
    assert (made.payload.timestamp, made.parameters["ip"]) == (1772438400123, "198.18.0.7")
    entry = {"date": "2026-03-02", "time": "08:00:00", "x-host-header": "tea.example"}
    [made] = adapt(payload(PATH, json.dumps(entry), None, **line))
    assert (made.payload.timestamp, made.parameters["stm"]) == (1772438400000, "1772438400000")
    reason = "log entry has no time: neither timestamp(ms) nor date and time"
    assert failures(payload(PATH, "{}", None, **line)) == [input_data("timestamp(ms)", None, reason)]


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "9" * 15, "٣"])
def test_a_time_that_is_none(text: str) -> None:
    found = failures(payload(PATH, request(record({"timestamp(ms)": text})), JSON))
    assert found == [input_data("timestamp(ms)", text, "expected milliseconds since 1970")]


def test_numbers_are_read_as_texts() -> None:
    [made] = adapt(payload(PATH, request(record(ENTRY | {"timestamp(ms)": 1772438400123})), JSON))
    assert made.parameters["stm"] == "1772438400123"


def test_what_is_no_request_of_firehose() -> None:
    assert failures(payload(PATH)) == [input_data("body", None, "empty body: no events to process")]
    assert failures(payload(PATH, "x", "text/plain")) == [
        input_data("contentType", "text/plain", "expected application/json")
    ]
    assert failures(payload(PATH, '{"records":1}', JSON)) == [input_data("records", "1", "expected a list of records")]
    assert failures(payload(PATH, "[]", JSON)) == [input_data("body", "[]", "expected a log entry: a JSON object")]
    assert failures(payload(PATH, request(), JSON)) == [input_data("", None, "empty list of events")]


def test_one_bad_entry_refuses_the_request_and_all_faults_are_told() -> None:
    body = request(record(ENTRY), {"data": "?"}, {}, 1, record([]), {"data": "ew=="}, {"data": "H4sI"})
    found = failures(payload(PATH, body, JSON))
    assert [fault["field"] for fault in found] == [f"records[{index}].data" for index in range(1, 7)]
    assert found[1]["expectation"] == "expected data in base64"
    assert found[3] == input_data("records[4].data", "[]", "expected a log entry: a JSON object")


def test_faults_of_a_request_are_bounded() -> None:
    assert len(failures(payload(PATH, request(*([{}] * 5000)), JSON))) == 1000
