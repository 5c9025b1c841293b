"""``bad_rows.jsonl``: complete rows, rebuilt by our constructors and validated against their schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from snowetl.enrich import size
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.failure_entities import FailureEntities
from snowetl.enrich.pipeline import Enricher
from snowetl.enrich.self_describing import Violation
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext, timestamps
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.event import EnrichedEvent
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.recovery import RecoveryFailure, configuration, paths, querystrings, steps
from snowetl.recovery.conditions import matches
from tests.conformance.compare import differences
from tests.conformance.runner import Mismatch, Unsupported
from tests.conformance.suites._registry import resolver_with

FILES = "bad_rows.jsonl"

_PAYLOAD_KEYS = {
    "contentType": "content_type",
    "ipAddress": "ip_address",
    "refererUri": "referer_uri",
    "networkUserId": "network_userid",
    "userId": "network_userid",
    "loaderName": "collector",
}
_clients: dict[Path, IgluClient] = {}


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    kind = case["kind"]
    if kind == "bad_row":
        return _bad_row(case, vectors)
    if kind == "timestamp":
        return _timestamp(case)
    if kind == "size_truncation":
        limit, expect = case["max_record_size"], case["expect"]
        got = [size.enriched_chars(limit), size.bad_row_chars(limit)]
        wanted = [expect["enriched_payload_chars"], expect["bad_row_payload_chars"]]
        return [] if got == wanted else [Mismatch("chars", wanted, got)]
    if kind == "failure_json":
        return _text("failure", case["expect"], _failure(case["input"]))
    if kind == "payload_json":
        return _payload_json(case)
    if kind == "failure_context":
        return _failure_context(case["data"], vectors)
    return _RECOVERY[kind](case, vectors)


def _recovered(case: dict[str, Any], compute: Callable[[], Any]) -> list[Mismatch]:
    expect = case["expect"]
    try:
        got = compute()
    except (RecoveryFailure, ValueError) as failure:
        got = {"error": str(failure)}
    if isinstance(expect, dict) and "ok" in expect:
        expect = expect["ok"]
    return [] if got == expect else [Mismatch(case["kind"], expect, got)]


def _recovery_run(case: dict[str, Any], vectors: Path) -> list[Mismatch]:
    """The rows of the file's cases, mended and enriched: columns that are not empty, but ids, and but versions: events
    of SendGrid go through the adapter again, which has later schemas."""
    rows = [json.loads(line) for line in (vectors / FILES).read_text("utf-8").splitlines()]
    inputs = [row["row"] for row in rows if str(row.get("id")).startswith("bad_row/recovery-input-")]
    with resolver_with({}, vectors) as resolver:
        config = EnrichConfig.load(
            resolver=resolver,
            input_format="bad-rows/thrift",
            etl_tstamp=1_500_000_000,
            accept_invalid=True,
            recoveries=case["config"],
        )
        with Enricher(config) as enricher:
            results = [result for row in inputs for result in enricher.process(json.dumps(row))]
    found = [badrow.enriched_json(result) for result in results if isinstance(result, EnrichedEvent)]
    keys = {key for each in case["expect_enriched_unordered"] for key in each} - {"event_version"}
    got = [{key: _told(key, each[key]) for key in each if key in keys and each[key] is not None} for each in found]
    expect = [{key: value for key, value in each.items() if key in keys} for each in case["expect_enriched_unordered"]]
    left, more = [each for each in expect if each not in got], [each for each in got if each not in expect]
    return [Mismatch("events", left, more)] if left or more else []


def _told(key: str, value: Any) -> Any:
    """Times as the vectors write them: ISO, and no zeros at the end."""
    return str(value).replace(" ", "T").rstrip("0").rstrip(".") if key.endswith("_tstamp") else value


_RECOVERY: dict[str, Callable[[dict[str, Any], Path], list[Mismatch]]] = {
    "recovery_querystring": lambda case, _: _recovered(case, lambda: querystrings.cleaned(case["input"])),
    "recovery_base64": lambda case, _: _recovered(case, lambda: paths.decode_base64(case["input"])),
    "recovery_path": lambda case, _: _recovered(case, lambda: list(paths.parse(case["input"]))),
    "recovery_key_match": lambda case, _: _recovered(case, lambda: configuration.is_for(case["pattern"], case["key"])),
    "recovery_condition": lambda case, _: _recovered(case, lambda: matches(case["matcher"], case["value"])),
    "recovery_cast": lambda case, _: _recovered(case, lambda: steps.Cast(case["from"], case["to"])(case["value"])),
    "recovery_add": lambda case, _: _recovered(case, lambda: steps.Add(case["add"])(case["to"])),
    "recovery_run": _recovery_run,
}


def _bad_row(case: dict[str, Any], vectors: Path) -> list[Mismatch]:
    row = case["row"]
    mismatches = []
    text = case.get("text") or jsontext.dumps(row)
    if jsontext.dumps(jsontext.loads(text)) != text:
        mismatches.append(Mismatch("text", text, jsontext.dumps(jsontext.loads(text))))
    client = _client(vectors)
    valid = client.checker(row["schema"]).check(jsontext.loads(text)["data"]) is None
    if valid != case["valid_against_schema"]:
        mismatches.append(Mismatch("valid_against_schema", case["valid_against_schema"], valid))
    rebuilt = _rebuilt(row)
    if rebuilt is not None:
        rebuilt.data["failure"]["timestamp"] = row["data"]["failure"]["timestamp"]
        mismatches += _text("rebuilt", row, rebuilt.to_dict())
    return mismatches


def _failure_context(wanted: dict[str, Any], vectors: Path) -> list[Mismatch]:
    """The entity made anew from the data it names; when registries were asked, and which, is the example's own."""
    schema, data = wanted["schema"], wanted["data"]
    client = _client(vectors)
    error = client.checker(schema).check(data)
    assert error is not None
    makes = FailureEntities(Origin(wanted["componentName"], wanted["componentVersion"], 0))
    violation = Violation(badrow.iglu_error(schema, error), {"schema": schema, "data": data})
    [entity] = makes.of_column("unstruct_event", [violation])
    got = jsontext.loads(entity.json)["data"]
    if client.checker(entity.schema).check(got) is not None:
        return [Mismatch("valid_against_schema", True, False)]
    return list(differences("data", _timeless(wanted), _timeless(got)))


