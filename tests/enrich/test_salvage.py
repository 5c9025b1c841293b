"""Failed events: what stays of an event, and what it says of its failures, for every way to fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments.base import Place, Step
from snowetl.enrich.event_id import Place as Where
from snowetl.enrich.event_id import RecordPlace
from snowetl.enrich.manager import EnrichmentManager
from snowetl.enrich.steps import PlacedStep
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.event import EnrichedEvent
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.result import Discard, FailedEvent

IGLU = IgluClient(ResolverConfig.default(), now=0)
SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
ATOMIC = f"{SNOWPLOW}/atomic/jsonschema/1-0-0"
FAILURE = f"{SNOWPLOW}/failure/jsonschema/1-0-0"
WEB_PAGE = f"{SNOWPLOW}/web_page/jsonschema/1-0-0"
LINK_CLICK = f"{SNOWPLOW}/link_click/jsonschema/1-0-1"
MISSING = "iglu:com.acme/missing/jsonschema/1-0-0"
PAGE = "0f4d8b35-92a6-4c1d-8e07-5a1b2c3d4e5f"
GOOD = {"schema": WEB_PAGE, "data": {"id": PAGE}}
BAD = {"schema": WEB_PAGE, "data": {"id": "no UUID"}}
NO_ENTITY = {"schema": "iglu:com.acme/page/jsonschema/0-0-0", "data": {"id": PAGE}}


def payload(**changes: Any) -> CollectorPayload:
    made = CollectorPayload("v", "v", [], None, None, "c", "UTF-8", None, 0, "198.18.0.7", "agent", None, ["X: y"])
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def results(
    *steps: tuple[int, Step],
    collector: CollectorPayload | None = None,
    options: Any = None,
    iglu: IgluClient = IGLU,
    **parameters: str,
) -> list[Any]:
    """The results of an event, which are the same but for failed events where these are not wanted."""
    collector = collector or payload()
    placed = [PlacedStep(f"step{number}", Place(number), step) for number, step in steps]

    def run(failed_events: bool) -> list[Any]:
        manager = EnrichmentManager(
            iglu, Origin("shop-etl", "2.0.1", 1_700_000_000_000), placed, failed_events=failed_events, **(options or {})
        )
        raw = RawEvent(collector, {"e": "pv", "p": "web", "aid": "shop", **parameters})
        return manager.enrich(raw, *manager.set_up(collector), Where(RecordPlace(b"")))

    found, without = run(True), run(False)
    assert [shown(one) for one in found if not isinstance(one, FailedEvent)] == [shown(one) for one in without]
    return found


def shown(result: Any) -> Any:
    return result.to_json() if isinstance(result, BadRow) else result


def failed(*steps: tuple[int, Step], **arguments: Any) -> tuple[EnrichedEvent, list[dict[str, Any]], BadRow]:
    """The failed event, the data of its failures, the bad row."""
    row, found = results(*steps, **arguments)
    assert isinstance(row, BadRow) and isinstance(found, FailedEvent)
    event = EnrichedEvent.from_tsv(found.to_tsv())
    for entity in event.entities():
        assert arguments.get("iglu", IGLU).checker(entity.schema.uri).check(entity.data) is None
    failures = [one.data for one in event.entities(FAILURE)]
    assert {(one["timestamp"], one["componentName"], one["componentVersion"]) for one in failures} == {
        ("2023-11-14T22:13:20Z", "shop-etl", "2.0.1")
    }
    return event, failures, row


def contexts(*entities: Any) -> str:
    return json.dumps({"schema": f"{SNOWPLOW}/contexts/jsonschema/1-0-0", "data": list(entities)})


def unstruct(event: Any) -> str:
    return json.dumps({"schema": f"{SNOWPLOW}/unstruct_event/jsonschema/1-0-0", "data": event})


def sent(event: EnrichedEvent, column: str) -> list[Any]:
    text = event[column]
    return [] if text is None else json.loads(text)["data"]


def schemas(event: EnrichedEvent) -> list[str]:
    return [entity.schema.uri for entity in event.entities()]


def test_an_event_that_is_good_has_no_failed_event() -> None:
    (event,) = results(co=contexts(GOOD))
    assert isinstance(event, EnrichedEvent)


def test_parameters_that_cannot_be_converted_are_null_and_all_named() -> None:
    event, failures, row = failed(tid="seven", p="toaster", res="1x1", co=contexts(GOOD))
    assert row.type == "enrichment_failures"
    assert (event["platform"], event["txn_id"], event["app_id"], event["dvce_screenwidth"]) == (None, None, "shop", "1")
    assert sent(event, "contexts") == [GOOD]
    assert event["event_name"] == "page_view" and event["derived_tstamp"] == "1970-01-01 00:00:00.000"
    assert {json.dumps(one["data"]) for one in failures} == {'{"tid": "seven"}', '{"p": "toaster"}'}
    (first,) = [one for one in failures if "p" in one["data"]]
    assert first == {
        "failureType": "ValidationError",
        "errors": [
            {
                "message": "not recognized as a tracking platform",
                "path": "$.platform",
                "keyword": None,
                "targets": [],
                "source": "atomic",
            }
        ],
        "schema": ATOMIC,
        "data": {"p": "toaster"},
        "timestamp": "2023-11-14T22:13:20Z",
        "componentName": "shop-etl",
        "componentVersion": "2.0.1",
    }


@pytest.mark.parametrize("timestamp", [None, 10**15])
def test_an_event_without_collector_time_gets_the_run_s(timestamp: int | None) -> None:
    event, failures, _ = failed(collector=payload(timestamp=timestamp), dtm="1", stm="2", ttm="3000")
    assert event["collector_tstamp"] == event["etl_tstamp"] == "2023-11-14 22:13:20.000"
    assert event["derived_tstamp"] == "1970-01-01 00:00:03.000"
    assert [list(one["data"]) for one in failures] == [["collector_tstamp"]]
    event, _, _ = failed(collector=payload(timestamp=timestamp), dtm="1", stm="2")
    assert event["derived_tstamp"] == event["etl_tstamp"]


def test_an_event_without_collector_version() -> None:
    event, (failure,), _ = failed(collector=payload(collector=""))
    assert (event["v_collector"], failure["errors"][0]["source"]) == ("unknown", "enrichment")


def test_invalid_entities_are_taken_out_and_the_others_stay() -> None:
    event, failures, row = failed(co=contexts(GOOD, BAD, {"schema": MISSING, "data": {}}, NO_ENTITY, GOOD))
    assert row.type == "schema_violations"
    assert sent(event, "contexts") == [GOOD, GOOD]
    assert str(event["contexts"]).startswith(f'{{"schema":"{SNOWPLOW}/contexts/jsonschema/1-0-1","data":[')
    assert [one["failureType"] for one in failures] == ["ValidationError", "ResolutionError", "NotIglu"]
    invalid, missing, no_entity = failures
    assert (invalid["schema"], invalid["data"]) == (WEB_PAGE, BAD["data"])
    assert invalid["errors"][0]["source"] == "contexts" and invalid["errors"][0]["path"] == "$.id"
    assert missing["errors"][0]["message"] == f"Resolution error: schema {MISSING} not found"
    assert missing["errors"][0]["lookupHistory"][0]["repository"]
    assert (no_entity["schema"], no_entity["data"]) == (None, NO_ENTITY)


def test_without_valid_entities_contexts_are_null() -> None:
    event, _, _ = failed(co=contexts(BAD))
    assert event["contexts"] is None
    assert schemas(event) == [FAILURE]


def test_an_invalid_event_is_null_but_its_name_stays() -> None:
    data = {"wrong": 1}
    event, (failure,), _ = failed(e="ue", ue_pr=unstruct({"schema": LINK_CLICK, "data": data}), co=contexts(GOOD))
    assert event["unstruct_event"] is None and sent(event, "contexts") == [GOOD]
    assert (event["event_vendor"], event["event_name"], event["event_version"]) == (
        "com.snowplowanalytics.snowplow",
        "link_click",
        "1-0-1",
    )
    assert (failure["schema"], failure["data"], failure["errors"][0]["source"]) == (LINK_CLICK, data, "unstruct")
    assert {one["keyword"] for one in failure["errors"]} == {"required", "additionalProperties"}


@pytest.mark.parametrize(
    ("text", "kind", "data"),
    [
        ('{"schema":"iglu:com.acme/x/jsonschema/1-0-0","data":[1]}', "CriterionMismatch", {"contexts": [1]}),
        ('{"what":1}', "NotIglu", {"what": 1}),
        ("[1]", "NotIglu", {"contexts": [1]}),
        (contexts(GOOD).replace('"data": [', '"data": 7, "rest": ['), "ValidationError", {"contexts": 7}),
    ],
)
def test_a_wrong_envelope_takes_the_whole_column(text: str, kind: str, data: Any) -> None:
    event, (failure,), _ = failed(co=text)
    assert (event["contexts"], failure["failureType"], failure["data"]) == (None, kind, data)


def test_parameters_that_hold_no_json() -> None:
    event, (failure,), row = failed(co="{")
    assert (event["contexts"], row.type, failure["data"]) == (None, "enrichment_failures", {"co": "{"})
    assert failure["errors"][0]["path"] == "$.contexts"


def test_a_valid_entity_is_noted_as_superseded_beside_an_invalid_one(tmp_path: Path) -> None:
    old, new = "iglu:com.acme/cart/jsonschema/1-0-0", "iglu:com.acme/cart/jsonschema/1-0-1"
    for uri, schema in ((old, {"$supersededBy": "1-0-1"}), (new, {"type": "object"})):
        file = tmp_path / "schemas" / uri.removeprefix("iglu:")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(schema))
    repository = Repository("Acme", 0, (), path=str(tmp_path))
    iglu = IgluClient(ResolverConfig((*ResolverConfig.default().repositories, repository)), now=0)
    event, _, _ = failed(co=contexts({"schema": old, "data": {}}, BAD), iglu=iglu)
    assert sent(event, "contexts") == [{"schema": new, "data": {}}]
    note, _ = sent(event, "derived_contexts")
    assert note["data"] == {"originalSchema": old, "validatedWith": "1-0-1"}


def failure_of(text: str) -> Any:
    return badrow.enrichment_message(badrow.simple_error(text), "iglu:a/b/jsonschema/1-0-0", "test")


def test_enrichments_that_fail_keep_the_event_whole() -> None:
    entity = Entity(WEB_PAGE, json.dumps(GOOD))
    url = badrow.enrichment_message(badrow.input_data("url", "x", "no url"), "iglu:a/c/jsonschema/1-0-0", "other")
    event, failures, row = failed(
        (115, lambda d: d.fail(failure_of("first"))),
        (200, lambda d: d.fail(url)),
        (210, lambda d: d.add(entity)),
        co=contexts(GOOD),
    )
    assert row.type == "enrichment_failures"
    assert schemas(event) == [WEB_PAGE, WEB_PAGE, FAILURE, FAILURE]
    assert [(one["failureType"], one["schema"], one["data"]) for one in failures] == [
        ("EnrichmentError", "iglu:a/c/jsonschema/1-0-0", {"url": "x"}),
        ("EnrichmentError", "iglu:a/b/jsonschema/1-0-0", None),
    ]
    assert failures[1]["errors"] == [{"message": "first", "source": "test"}]


def test_a_page_url_that_cannot_be_parsed_stays_as_sent() -> None:
    event, (failure,), _ = failed(url="http://[bad")
    assert event["page_url"] == "http://[bad" and failure["failureType"] == "EnrichmentError"


def test_enrichments_run_once_and_on_what_is_valid() -> None:
    seen: list[str | None] = []

    def note(draft: Draft) -> None:
        seen.append(draft.event["contexts"])
        draft.add(Entity(WEB_PAGE, json.dumps(GOOD)))

    event, _, _ = failed((200, note), co=contexts(BAD, GOOD))
    assert len(seen) == 1 and "no UUID" not in str(seen[0])
    assert schemas(event) == [WEB_PAGE, WEB_PAGE, FAILURE]


def test_failures_of_all_phases_meet_in_one_failed_event() -> None:
    bad_entity = Entity(WEB_PAGE, json.dumps(BAD))
    event, failures, row = failed(
        (115, lambda d: d.fail(failure_of("enrichment"))),
        (200, lambda d: d.add(bad_entity, Entity(WEB_PAGE, json.dumps(GOOD)))),
        (250, lambda d: d.fail(failure_of("privacy"))),
        tid="seven",
        co=contexts(BAD),
        tv="x" * 101,
    )
    assert row.type == "enrichment_failures" and len(row.data["failure"]["messages"]) == 1
    assert [one["errors"][0]["source"] for one in failures] == [
        "atomic",
        "contexts",
        "test",
        "derived_contexts",
        "test",
        "atomic",
    ]
    assert schemas(event) == [WEB_PAGE] + [FAILURE] * 6
    assert event["v_tracker"] is None


def writing(**columns: str) -> Step:
    def write(draft: Draft) -> None:
        for column, text in columns.items():
            draft.event[column] = text

    return write


def test_what_a_script_writes_is_checked() -> None:
    event, (failure,), row = failed((200, writing(contexts=contexts(GOOD, BAD))), co=contexts(GOOD))
    assert row.type == "schema_violations"
    assert sent(event, "contexts") == [GOOD] and failure["data"] == BAD["data"]
    event, failures, _ = failed((200, writing(contexts="[", unstruct_event="{}")), co=contexts(GOOD))
    assert (event["contexts"], event["unstruct_event"]) == (None, None)
    assert [one["failureType"] for one in failures] == ["NotJSON", "NotIglu"]
    assert failures[0]["data"] == {"contexts": "["}
    event, failures, _ = failed((200, writing(contexts=contexts(BAD))), tid="seven", co=contexts(GOOD))
    assert event["contexts"] is None and len(failures) == 2


@pytest.mark.parametrize("options", [{}, {"one_bad_row": True}])
def test_invalid_entities_of_enrichments_are_taken_out(options: Any) -> None:
    event, (failure,), row = failed(
        (115, lambda d: d.add(Entity(WEB_PAGE, json.dumps(BAD)), Entity(WEB_PAGE, json.dumps(GOOD)))),
        (240, writing(user_ipaddress="198.18.0.x")),
        options=options,
    )
    assert row.type == ("schema_violations" if options else "enrichment_failures")
    assert schemas(event) == [WEB_PAGE, FAILURE] and sent(event, "derived_contexts")[0] == GOOD
    assert failure["errors"][0]["source"] == "derived_contexts"
    assert event["user_ipaddress"] == "198.18.0.x"


def test_columns_that_are_too_long_are_null() -> None:
    event, failures, _ = failed(tv="x" * 101, aid="y" * 256, uid="z")
    assert (event["v_tracker"], event["app_id"], event["user_id"]) == (None, None, "z")
    assert [one["data"] for one in failures] == [{"app_id": "y" * 256}, {"v_tracker": "x" * 101}]
    assert failures[0]["errors"] == [
        {
            "message": "Field app_id longer than maximum allowed size 255",
            "path": "$.app_id",
            "keyword": "maxLength",
            "targets": ["255"],
            "source": "atomic",
        }
    ]
    event, (failure,), _ = failed(tid="seven", tv="x" * 101, options={"accept_invalid": True})
    assert event["v_tracker"] == "x" * 101 and failure["data"] == {"tid": "seven"}


def test_an_event_that_is_dropped_later_leaves_its_bad_row_alone() -> None:
    (row,) = results((200, lambda d: d.drop("bots")), tid="seven")
    assert isinstance(row, BadRow)
    assert results((200, lambda d: d.drop("bots"))) == [Discard("bots")]


def test_what_breaks_later_leaves_the_bad_row_alone() -> None:
    def broken(draft: Draft) -> None:
        raise ZeroDivisionError

    (row,) = results((200, broken), tid="seven")
    assert isinstance(row, BadRow) and row.type == "enrichment_failures"


def test_privacy_enrichments_reach_failed_events_and_emit_nothing() -> None:
    def hide(draft: Draft) -> None:
        draft.event["user_ipaddress"] = "hidden"
        draft.emit(EnrichedEvent())

    event, _, _ = failed((240, hide), tid="seven")
    assert event["user_ipaddress"] == "hidden"


ONE = {"one_bad_row": True}


def test_parameters_and_json_end_in_one_bad_row() -> None:
    (row, _) = results(tid="seven", p="toaster", co=contexts(BAD), options=ONE)
    assert row.type == "schema_violations"
    atomic, entity = row.data["failure"]["messages"]
    assert (atomic["schemaKey"], entity["schemaKey"]) == (ATOMIC, WEB_PAGE)
    assert atomic["error"]["error"] == "ValidationError"
    assert sorted(report["path"] for report in atomic["error"]["dataReports"]) == ["$.platform", "$.txn_id"]
    (row, _) = results(tid="seven", co=contexts(GOOD), options=ONE)
    assert row.type == "schema_violations"


def test_entities_of_enrichments_and_lengths_end_in_one_bad_row() -> None:
    (row, _) = results((115, lambda d: d.add(Entity(WEB_PAGE, json.dumps(BAD)))), tv="x" * 101, options=ONE)
    entity, atomic = row.data["failure"]["messages"]
    assert (row.type, entity["schemaKey"], atomic["schemaKey"]) == ("schema_violations", WEB_PAGE, ATOMIC)
    assert atomic["error"]["dataReports"] == [
        {
            "message": "Field v_tracker longer than maximum allowed size 100",
            "path": "$.v_tracker",
            "keyword": "maxLength",
            "targets": ["100"],
        }
    ]


def test_enrichments_that_fail_stay_enrichment_failures() -> None:
    (row, _) = results((115, lambda d: d.fail(failure_of("1"))), options=ONE)
    assert row.type == "enrichment_failures"
    (row, _) = results((250, lambda d: d.fail(failure_of("1"))), options=ONE)
    assert row.type == "enrichment_failures"
