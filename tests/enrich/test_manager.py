"""What enrichments may do to an event beyond its columns: fail, drop, emit; and what they will look up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments.base import Place
from snowetl.enrich.event_id import Place as Where
from snowetl.enrich.event_id import RecordPlace
from snowetl.enrich.manager import EnrichmentManager
from snowetl.enrich.steps import PlacedStep
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.event import EnrichedEvent
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.result import Discard

PAYLOAD = CollectorPayload("v", "v", [], None, None, "c", "UTF-8", None, 0, "198.18.0.7", "agent", None, ["X: y"])


def enrich(*steps: tuple[int, Callable[[Draft], None]], **parameters: str) -> list[Any]:
    placed = [PlacedStep(f"step{number}", Place(number), step) for number, step in steps]
    manager = EnrichmentManager(IgluClient(ResolverConfig.default(), now=0), Origin("a", "1", 0), placed)
    raw = RawEvent(PAYLOAD, {"e": "pv", "p": "web", "aid": "shop", **parameters})
    return manager.enrich(raw, *manager.set_up(PAYLOAD), Where(RecordPlace(b"")))


def failure(text: str) -> dict[str, Any]:
    return badrow.enrichment_message(badrow.simple_error(text), "iglu:a/b/jsonschema/1-0-0", "test")


def test_failures_of_all_steps_end_in_one_bad_row_the_latest_first() -> None:
    (row,) = enrich((115, lambda d: d.fail(failure("1"), failure("2"))), (200, lambda d: d.fail(failure("3"))))
    assert isinstance(row, BadRow) and row.type == "enrichment_failures"
    assert [one["message"]["error"] for one in row.data["failure"]["messages"]] == ["3", "1", "2"]


def test_a_privacy_step_may_fail_too() -> None:
    (row,) = enrich((250, lambda d: d.fail(failure("late"))))
    assert row.data["failure"]["messages"] == [failure("late")]


@pytest.mark.parametrize("number", [200, 250])
def test_a_dropped_event_is_a_discard_whatever_else_happens(number: int) -> None:
    assert enrich((number, lambda d: d.drop("bots")), (95, lambda d: None)) == [Discard("bots")]
    assert enrich((115, lambda d: d.fail(failure("1"))), (200, lambda d: d.drop("bots"))) == [Discard("bots")]


def test_an_emitted_event_follows_its_event_if_that_is_good() -> None:
    def emit(draft: Draft) -> None:
        further = EnrichedEvent()
        further["app_id"] = draft.event["app_id"]
        further["event_name"] = "pii_transformation"
        draft.emit(further)

    event, further = enrich((250, emit))
    assert (event["app_id"], event["event_name"]) == ("shop", "page_view")
    assert (further["app_id"], further["event_name"]) == ("shop", "pii_transformation")
    (row,) = enrich((250, emit), tv="x" * 101)
    assert isinstance(row, BadRow)


def test_entities_are_validated_against_their_schemas() -> None:
    uri = "iglu:com.acme/unknown/jsonschema/1-0-0"
    (row,) = enrich((115, lambda d: d.add(Entity(uri, f'{{"schema":"{uri}","data":{{}}}}'))))
    (message,) = row.data["failure"]["messages"]
    assert message["enrichment"] == {"schemaKey": uri, "identifier": "enrichments-contexts-validation"}


CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-"
WEB_PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
PAGE = "0f4d8b35-92a6-4c1d-8e07-5a1b2c3d4e5f"
SENT = f'{{"schema":"{CONTEXTS}0","data":[{{"schema":"{WEB_PAGE}","data":{{"id":"{PAGE}"}}}}]}}'


def writing(**columns: str) -> Callable[[Draft], None]:
    def write(draft: Draft) -> None:
        for column, text in columns.items():
            draft.event[column] = text

    return write


def test_json_that_a_step_writes_is_validated_and_wrapped_again() -> None:
    web_page = f'{{"data": {{"id": "{PAGE}"}}, "schema": "{WEB_PAGE}"}}'
    written = f'{{"schema": "{CONTEXTS}0",\n "data": [{web_page}]}}'
    (event,) = enrich((200, writing(contexts=written)), co=SENT)
    assert (
        event["contexts"] == f'{{"schema":"{CONTEXTS}1","data":[{{"schema":"{WEB_PAGE}","data":{{"id":"{PAGE}"}}}}]}}'
    )
    (event,) = enrich((200, writing(contexts="")), co=SENT)
    assert event["contexts"] is None


@pytest.mark.parametrize(
    ("column", "text", "part"),
    [
        ("contexts", SENT.replace('"id"', '"ID"'), "ValidationError"),
        ("contexts", "[", "invalid json"),
        ("contexts", "{}", "INVALID_DATA_PAYLOAD"),
        ("unstruct_event", '{"schema":"iglu:com.acme/x/jsonschema/1-0-0","data":{}}', "schemaCriterion"),
    ],
)
def test_invalid_json_that_a_step_writes_is_a_schema_violation(column: str, text: str, part: str) -> None:
    (row,) = enrich((200, writing(**{column: text})))
    assert isinstance(row, BadRow) and row.type == "schema_violations"
    assert part in str(row.data["failure"]["messages"])


def test_what_an_event_will_look_up() -> None:
    class Agents:
        name = "agents"
        columns = ("useragent",)

        def key(self, draft: Draft) -> str | None:
            return draft.event["useragent"]

        def check(self) -> None:
            raise AssertionError("not here")

        def open(self) -> Any:
            raise AssertionError("not here")

    manager = EnrichmentManager(IgluClient(ResolverConfig.default(), now=0), Origin("a", "1", 0))
    base, _ = manager.set_up(PAYLOAD)
    raw = RawEvent(PAYLOAD, {"e": "pv", "ua": "its own"})
    assert list(manager.lookup_keys(raw, base, [Agents()], frozenset({"ua"}))) == [("agents", "its own")]
