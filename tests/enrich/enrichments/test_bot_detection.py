"""bot_detection: which sources count, and what they must say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from snowetl.enrich.draft import Entity
from tests.enrich.enrichments.support import draft, step

ALL = {"useYauaa": True, "useIab": True, "useAsnLookups": True, "useClientSideDetection": True}
YAUAA, IAB = (
    "iglu:nl.basjes/yauaa_context/jsonschema/1-0-4",
    "iglu:com.iab.snowplow/spiders_and_robots/jsonschema/1-0-0",
)
ASN = "iglu:com.snowplowanalytics.snowplow/asn/jsonschema/1-0-1"
CLIENT = "iglu:com.snowplowanalytics.snowplow/client_side_bot_detection/jsonschema/1-0-0"


def verdict(*entities: tuple[str, Any], client: Any = None, **switches: bool) -> Any:
    contexts = json.dumps({"schema": "s", "data": [{"schema": CLIENT, "data": client}]}) if client else ""
    made = draft(**({"contexts": contexts} if contexts else {}))
    made.add(*(Entity(schema, json.dumps({"schema": schema, "data": data})) for schema, data in entities))
    step("bot_detection_enrichment_config", **(switches or ALL))(made)
    assert made.entities[0].schema == "iglu:com.snowplowanalytics.snowplow/bot_detection/jsonschema/1-0-1"
    return json.loads(made.entities[0].json)["data"]


def test_every_event_gets_a_verdict() -> None:
    assert verdict() == {"bot": False, "indicators": []}


@pytest.mark.parametrize(
    ("schema", "data", "indicators"),
    [
        (YAUAA, {"deviceClass": "Robot"}, ["yauaa"]),
        (YAUAA, {"deviceClass": "Robot Imitator"}, ["yauaa"]),
        (YAUAA, {"deviceClass": "Phone", "agentClass": "Robot Mobile"}, ["yauaa"]),
        (YAUAA, {"deviceClass": "Phone", "agentClass": "Browser"}, []),
        (IAB, {"spiderOrRobot": True}, ["iab"]),
        (IAB, {"spiderOrRobot": False}, []),
        (ASN, {"number": 1, "likelyBot": True}, ["asnLookups"]),
        (ASN, {"number": 1}, []),
        ("iglu:com.acme/x/jsonschema/1-0-0", {"bot": True}, []),
    ],
)
def test_sources(schema: str, data: Any, indicators: list[str]) -> None:
    assert verdict((schema, data)) == {"bot": bool(indicators), "indicators": indicators}


def test_what_the_browser_found_stands_in_the_events_own_contexts() -> None:
    assert verdict(client={"bot": True, "kind": "selenium"}) == {"bot": True, "indicators": ["clientSideDetection"]}
    assert verdict(client={"bot": False}) == {"bot": False, "indicators": []}


def test_several_indicators_in_one_order() -> None:
    found = verdict((IAB, {"spiderOrRobot": True}), (YAUAA, {"deviceClass": "Robot"}), client={"bot": True})
    assert found["indicators"] == ["yauaa", "iab", "clientSideDetection"]


def test_only_sources_that_are_switched_on_count() -> None:
    switches = {"useYauaa": False, "useIab": False, "useAsnLookups": True}
    assert verdict((IAB, {"spiderOrRobot": True}), client={"bot": True}, **switches)["bot"] is False