def _timeless(failure: dict[str, Any]) -> dict[str, Any]:
    errors = [{key: value for key, value in error.items() if key != "lookupHistory"} for error in failure["errors"]]
    return failure | {"timestamp": None, "errors": errors}


def _client(vectors: Path) -> IgluClient:
    if vectors not in _clients:
        with resolver_with({}, vectors) as resolver:
            central = [r for r in resolver["data"]["repositories"] if r["name"] == "Iglu Central"]
            resolver["data"]["repositories"] = central
            _clients[vectors] = IgluClient(ResolverConfig.load(resolver), now=0)
    return _clients[vectors]


def _text(field: str, expected: Any, got: Any) -> list[Mismatch]:
    """Key order counts here."""
    one, other = jsontext.dumps(expected), jsontext.dumps(got)
    return [] if one == other else [Mismatch(field, one, other)]


def _rebuilt(row: dict[str, Any]) -> BadRow | None:
    """The row as our constructor makes it; ``None`` for types and versions the enrich job does not write."""
    data = row["data"]
    build = _BUILDERS.get(row["schema"].removeprefix("iglu:com.snowplowanalytics.snowplow.badrows/"))
    if build is None:
        return None
    origin = Origin(data["processor"]["artifact"], data["processor"]["version"], 0)
    return build(origin, data["failure"], data["payload"])


def _enrichment(build: Any) -> Any:
    def rebuild(origin: Origin, failure: Any, payload: Any) -> BadRow:
        row: BadRow = build(origin, _event(payload["enriched"]), _raw_event(payload["raw"]), failure["messages"])
        row.data["payload"]["raw"]["parameters"] = payload["raw"]["parameters"]  # a set; checked by the oracle
        return row

    return rebuild


