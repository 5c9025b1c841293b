"""The whole corridor of one record, without Spark, on the schemas inside the package."""

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowetl import BadRow, EnrichConfig, EnrichedEvent, Enricher
from snowetl.errors import ConfigError
from snowetl.jvm.jsontext import MAX_DEPTH
from tests.collector.samples import thrift_record
from tests.growth import assert_linear

UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
STAMP = 1_767_323_045_678
LINE = "2026-01-02\t03:04:05\tLHR3\t43\t198.51.100.7\tGET\td1.example.net\t{path}\t200\t{referer}\tMozilla/5.0\t{query}"


def enricher(input_format="cloudfront", **options):
    config = EnrichConfig.load(input_format=input_format, etl_tstamp=STAMP, processor=("snowetl", "1.0.0"), **options)
    return Enricher(config)


def line(query, path="/i", referer="-"):
    return LINE.format(path=path, query=query, referer=referer)


@pytest.fixture(scope="module")
def cloudfront():
    return enricher()


def test_a_page_view_becomes_an_event(cloudfront):
    (event,) = cloudfront.process(line("e=pv&p=web&tv=js-3&aid=shop&url=https%3A%2F%2Facme.com%2Fa%3Futm_source%3Dx"))
    assert isinstance(event, EnrichedEvent)
    assert event["event_name"] == "page_view"
    assert event["etl_tstamp"] == "2026-01-02 03:04:05.678"
    assert event["collector_tstamp"] == "2026-01-02 03:04:05.000"
    assert event["page_urlhost"] == "acme.com"
    assert event["v_etl"] == "snowetl-1.0.0"
    assert event.to_tsv().count("\t") == 130
    assert event.to_dict()["app_id"] == "shop"


def test_header_lines_are_discarded_and_nonsense_is_a_bad_row(cloudfront):
    assert list(cloudfront.process("#Version: 1.0")) == []
    (row,) = cloudfront.process("nonsense")
    assert isinstance(row, BadRow)
    assert row.type == "collector_payload_format_violation"
    assert json.loads(row.to_json())["data"]["failure"]["timestamp"] == "2026-01-02T03:04:05.678Z"


def test_ids_are_derived_from_the_record_and_its_place(cloudfront):
    record = line("e=pv&p=web")
    first = next(cloudfront.process(record, "log.gz", 5))["event_id"]
    assert next(cloudfront.process(record, "log.gz", 5))["event_id"] == first
    assert next(cloudfront.process(record, "log.gz", 6))["event_id"] != first
    assert next(cloudfront.process(record, "other.gz", 5))["event_id"] != first
    assert first[14] == "4"


@pytest.mark.parametrize("collector", ["", "a\tb", "a\r\nb"])
def test_F4_bad_rows_show_the_collector_as_sent(collector):
    def result(more):
        record = thrift_record(collector=collector, querystring=f"e=pv&p=web{more}")
        return next(iter(enricher("thrift").process(record)))

    good, bad = result("" if collector else "&cv=x"), result("&tid=x")
    assert isinstance(bad, BadRow)
    assert bad.data["payload"]["enriched"]["v_collector"] == collector
    assert isinstance(good, EnrichedEvent)
    assert good["v_collector"] == {"": "x", "a\tb": "a    b", "a\r\nb": "ab"}[collector]


@pytest.mark.parametrize("inner", ["[]", "1.5", '"\\ud800"'])
def test_F2_deep_events_go_through_and_deeper_ones_are_bad_rows(cloudfront, inner):
    def results(levels):
        data = '{"targetUrl":"x","elementContent":' + "[" * levels + inner + "]" * levels + "}"
        schema = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1"
        event = f'{{"schema":"{UNSTRUCT}","data":{{"schema":"{schema}","data":{data}}}}}'
        return cloudfront.process(line("e=ue&p=web&ue_px=" + base64.urlsafe_b64encode(event.encode()).decode()))

    (row,) = results(MAX_DEPTH - 4)
    assert row.type == "schema_violations"  # a text was expected
    assert row.to_json().count("[" * (MAX_DEPTH - 4)) == 1
    (row,) = results(MAX_DEPTH - 1)
    assert row.type == "enrichment_failures"
    assert row.data["failure"]["messages"][0]["message"]["expectation"] == (
        f"invalid json: nested deeper than {MAX_DEPTH} levels"
    )


def test_the_referer_stands_in_for_a_missing_page_url(cloudfront):
    (event,) = cloudfront.process(line("e=pv&p=web", referer="http://acme.com/x"))
    assert event["page_url"] == "http://acme.com/x"


def test_failures_of_later_steps_come_first(cloudfront):
    (row,) = cloudfront.process(line("e=pv&cv=&url=http%3A%2F%2Fx.com%2F%3F_sp%3Da.b"))
    fields = [message["message"]["field"] for message in row.data["failure"]["messages"]]
    assert fields == ["sp_dtm", "v_collector"]


