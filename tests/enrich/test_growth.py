"""What a record made to cost much may cost: linear time, one event in memory, bounded rows (faults H1 and H2)."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snowetl import BadRow, EnrichConfig, Enricher
from snowetl.collector import thrift_reader as reader
from snowetl.collector.thrift_writer import SCHEMA, write_struct
from snowetl.enrich.event_id import RecordPlace
from snowetl.version import compiled
from tests.growth import assert_linear

FIXTURES = Path(__file__).parents[2] / "fixtures"
PAYLOAD_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
PAGE_VIEW = {"e": "pv", "p": "web", "tv": "x"}


def post(events: list[dict[str, str]], querystring: str | None = None) -> bytes:
    return write_struct(
        {
            reader.IP_ADDRESS: "198.18.0.7",
            reader.TIMESTAMP: 1_700_000_000_000,
            reader.ENCODING: "UTF-8",
            reader.COLLECTOR: "c",
            reader.PATH: "/com.snowplowanalytics.snowplow/tp2",
            reader.QUERYSTRING: querystring,
            reader.BODY: json.dumps({"schema": PAYLOAD_DATA, "data": events}, separators=(",", ":")),
            reader.CONTENT_TYPE: "application/json",
            reader.SCHEMA: SCHEMA,
        }
    )


def with_contexts(items: list[Any]) -> bytes:
    return post([{**PAGE_VIEW, "co": json.dumps({"schema": CONTEXTS, "data": items}, separators=(",", ":"))}])


def enricher(**options: Any) -> Enricher:
    resolver = FIXTURES / "resolver.json"
    return Enricher(EnrichConfig.load(resolver=resolver, input_format="thrift", etl_tstamp=0, **options))


def web_page(data: Any) -> dict[str, Any]:
    return {"schema": "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0", "data": data}


SHAPES = {
    "events without eid": lambda n: post([PAGE_VIEW] * 8 * n),
    "huge exponents": lambda n: post([{**PAGE_VIEW, "tr_tt": "1e9999", "tr_tx": "1e9999", "tr_sh": "1e9999"}] * n),
    "refused exponents": lambda n: post([{**PAGE_VIEW, "tr_tt": "1e99999"}] * n),
    "entities that are none": lambda n: with_contexts([1] * 100 * n),
    "unknown schemas": lambda n: with_contexts(
        [{"schema": f"iglu:com.acme/n{i}/jsonschema/1-0-0", "data": {}} for i in range(n)]
    ),
    "invalid entities": lambda n: with_contexts([web_page({"a": 1})] * 2 * n),
    "an entity with many faults": lambda n: with_contexts(
        [web_page(dict.fromkeys((f"{n}_{i}" for i in range(20 * n)), 1))]
    ),
    "a long query string for many events": lambda n: post([PAGE_VIEW] * n, "page=" + "x" * 10_000),
}


def consume(work: Enricher, record: bytes) -> None:
    """Make all results, as lines, one after the other."""
    for result in work.process(record):
        if isinstance(result, BadRow):
            result.to_json()
        else:
            result.to_tsv()


@pytest.mark.parametrize("shape", SHAPES)
def test_H1_time_grows_with_the_record(shape: str) -> None:
    def prepare(size: int) -> Callable[[], None]:
        record = SHAPES[shape](size)
        return lambda: consume(enricher(), record)  # a new one each time: memos must not help

    assert_linear(prepare, 2400, shape)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_H2_one_result_is_held_at_a_time(shape: str) -> None:
    record = SHAPES[shape](2000)
    work = enricher()
    consume(work, SHAPES[shape](10))
    tracemalloc.start()
    try:
        consume(work, record)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * len(record) + (16 << 20)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["entities that are none", "invalid entities", "an entity with many faults"])
def test_H2_a_bad_row_has_a_bounded_number_of_reports(shape: str) -> None:
    record = SHAPES[shape](4000)
    (row,) = enricher().process(record)
    assert isinstance(row, BadRow)
    assert len(row.to_json()) < 4 * len(record) + (1 << 20)
    assert "further reports are left out" in row.to_json() or "more entities are not looked at" in row.to_json()


def test_H2_what_one_record_becomes_is_bounded() -> None:
    record = post([PAGE_VIEW] * 200, "page=" + "x" * 1500)
    *events, last = enricher(max_output_bytes=150_000).process(record)
    assert isinstance(last, BadRow)
    assert not any(isinstance(event, BadRow) for event in events)
    assert last.type == "size_violation"
    failure = last.data["failure"]
    assert failure["maximumAllowedSizeBytes"] == 150_000 < failure["actualSizeBytes"] < 152_000
    assert failure["expectation"] == (
        f"the first {len(events)} of 200 events of one record already exceed the maximum allowed size 150000 bytes "
        f"of all its results; the other {200 - len(events)} are left out"
    )
    assert last.data["payload"] == base64.b64encode(record).decode()
    assert len(list(enricher().process(record))) == 200


def test_results_are_made_when_they_are_asked_for() -> None:
    results = enricher().process(post([PAGE_VIEW] * 5000))
    assert next(results)["event"] == "page_view"
    assert sum(1 for _ in results) == 4999


@pytest.mark.skipif(compiled(), reason="a method of a compiled class cannot be replaced")
def test_an_event_nobody_foresaw_does_not_take_the_others_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    work = enricher()
    enrich = work._manager.enrich

    def fail(raw: Any, *rest: Any) -> Any:
        if raw.parameters.get("aid") == "2":
            raise ZeroDivisionError
        return enrich(raw, *rest)

    monkeypatch.setattr(work._manager, "enrich", fail)
    results = list(work.process(post([{**PAGE_VIEW, "aid": str(i)} for i in range(4)])))
    assert [getattr(result, "type", "event") for result in results] == ["event", "event", "generic_error", "event"]


def test_ids_are_those_of_earlier_releases() -> None:
    place = RecordPlace(b"record", "file.gz", 7)
    assert place.event_id(0) == "f4b9b780-4e60-421b-9ac5-febe5717f0bb"
    assert place.event_id(12) == "870a6dbf-748d-4176-a4e3-df33fb6c83c3"
    assert RecordPlace("line é\ud800", "", 0).event_id(3) == "2ac3a5db-f603-40d3-b641-5cfe5df02c07"
