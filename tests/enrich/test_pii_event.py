"""The further event that tells what was pseudonymised."""

from __future__ import annotations

import base64
import json
from typing import Any

from snowetl import EnrichConfig, Enricher

PII = "iglu:com.snowplowanalytics.snowplow.enrichments/pii_enrichment_config/jsonschema/2-0-0"
QUERY = "e=pv&p=web&tv=js-3&aid=shop&uid=ada"
LINE = f"2026-03-02\t08:00:00\tLHR61-C1\t43\t198.18.0.7\tGET\td1.example.net\t/i\t200\t-\tMozilla/5.0\t{QUERY}"


def results(emit: bool, pii_events: bool) -> list[Any]:
    strategy = {"pseudonymize": {"hashFunction": "MD5", "salt": "oolong"}}
    data = {
        "vendor": "com.snowplowanalytics.snowplow.enrichments",
        "name": "pii_enrichment_config",
        "enabled": True,
        "emitEvent": emit,
        "parameters": {"pii": [{"pojo": {"field": "user_id"}}], "strategy": strategy},
    }
    config = EnrichConfig.load(
        enrichments=base64.b64encode(json.dumps({"schema": PII, "data": data}).encode()).decode(),
        input_format="cloudfront",
        etl_tstamp=1_772_668_800_000,
        pii_events=pii_events,
    )
    return list(Enricher(config).process(LINE, "log.gz", 7))


def test_it_follows_the_event_when_both_ask_for_it() -> None:
    assert [len(results(emit, wanted)) for emit in (False, True) for wanted in (False, True)] == [1, 1, 1, 2]


def test_what_it_holds() -> None:
    event, told = results(emit=True, pii_events=True)
    assert event["user_id"] != "ada"
    assert told["unstruct_event"] == event.pii
    assert json.loads(told["unstruct_event"])["data"]["data"]["pii"]["pojo"][0]["originalValue"] == "ada"
    parent = json.loads(told["contexts"])["data"][0]
    assert parent["data"] == {"parentEventId": event["event_id"]}
    copied = ("app_id", "etl_tstamp", "collector_tstamp", "v_etl")
    assert [told[name] for name in copied] == [event[name] for name in copied]
    assert told["derived_tstamp"] == told["true_tstamp"] == event["etl_tstamp"]
    assert (told["platform"], told["event"], told["event_name"]) == ("srv", "pii_transformation", "pii_transformation")
    assert told["user_id"] is told["user_ipaddress"] is None


def test_a_second_run_gives_the_same() -> None:
    first, second = results(True, True), results(True, True)
    assert [event.to_tsv() for event in first] == [event.to_tsv() for event in second]
    assert first[0]["event_id"] != first[1]["event_id"]