_BUILDERS: dict[str, Any] = {
    "collector_payload_format_violation/jsonschema/1-0-0": lambda origin, failure, payload: badrow.format_violation(
        origin, failure["loader"], failure["message"], payload
    ),
    "adapter_failures/jsonschema/1-0-0": lambda origin, failure, payload: badrow.adapter_failure(
        origin, _payload(payload), failure["messages"]
    ),
    "tracker_protocol_violations/jsonschema/1-0-1": lambda origin, failure, payload: badrow.adapter_failure(
        origin, _payload(payload), failure["messages"]
    ),
    "schema_violations/jsonschema/2-0-1": _enrichment(badrow.schema_violations),
    "enrichment_failures/jsonschema/2-0-1": _enrichment(badrow.enrichment_failures),
    "size_violation/jsonschema/1-0-0": lambda origin, failure, payload: badrow.size_violation(
        origin, failure["maximumAllowedSizeBytes"], failure["actualSizeBytes"], failure["expectation"], payload
    ),
}


def _payload(given: dict[str, Any]) -> CollectorPayload:
    fields = {_PAYLOAD_KEYS.get(key, key): value for key, value in given.items() if key != "parameters"}
    fields["querystring"] = [(pair["name"], pair["value"]) for pair in given.get("querystring", [])]
    stamp = given.get("timestamp")
    fields["timestamp"] = None if stamp is None else round(datetime.fromisoformat(stamp).timestamp() * 1000)
    for optional in ("content_type", "body", "hostname", "ip_address", "useragent", "referer_uri"):
        fields.setdefault(optional, None)
    return CollectorPayload(**fields)


def _raw_event(given: dict[str, Any]) -> RawEvent:
    parameters = {pair["name"]: pair["value"] for pair in given["parameters"]}
    return RawEvent(_payload(given), parameters)


def _event(given: dict[str, Any]) -> EnrichedEvent:
    event = EnrichedEvent()
    for column, value in given.items():
        event[column] = value if value is None or isinstance(value, str) else jsontext.dumps(value)
    return event


def _timestamp(case: dict[str, Any]) -> list[Mismatch] | Unsupported:
    if "epoch_us" in case or "epoch_ns" in case:
        return Unsupported("failure timestamps are the run's, in milliseconds")
    write = timestamps.to_iso if "payload" in case["id"] else timestamps.to_instant
    got = write(case["epoch_ms"])
    return [] if got == case["expect"] else [Mismatch("timestamp", case["expect"], got)]


def _failure(given: dict[str, Any]) -> Any:
    origin = Origin("a", "1.0.0", given["timestamp_ms"])
    codes = {"InvalidSchemaVer": "INVALID_SCHEMAVER", "InvalidData": "INVALID_DATA_PAYLOAD"}
    messages = [badrow.not_iglu(given["notIglu"][0], codes[given["notIglu"][1]])] if "notIglu" in given else []
    raw = RawEvent(_payload({"vendor": given.get("vendor", ""), "version": given.get("version", ""),
                             "collector": "c", "encoding": "UTF-8"}), {})  # fmt: skip
    if given["type"] == "CPFormatViolation":
        row = badrow.format_violation(origin, given["loader"], badrow.simple_error(given["fallback"]), "")
    elif given["type"] == "SizeViolation":
        row = badrow.size_violation(origin, given["max"], given["actual"], given["expectation"], "")
    elif given["type"] == "SchemaViolations":
        row = badrow.schema_violations(origin, EnrichedEvent(), raw, messages)
    elif given["type"] == "EnrichmentFailures":
        message = badrow.enrichment_message(badrow.simple_error(given["simple"]))
        row = badrow.enrichment_failures(origin, EnrichedEvent(), raw, [message])
    else:
        row = badrow.adapter_failure(origin, raw.payload, messages)
    return row.data["failure"]


def _payload_json(case: dict[str, Any]) -> list[Mismatch] | Unsupported:
    given, expect = case["input"], case["expect"]
    kind = given.pop("type", None)
    if kind == "RawPayload":
        row = badrow.format_violation(Origin("a", "1", 0), "tsv", {}, given["value"])
        return _text("payload", expect, row.data["payload"])
    if kind == "CollectorPayload":
        return _text("payload", expect, badrow.collector_payload_json(_payload(given)))
    if kind == "EnrichmentPayload":
        return _text("enriched", expect["enriched"], badrow.enriched_json(_event(given["enriched"])))
    return Unsupported("event recovery reads older rows")
