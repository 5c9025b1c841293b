"""The schemas of the package say what the public ones say, so that a first run needs no registry."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import snowetl.iglu
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.model.schema import SchemaKey
from snowetl.testing import enrich, entity, event, hit, tp2
from snowetl.testing.requests import record
from tests.transform.generated import candidates

PACKAGED = Path(snowetl.iglu.__file__).parent / "schemas"
CENTRAL = Path(__file__).parents[3] / "shared" / "iglu-central"
SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
INSTANCES = 40


def packaged() -> list[SchemaKey]:
    files = sorted(PACKAGED.glob("*/*/jsonschema/*-*-*"))
    return [SchemaKey.parse(f"iglu:{file.relative_to(PACKAGED).as_posix()}") for file in files]


def instances(schema: Any, random: Random) -> Iterator[Any]:
    """Data that mostly fit the schema, and the same damaged in one place."""
    yield from (None, [], {}, {"unknown": 1})
    for _ in range(INSTANCES):
        data = candidates(schema, random)
        yield data
        damaged = copy.deepcopy(data)
        if isinstance(damaged, dict) and damaged:
            name = random.choice(sorted(damaged))
            damaged[name] = random.choice([None, -1, 1.5, "", "x" * 70_000, True, [], {}, [{}], 10**12])
            yield damaged
            del damaged[name]
            yield damaged
            yield data | {"unknown": "x"}


def reports(verdict: Any) -> set[str] | None:
    """What a verdict says, whatever the order, and however a pattern is spelt."""
    if verdict is None:
        return None
    return {
        json.dumps({"path": report["path"]} if report["keyword"] == "pattern" else report, sort_keys=True)
        for report in verdict["dataReports"]
    }


@pytest.mark.shared
@pytest.mark.skipif(not CENTRAL.is_dir(), reason="needs ../shared/iglu-central")
def test_they_give_the_verdicts_of_the_public_ones() -> None:
    ours = IgluClient(ResolverConfig.default(), now=0)
    central = ResolverConfig((Repository("Iglu Central", 0, (), uri=CENTRAL.resolve().as_uri()),))
    public = IgluClient(central, now=0)
    random = Random(7)
    compared = valid = 0
    for key in packaged():
        if not (CENTRAL / "schemas" / key.path).is_file():
            continue
        compared += 1
        mine, theirs = ours.checker(key.uri), public.checker(key.uri)
        for data in instances(public.schema(key), random):
            verdict = mine.check(data)
            valid += verdict is None
            assert reports(verdict) == reports(theirs.check(data)), (key.uri, json.dumps(data)[:500])
    assert compared > 200
    assert valid > compared


def test_each_file_is_where_its_key_says() -> None:
    for key in packaged():
        document = json.loads((PACKAGED / key.path).read_text("utf-8"))
        own = document["self"]
        assert (own["vendor"], own["name"], own["format"], own["version"]) == (*key[:3], str(key.version))


def test_an_offline_run_knows_what_web_trackers_send() -> None:
    page = entity(f"{SNOWPLOW}/web_page/jsonschema/1-0-0", {"id": "1c1e5b8e-0d5a-4b2f-9d0e-3f2a8d0c4b11"})
    session = {
        "userId": "2c1e5b8e-0d5a-4b2f-9d0e-3f2a8d0c4b11",
        "sessionId": "3c1e5b8e-0d5a-4b2f-9d0e-3f2a8d0c4b11",
        "sessionIndex": 3,
        "previousSessionId": None,
        "storageMechanism": "COOKIE_1",
    }
    visit = entity(f"{SNOWPLOW}/client_session/jsonschema/1-0-2", session)
    link = event(f"{SNOWPLOW}/link_click/jsonschema/1-0-1", {"targetUrl": "https://tea.example/"}, [page, visit])
    form = event(f"{SNOWPLOW}/submit_form/jsonschema/1-0-0", {"formId": "order"}, [page])
    result = enrich(tp2(link, form), hit())
    assert result.reasons() == []
    assert len(result.events) == 3


def test_an_offline_run_knows_what_iterable_and_sendgrid_send() -> None:
    webhook = {
        "email": "jo@example.com",
        "eventName": "emailOpen",
        "dataFields": {"campaignId": 7, "campaignName": "Tea of the month", "messageId": "1"},
    }
    given: dict[str, Any] = {"content_type": "application/json"}
    for version in ("1-0-0", "1-0-1", "2-0-0", "2-0-1"):
        query = f"schema=iglu:com.iterable/system_webhook/jsonschema/{version}"
        path = "/com.snowplowanalytics.iglu/v1"
        good = record(path=path, querystring=query, body=json.dumps(webhook), **given)
        bad = record(path=path, querystring=query, body=json.dumps(webhook | {"eventName": 1}), **given)
        result = enrich(good, bad)
        assert len(result.events) == 1
        [reason] = result.reasons()
        assert "eventName" in reason
    opened = {
        "event": "open",
        "email": "jo@example.com",
        "timestamp": 1772438400,
        "sg_event_id": "c2VuZGdyaWRfZXZlbnRfaWQ",
    }
    result = enrich(record(path="/com.sendgrid/v3", body=json.dumps([opened]), **given))
    assert (result.reasons(), len(result.events)) == ([], 1)