def test_an_event_that_waited_is_dated_back(cloudfront):
    (event,) = cloudfront.process(line("e=pv&dtm=1767322000000&stm=1767322060000"))
    assert event["derived_tstamp"] == "2026-01-02 03:03:05.000"


def test_an_unknown_event_type_says_what_is_known(cloudfront):
    (row,) = cloudfront.process(line("e=ad"))
    expectation = row.data["failure"]["messages"][0]["message"]["expectation"]
    assert "any of page_view, page_ping, struct" in expectation


def test_results_too_large_become_size_violations():
    limited = enricher(max_record_bytes=600)
    (small,) = limited.process(line("e=pv&p=web"))
    assert isinstance(small, EnrichedEvent)
    (large,) = limited.process(line("e=pv&p=web&page=" + "x" * 1000))
    assert large.type == "size_violation"


def test_long_columns_fail_unless_accepted():
    (row,) = enricher().process(line("e=pv&tv=" + "s" * 101))
    assert row.type == "enrichment_failures"
    (event,) = enricher(accept_invalid=True).process(line("e=pv&tv=" + "s" * 101))
    assert event["v_tracker"] == "s" * 101


@pytest.mark.parametrize(
    "options",
    [
        {"input_format": "cloudfrnt"},
        {"on_registry_failure": "ignore"},
        {"atomic_limits": {"nothing": 1}},
        {"adapter_schemas": {"callrail": {"call_complete": "no uri"}}},
        {"remote_adapters": {"configs": 1}},
        {"enrichments": "/no/such/folder"},
        {"resolver": "/no/such/file.json"},
    ],
)
def test_what_cannot_be_used_is_refused_before_any_record(options):
    with pytest.raises(ConfigError):
        enricher(**options)


def test_explain_tells_every_step(cloudfront):
    stages = [stage for stage, _ in cloudfront.explain(line("e=pv&p=web"))]
    assert stages[:2] == ["payload", "raw event"]
    assert "step page_uri" in stages
    assert stages[-1] == "event"
    assert next(iter(cloudfront.explain("nonsense")))[0] == "loader"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text())
def test_any_text_ends_as_event_bad_row_or_discard(cloudfront, text):
    for result in cloudfront.process(text):
        assert isinstance(result, (EnrichedEvent, BadRow))
        json.dumps(result.to_json() if isinstance(result, BadRow) else result.to_tsv())


PARAMETERS = st.dictionaries(
    st.sampled_from(
        [
            "e",
            "p",
            "tv",
            "aid",
            "eid",
            "url",
            "refr",
            "page",
            "co",
            "ue_pr",
            "dtm",
            "stm",
            "ttm",
            "tid",
            "res",
            "ip",
            "ua",
            "cv",
            "cx",
            "ue_px",
            "se_va",
            "nuid",
        ]
    ),
    st.text() | st.sampled_from(["pv", "ue", "se", "http://x.com/?_sp=.", '{"schema":"iglu:a/b/c/1-0-0","data":{}}']),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(PARAMETERS)
def test_any_parameters_end_as_one_result(cloudfront, parameters):
    from urllib.parse import urlencode

    query = urlencode({name: value.encode("utf-8", "replace") for name, value in parameters.items()}) or "e=pv"
    results = list(cloudfront.process(line(query)))
    assert len(results) == 1
    assert getattr(results[0], "type", "") != "generic_error"


@pytest.mark.parametrize(
    "body",
    [
        lambda size: "[" * size,
        lambda size: '{"a":' * (size // 5),
        lambda size: '"' + "\\u0041" * (size // 6) + '"',
        lambda size: "1" * size,
        lambda size: "[" + "{}," * (size // 3),
    ],
    ids=["lists", "objects", "escapes", "a number", "items"],
)
def test_a_hostile_body_takes_linear_time(body):
    webhook = enricher("ndjson/com.snowplowanalytics.iglu/v1")

    def work(size):
        record = body(size)
        return lambda: list(webhook.process(record))

    assert work(1000)()
    assert_linear(work, 400_000)


def test_a_record_of_storage_knows_its_number(cloudfront):
    from snowetl.storage import Record

    [bare], [numbered] = (
        list(cloudfront.process(given, "file", number))
        for given, number in ((line("e=pv&p=web"), 7), (Record(line("e=pv&p=web"), 7), 0))
    )
    assert bare["event_id"] == numbered["event_id"]
    assert list(cloudfront.explain(Record(line("e=pv"), 7), "file"))


@pytest.mark.parametrize("wrong", [None, 7, ["a line"], {"record": 1}])
def test_what_is_not_a_record_is_refused(cloudfront, wrong):
    with pytest.raises(ConfigError, match="A record is bytes"):
        cloudfront.process(wrong)
