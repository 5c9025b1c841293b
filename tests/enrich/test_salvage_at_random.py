"""Failed events of records that are damaged at random: nothing else may change, and each must be one that loads."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from urllib.parse import urlencode

import pytest

from snowetl import BadRow, EnrichConfig, EnrichedEvent, Enricher
from snowetl.model.result import FailedEvent, Result
from snowetl.transform.event import Event, parse
from tests.collector.samples import cloudfront_line
from tests.enrich.test_hostile_corridor import damaged, samples

FIXTURES = Path(__file__).parents[2] / "fixtures"
OF_EVENTS = ("schema_violations", "enrichment_failures")
SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
PAGE = {"schema": f"{SNOWPLOW}/web_page/jsonschema/1-0-0", "data": {"id": "0f4d8b35-92a6-4c1d-8e07-5a1b2c3d4e5f"}}
PIECES = (
    PAGE,
    {**PAGE, "data": {"id": "x"}},
    {**PAGE, "schema": "iglu:com.acme/missing/jsonschema/1-0-0"},
    {**PAGE, "schema": "page"},
    {**PAGE, "schema": "iglu:com.acme/page/jsonschema/0-0-0"},
    {**PAGE, "data": [1]},
    7,
    {"schema": f"{SNOWPLOW}/link_click/jsonschema/1-0-1", "data": {"targetUrl": "https://shop.example"}},
)
VALUES = {
    "e": ("pv", "ue", "se", "ad", "what"),
    "p": ("web", "toaster"),
    "tid": ("7", "seven"),
    "eid": ("0f4d8b35-92a6-4c1d-8e07-5a1b2c3d4e5f", "x"),
    "dtm": ("1700000000000", "x"),
    "stm": ("1700000005000", "9" * 18),
    "se_va": ("1.5", "much"),
    "tv": ("js-3", "x" * 101),
    "url": ("https://shop.example/a?utm_source=mail&_sp=a.b", "https://[bad", "x" * 4097),
    "refr": ("https://search.example/?q=a", "http://a b", "https://x.example/\t"),
    "ip": ("198.51.100.7", "no address"),
}


def config(input_format: str, *, failed_events: bool) -> EnrichConfig:
    return EnrichConfig.load(
        resolver=FIXTURES / "resolver.json",
        enrichments=FIXTURES / "enrichments",
        input_format=input_format,
        etl_tstamp=1_700_000_000_000,
        failed_events=failed_events,
    )


def line(dice: random.Random) -> str:
    """A CloudFront line with parameters of which some are wrong."""
    parameters = {name: dice.choice(values) for name, values in VALUES.items() if dice.random() < 0.8}
    pieces = [dice.choice(PIECES) for _ in range(dice.randrange(4))]
    contexts = json.dumps({"schema": f"{SNOWPLOW}/contexts/jsonschema/1-0-{dice.randrange(2)}", "data": pieces})
    event = {"schema": f"{SNOWPLOW}/unstruct_event/jsonschema/1-0-0", "data": dice.choice(PIECES)}
    parameters["co"] = contexts if dice.random() < 0.9 else contexts[:-2]
    parameters["ue_px"] = base64.urlsafe_b64encode(json.dumps(event).encode()).decode()
    return cloudfront_line(query=urlencode(parameters))


def shown(result: Result) -> object:
    if isinstance(result, BadRow):
        return result.to_json()
    return result.to_tsv() if isinstance(result, EnrichedEvent) else result


def check(found: list[Result], without: list[Result], wanted: Enricher) -> int:
    """How many failed events there are."""
    assert [shown(one) for one in found if not isinstance(one, FailedEvent)] == [shown(one) for one in without]
    for result, following in zip(found, [*found[1:], None], strict=True):
        of_event = isinstance(result, BadRow) and result.type in OF_EVENTS
        assert of_event == isinstance(following, FailedEvent)
        if isinstance(following, FailedEvent):
            assert isinstance(result, BadRow)
            check_failed(following.to_tsv(), result, wanted)
    return sum(isinstance(one, FailedEvent) for one in found)


def check_failed(text: str, row: BadRow, wanted: Enricher) -> None:
    assert isinstance(parse(text), Event)
    event = EnrichedEvent.from_tsv(text)
    assert event["event_id"] == row.data["payload"]["enriched"]["event_id"]
    for entity in [*event.entities(), *filter(None, [event.self_describing_event()])]:
        assert wanted.iglu.checker(entity.schema.uri).check(entity.data) is None
    failures = event.entities(f"{SNOWPLOW}/failure/jsonschema/1-0-0")
    assert failures and all(error["message"] and error["source"] for one in failures for error in one.data["errors"])


def run(records: list[bytes] | list[str], input_format: str) -> int:
    with (
        Enricher(config(input_format, failed_events=True)) as wanted,
        Enricher(config(input_format, failed_events=False)) as unwanted,
    ):
        return sum(check(list(wanted.process(one)), list(unwanted.process(one)), wanted) for one in records)


@pytest.mark.slow
def test_wrong_parameters() -> None:
    dice = random.Random("failed events")
    assert run([line(dice) for _ in range(1500)], "cloudfront") > 1000


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["thrift", "webhooks"])
def test_damaged_records(folder: str) -> None:
    dice = random.Random(folder)
    raw = [record for record in samples(folder, binary=True) if isinstance(record, bytes)]
    assert run([damaged(dice, dice.choice(raw), dice.choice(raw)) for _ in range(1500)], "thrift") > 5
