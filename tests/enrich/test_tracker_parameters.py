import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from snowetl.enrich.tracker_parameters import CONTEXTS, fill_columns
from snowetl.model.event import EnrichedEvent


def run(parameters):
    event = EnrichedEvent()
    parsed, failures = fill_columns(parameters, event.texts)
    return event, parsed, [failure["message"] for failure in failures]


def test_parameters_become_columns():
    event, _, failures = run({"e": "pv", "p": "web", "tv": "js-3", "res": "10x20", "f_pdf": "1", "page": "T\tx"})
    assert not failures
    assert event["event"] == "page_view"
    assert (event["dvce_screenwidth"], event["dvce_screenheight"]) == ("10", "20")
    assert event["page_title"] == "T    x"


def test_unknown_and_valueless_parameters_are_ignored():
    event, _, failures = run({"zz": "1", "aid": None})
    assert not failures
    assert event.to_tsv() == "\t" * 130


def test_failures_come_in_map_order_and_write_nothing():
    event, _, failures = run(
        {"e": "xx", "vid": "abc", "res": "1x", "f_pdf": "true", "eid": "nope", "tv": "1", "p": "web"}
    )
    assert [failure["field"] for failure in failures] == ["e", "vid", "eid", "f_pdf", "res"]
    assert event["event"] is None
    assert event["platform"] == "web"


def test_of_twins_the_later_in_map_order_wins():
    many = {"e": "se", "p": "web", "tv": "1"}
    assert run({"se_la": "a", "ev_la": "b", **many})[0]["se_label"] == "b"
    assert run({"ev_la": "b", "se_la": "a"})[0]["se_label"] == "a"
    encoded = base64.b64encode(b'{"b":1}').decode()
    assert run({"cx": encoded, "co": '{"a":1}', **many})[0]["contexts"] == '{"b":1}'


def test_tnuid_beats_nuid():
    assert run({"tnuid": "t", "nuid": "n"})[0]["network_userid"] == "t"


def test_an_empty_parameter_wipes_a_default():
    event = EnrichedEvent()
    event["v_collector"] = "default"
    fill_columns({"cv": ""}, event.texts)
    assert event["v_collector"] is None


def test_json_columns_are_compacted_and_parsed():
    event, parsed, _ = run({"co": ' { "a" : 1.00 } '})
    assert event["contexts"] == '{"a":1.00}'
    assert parsed[CONTEXTS] == {"a": 1.0}


def test_bad_base64_json_reports_the_encoded_text():
    _, _, failures = run({"cx": "Zm9v"})
    assert failures == [
        {"field": "cx", "value": "Zm9v",
         "expectation": "invalid json: expected false got 'foo' (line 1, column 1)"}
    ]  # fmt: skip


@given(st.dictionaries(st.sampled_from(["e", "p", "co", "cx", "ue_px", "tid", "res", "dtm", "ip", "aid", "se_va"]),
                       st.none() | st.text() | st.integers().map(str), max_size=11))  # fmt: skip
def test_any_parameters_convert_or_fail_as_values(parameters):
    event, _, failures = run(parameters)
    assert len(event.texts) == 131
    json.dumps(failures)
    assert not any("\t" in value or "\n" in value for value in event.texts)
