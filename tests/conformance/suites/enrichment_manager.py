"""``enrichment_manager.jsonl``: one raw event in, one enriched event or bad row out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from snowetl.enrich import steps
from snowetl.enrich.compatibility import Compatibility
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import registered
from snowetl.enrich.event_id import Place, RecordPlace
from snowetl.enrich.pipeline import Enricher
from snowetl.enrich.services import Services
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext
from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.schema import self_describing
from tests.conformance.compare import column_differences, differences
from tests.conformance.runner import Mismatch, Unsupported
from tests.conformance.suites._later import AS_IN_3_9, unknown_clients
from tests.conformance.suites._registry import resolver_with
from tests.conformance.suites._yauaa import yauaa_is_missing

FILES = "enrichment_manager.jsonl"


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    if "function" in case:
        return list(_FUNCTIONS[case["function"]](case, vectors))
    expect = case["expect"]
    enrichments = [config for config in case.get("enrichments", []) if _name(config) in registered()]
    missing = sorted({_name(config) for config in case.get("enrichments", [])} - set(registered()))
    if missing:
        return Unsupported(f"enrichment {', '.join(missing)}")
    if any(_name(config) == "yauaa_enrichment_config" for config in enrichments) and yauaa_is_missing():
        if _asks_for_contexts(expect):
            return Unsupported(yauaa_is_missing())
        enrichments = [config for config in enrichments if _name(config) != "yauaa_enrichment_config"]
    flags = case.get("feature_flags") or {}
    processor = case["processor"]
    with resolver_with(case.get("extra_schemas") or {}, vectors) as resolver:
        enricher = Enricher(
            EnrichConfig.load(
                resolver=resolver,
                enrichments=enrichments,
                input_format="thrift",
                etl_tstamp=0,
                processor=(processor["artifact"], processor["version"]),
                accept_invalid=flags.get("acceptInvalid", False),
                legacy_enrichment_order=flags.get("legacyEnrichmentOrder", False),
            )
        )
        manager = enricher._manager
        payload = _payload(case)
        base, failures = manager.set_up(payload)
        where = Place(RecordPlace(b""))
        result, *_ = manager.enrich(RawEvent(payload, dict(case["params"])), base, failures, where)
    return list(_compare(expect, result))


def _draft(case: dict[str, Any]) -> Draft:
    payload = CollectorPayload("v", "v", [], None, None, "c", "UTF-8", None, 0, None, None, None)
    draft = Draft(EnrichedEvent(), RawEvent(payload, {}))
    for column, value in case["event"].items():
        draft.event[column] = value
    return draft


def _collector_version(case: dict[str, Any], vectors: Path) -> Iterator[Mismatch]:
    draft = _draft(case)
    steps.collector_version(draft)
    yield from differences("errors", case["expect"]["errors"], draft.failures)


def _iab_context(case: dict[str, Any], vectors: Path) -> Iterator[Mismatch]:
    outcome = list(_judged(case, vectors, Compatibility.of()))
    yield from unknown_clients(outcome, lambda: list(_judged(case, vectors, AS_IN_3_9)))


def _judged(case: dict[str, Any], vectors: Path, era: Compatibility) -> Iterator[Mismatch]:
    draft = _draft(case)
    key, data = self_describing(case["enrichments"][0])
    assert isinstance(data, dict)
    for file in data["parameters"].values():
        file["uri"] = str((vectors / "assets" / "iab").resolve())
    conf = registered()[key.name].parse(key, data)
    files = {asset.uri: Path(asset.uri) for asset in conf.needs().files}
    iglu = IgluClient(ResolverConfig.default(), now=0)
    with conf.open(Services.create(iglu, files=files, compatibility=era)) as step:
        step(draft)
    yield from differences("errors", case["expect"]["errors"], len(draft.failures))
    yield from differences("contexts_present", case["expect"]["contexts_present"], bool(draft.entities))


_FUNCTIONS = {"collector_version_set": _collector_version, "iab_context": _iab_context}


def _asks_for_contexts(expect: dict[str, Any]) -> bool:
    """Whether the outcome shows the entity of the user agent analyser."""
    columns = expect.get("fields", {}) | expect.get("derived_fields", {})
    return "contexts_present" in expect or "agentName" in str(columns.get("derived_contexts"))


def _name(config: dict[str, Any]) -> str:
    return str(config["schema"].split("/")[1])


def _payload(case: dict[str, Any]) -> CollectorPayload:
    context, collector = case["context"], case["collector"]
    stamp = context["timestamp"]
    return CollectorPayload(
        vendor=case["api"]["vendor"],
        version=case["api"]["version"],
        querystring=[],
        content_type=None,
        body=None,
        collector=collector["name"],
        encoding=collector["encoding"],
        hostname=collector["hostname"],
        timestamp=None if stamp is None else round(datetime.fromisoformat(stamp).timestamp() * 1000),
        ip_address=context["ip_address"],
        useragent=context["useragent"],
        referer_uri=context["referer_uri"],
        headers=context["headers"],
        network_userid=context["user_id"],
    )


def _compare(expect: dict[str, Any], result: Any) -> Iterator[Mismatch]:
    if "bad_row" in expect:
        if not isinstance(result, BadRow):
            yield Mismatch("outcome", expect, repr(result))
            return
        yield from _compare_bad_row(expect["bad_row"], result)
        return
    if isinstance(result, BadRow):
        yield Mismatch("outcome", expect, result.to_json())
        return
    for fields in (expect.get("fields", {}), expect.get("derived_fields", {})):
        for column, expected in fields.items():
            if column == "pii":
                continue
            if isinstance(expected, dict) and set(expected) == {"contains"}:
                if expected["contains"] not in (result[column] or ""):
                    yield Mismatch(column, expected, result[column])
                continue
            yield from column_differences(column, column, None if expected is None else str(expected), result[column])


def _compare_bad_row(expected: dict[str, Any], row: BadRow) -> Iterator[Mismatch]:
    if row.type != expected["type"]:
        yield Mismatch("type", expected["type"], row.to_json())
        return
    messages = row.data["failure"]["messages"]
    if "messages_count" in expected and len(messages) != expected["messages_count"]:
        yield Mismatch("messages_count", expected["messages_count"], messages)
    if "messages" in expected:
        for index, wanted in enumerate(expected["messages"]):
            if index >= len(messages) or not contains(messages[index], wanted):
                yield Mismatch(f"messages.{index}", wanted, messages[index : index + 1])
    for column, value in expected.get("enriched", {}).items():
        got = row.data["payload"]["enriched"].get(column)
        if got is None if value == {"defined": True} else got != value:
            yield Mismatch(f"enriched.{column}", value, got)


def contains(got: Any, wanted: Any) -> bool:
    """Whether ``got`` has all that ``wanted`` asks for; ``starts_with`` objects compare beginnings."""
    if isinstance(wanted, dict) and set(wanted) == {"starts_with"}:
        return isinstance(got, str) and got.startswith(wanted["starts_with"])
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(key in got and contains(got[key], value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(got) == len(wanted) and all(map(contains, got, wanted))
    return bool(jsontext.dumps(got) == jsontext.dumps(wanted))
