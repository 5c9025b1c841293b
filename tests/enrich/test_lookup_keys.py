"""Which keys a record asks for: the body is read only where a parameter in it may count."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from snowetl.adapters.registry import AdapterRegistry
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.draft import Draft
from snowetl.enrich.pipeline import Enricher
from snowetl.testing import hit, tp2
from snowetl.testing.requests import record


@dataclass
class Agents:
    name: ClassVar[str] = "agents"
    columns: ClassVar[tuple[str, ...]] = ("useragent",)

    def key(self, draft: Draft) -> str | None:
        return draft.event["useragent"]

    def check(self) -> None:
        raise AssertionError("not here")

    def open(self) -> Any:
        raise AssertionError("not here")


ENRICHER = Enricher(EnrichConfig.load(input_format="thrift", etl_tstamp=0))
AGENT = "Mozilla/5.0"
PAYLOAD_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"


def keys(record: bytes) -> list[str]:
    return [key for _, key in ENRICHER.lookup_keys(record, [Agents()])]


def test_the_collectors_agent_counts_for_all_events_of_a_body() -> None:
    post = tp2({"e": "pv"}, {"e": "pp"}, useragent=AGENT)
    with patch.object(AdapterRegistry, "adapt", side_effect=AssertionError("the body was read")):
        assert keys(post) == [AGENT]
        assert keys(hit({"e": "pv"}, useragent=AGENT)) == [AGENT]


def test_an_agent_in_the_record_counts_for_its_event() -> None:
    assert keys(tp2({"e": "pv", "ua": "its own"}, {"e": "pv"}, useragent=AGENT)) == ["its own", AGENT]
    assert keys(hit({"e": "pv", "ua": "its own"}, useragent=AGENT)) == ["its own"]


def test_a_name_may_be_spelled_with_escapes() -> None:
    body = json.dumps({"schema": PAYLOAD_DATA, "data": [{"e": "pv", "p": "web", "tv": "1", "XX": "its own"}]})
    post: dict[str, Any] = {
        "path": "/com.snowplowanalytics.snowplow/tp2",
        "content_type": "application/json",
        "useragent": AGENT,
    }
    assert keys(record(body=body.replace("XX", "\\u0075a"), **post)) == ["its own"]


def test_other_adapters_may_make_any_parameter() -> None:
    with patch.object(AdapterRegistry, "adapt", side_effect=AssertionError("the body was read")):
        assert keys(record(path="/com.mailgun/v1", body="x", useragent=AGENT)) == []


@given(st.lists(st.dictionaries(st.sampled_from(["e", "ua", "u", "a", "tv", '"ua"']), st.text(max_size=5)), min_size=1))
def test_the_keys_are_those_of_the_events(events: list[dict[str, str]]) -> None:
    post = tp2(*events, useragent=AGENT)
    asked = set(keys(post))
    with patch.object(AdapterRegistry, "may_hold", return_value=True):
        assert set(keys(post)) <= asked
