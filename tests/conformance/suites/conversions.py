"""``conversions.jsonl``: the small functions between a tracker parameter and its column."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snowetl.enrich import conversions, steps
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.manager import EnrichmentManager
from snowetl.enrich.self_describing import (
    EntityValidator,
    Invalid,
    check_contexts,
    check_unstruct_event,
    contexts_text,
)
from snowetl.enrich.tracker_parameters import fill_columns
from snowetl.enrich.uri import UriError, parse_uri
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext, querystring
from snowetl.jvm.commons_codec import decode_base64
from snowetl.jvm.map_order import map_order
from snowetl.jvm.strings import decode_utf8
from snowetl.model import text
from snowetl.model.badrow import Origin
from snowetl.model.event import EMPTY, EnrichedEvent
from snowetl.model.fields import FIELDS, INDEX
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.schema import SchemaKey
from tests.conformance.compare import differences, exact_json
from tests.conformance.runner import Mismatch, Unsupported
from tests.conformance.suites._registry import resolver_with
from tests.conformance.suites.enrichment_manager import contains

FILES = "conversions.jsonl"

_LATER = {
    "validate_integer": "a conversion of the 2.0.0 job only",
    "string_to_double_like": "used by the currency and weather enrichments",
    "extract_inet_address": "used by the IAB enrichment",
    "get_pii_event": "used by the PII enrichment",
    "extract": "a helper inside the reference's configuration parsing",
    "to_json": "see suite adapters, helper/toJson",
}


class Failed(Exception):
    def __init__(self, failure: Any) -> None:
        super().__init__(failure)
        self.failure = failure


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    function, expect = case["function"], case["expect"]
    if function in _LATER:
        return Unsupported(f"{function}: {_LATER[function]}")
    if function in _IGLU:
        with resolver_with(case.get("extra_schemas") or {}, vectors) as resolver:
            client = IgluClient(ResolverConfig.load(resolver), now=0)
            if function == "extract_and_validate_input_contexts" and "ok" in expect:
                # our notes are those of the column, not of each item; they are checked with both columns below
                expect = {"ok": [{"sdj": item["sdj"]} for item in expect["ok"]]}
            return _outcome(lambda: _IGLU[function](client, case["input"]), expect)
    mismatches = _outcome(lambda: _FUNCTIONS[function](case["input"]), expect)
    if function == "derived_tstamp":
        return [Mismatch("derived_tstamp(calendar)", m.expected, m.got) for m in mismatches]
    if function == "platform" and case["input"]["value"] == "headset":
        return [m._replace(field=f"{m.field}(headset)") for m in mismatches]
    return mismatches


def _outcome(call: Callable[[], Any], expect: dict[str, Any]) -> list[Mismatch]:
    try:
        got: dict[str, Any] = {"ok": call()}
    except Failed as failed:
        got = {"failure": failed.failure}
    if "exception" in expect:
        return [Mismatch("reference-exception", expect, got)]
    if "failure" in expect:
        wanted = expect["failure"]
        fits = "failure" in got and contains(got["failure"], _as_messages(wanted))
        return [] if fits else [Mismatch("failure", wanted, got)]
    return list(differences("ok", exact_json(json.dumps(expect["ok"])), exact_json(json.dumps(got.get("ok", got)))))


def _as_messages(wanted: Any) -> Any:
    """Failure types are told by their keys in bad rows; the vectors name them too."""
    if isinstance(wanted, list):
        return [_as_messages(item) for item in wanted]
    if isinstance(wanted, dict):
        wanted = {key: value for key, value in wanted.items() if key != "type"}
        if "schemaKey" in wanted and isinstance(wanted.get("error"), str):
            wanted["error"] = {"error": wanted["error"]}
        if "messages" in wanted:
            wanted["messages"] = _as_messages(wanted["messages"])
    return wanted


# --- parameters ---------------------------------------------------------------------------------------------------


def _column(kind: str, function: Callable[[str], str]) -> Callable[[Any], Any]:
    """A conversion called through its parameter, so that the message's field and value are checked too."""

    def call(given: Any) -> Any:
        field, value = (given["field"], given["value"]) if isinstance(given, dict) else (None, given)
        try:
            if value is None:
                raise conversions.ConversionError(_null_text(kind))
            got = function(value)
        except conversions.ConversionError as error:
            if field is None:
                raise Failed(str(error)) from None
            message = {"field": field, "value": value, "expectation": str(error)}
            raise Failed({"enrichment": None, "message": message}) from None
        return _typed(kind, got)

    return call


def _null_text(kind: str) -> str:
    """Parameters without a value never reach our conversions; the reference words them as any other bad value."""
    return {
        "platform": "not recognized as a tracking platform",
        "event_type": "not recognized as an event type",
        "bool": "cannot be converted to Boolean-like java.lang.Byte",
        "dimensions": r"does not conform to regex (\d+)x(\d+)",
        "uuid": "not a valid UUID",
    }[kind]


def _typed(kind: str, got: Any) -> Any:
    if kind in ("int", "bool"):
        return int(got) if got else None
    if kind == "dimensions":
        return [int(side) for side in got]
    return got or None


def _nullable(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def call(given: Any) -> Any:
        value = given["value"] if isinstance(given, dict) and "value" in given else given
        return None if value is None else function(given)

    return call


# --- URIs ---------------------------------------------------------------------------------------------------------


def _uri(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return parse_uri(given).text
    except UriError as error:
        raise Failed(str(error)) from None


def _components(given: str) -> dict[str, Any]:
    scheme, host, port, path, query, fragment = [part or None for part in parse_uri(given).columns]
    return {
        "scheme": scheme,
        "host": host,
        "port": int(port or 0),
        "path": path,
        "query": query,
        "fragment": fragment,
    }


def _uri_whole(given: str) -> dict[str, Any]:
    _uri(given)
    uri = parse_uri(given)
    return {
        "uri": uri.text,
        "parsed_by": "fallback" if uri.text != given.replace(" ", "%20") else "first",
        "components": _components(given),
        "querystring": _pairs({"uri": given, "charset": "UTF-8"}),
    }


def _pairs(given: dict[str, str]) -> list[list[str | None]]:
    query = parse_uri(given["uri"]).query
    return [list(pair) for pair in querystring.split(query, given["charset"])] if query else []


def _page_uri(given: dict[str, str | None]) -> str | None:
    draft = _draft(referer_uri=given["referer"])
    draft.event["page_url"] = given["tracker"]
    steps.page_uri(draft)
    return draft.page_uri.text if draft.page_uri else None


# --- steps --------------------------------------------------------------------------------------------------------


def _draft(**payload: Any) -> Draft:
    defaults: dict[str, Any] = {
        "vendor": "v",
        "version": "1",
        "querystring": [],
        "content_type": None,
        "body": None,
        "collector": "c",
        "encoding": "UTF-8",
        "hostname": None,
        "timestamp": None,
        "ip_address": None,
        "useragent": None,
        "referer_uri": None,
    }
    return Draft(EnrichedEvent(), RawEvent(CollectorPayload(**(defaults | payload)), {}))


def _collector_tstamp(given: dict[str, Any] | None) -> str | None:
    millis = None
    if given is not None:
        millis = given.get("epoch_ms")
        if millis is None:
            millis = {"-0030-01-01T00:00:00.000Z": -63113904000000}.get(given["iso"]) or _far_millis(given["iso"])
    manager = EnrichmentManager(_NoSchemas(), Origin("a", "1", 0))
    base, failures = manager.set_up(_draft(timestamp=millis).raw.payload)
    if failures:
        raise Failed(failures[0])
    return EnrichedEvent(base)["collector_tstamp"]


def _far_millis(iso: str) -> int:
    """Epoch ms of a five-digit year, which ``datetime`` cannot hold: whole 400-year eras are 146,097 days."""
    year, rest = iso[:5], iso[5:]
    eras = (int(year) - 2000) // 400
    near = datetime.fromisoformat(f"{int(year) - eras * 400:04d}{rest}")
    return round(near.timestamp() * 1000) + eras * 146_097 * 86_400_000


class _NoSchemas:
    def checker(self, uri: str) -> Any:
        raise AssertionError(uri)


def _derived(given: dict[str, str | None]) -> str | None:
    collector = given["collector_tstamp"]
    draft = _draft(timestamp=_millis(collector))
    parameters = {"dvce_created_tstamp": "dtm", "dvce_sent_tstamp": "stm", "true_tstamp": "ttm"}
    raw = {name: str(_millis(given[column])) for column, name in parameters.items() if given[column] is not None}
    draft.raw.parameters = dict(raw)
    fill_columns(draft.raw.parameters, draft.values)
    draft.event["collector_tstamp"] = collector
    steps.derived_timestamp(draft)
    return draft.event["derived_tstamp"]


def _millis(tstamp: str | None) -> int | None:
    if tstamp is None:
        return None
    return round(datetime.strptime(tstamp, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC).timestamp() * 1000)


def _cross_domain(given: list[list[str | None]]) -> list[str | None]:
    draft = _draft()
    draft.page_query = {str(name): value or "" for name, value in given}
    steps.cross_domain(draft)
    if draft.failures:
        raise Failed(draft.failures[0])
    return [draft.event["refr_domain_userid"], draft.event["refr_dvce_tstamp"]]


def _event_schema(given: dict[str, Any]) -> dict[str, str | None] | None:
    draft = _draft()
    draft.event["event"] = given["event"]
    if given["unstruct_event"] is not None:
        event = given["unstruct_event"]
        uri = event["schema"] if isinstance(event, dict) else event
        draft.event_key = SchemaKey.parse(uri)
    steps.event_schema(draft)
    if draft.failures:
        raise Failed(draft.failures[0])
    found = {part: draft.event[f"event_{part}"] for part in ("vendor", "name", "format", "version")}
    return found if found["vendor"] else None


# --- the rest -----------------------------------------------------------------------------------------------------


def _url_decode(given: dict[str, str | None]) -> str:
    try:
        return text.url_decode(given["value"] or "")
    except text.UrlDecodeError as error:
        raise Failed(str(error)) from None


def _base64(given: str | None) -> str:
    if given is None:
        raise Failed("could not base64 decode: null")
    return decode_utf8(decode_base64(given))


def _json(given: str) -> str:
    try:
        return jsontext.loads_compact(given)[1]
    except jsontext.JsonError as error:
        raise Failed(f"invalid json: {error}") from None


def _tsv(given: dict[str, str]) -> str:
    event = EnrichedEvent()
    for column, value in given.items():
        if column != "pii":
            event[column] = value
    return event.to_tsv()


def _contexts(given: list[Any]) -> str | None:
    return contexts_text([Entity(item["schema"], jsontext.dumps(item)) for item in given]) if given else None


def _unstruct(given: dict[str, Any]) -> str:
    envelope = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
    return jsontext.dumps({"schema": envelope, "data": given})


def _map_transformer(given: dict[str, Any]) -> dict[str, Any]:
    """The case brings its own table; ours has the same parameters under the columns' real names."""
    values = EnrichedEvent()
    fill_columns(given["source"], values.texts)
    names = {
        "platform": "platform",
        "br_features_pdf": "br_features_pdf",
        "visit_id": "domain_sessionidx",
        "tracker_v": "v_tracker",
        "width": "dvce_screenwidth",
        "height": "dvce_screenheight",
    }
    types = {field.name: field.type for field in FIELDS}
    target = {}
    for name, column in names.items():
        value = values[column]
        target[name] = int(value) if value and types[column] in ("int", "bool") else value
    updated = {"fields_updated": len(target)} if "target" in given else {}
    return {**updated, "target": target}


def _precedence(given: dict[str, Any]) -> dict[str, str]:
    fillers = ["tv", "p", "aid"]
    return {"winner": [name for name in map_order([*given["both_present"], *fillers]) if name not in fillers][-1]}


def _anonymise(given: dict[str, Any]) -> str | None:
    from snowetl.enrich.enrichments.anon_ip import AnonIp

    draft = _draft()
    draft.event.texts[INDEX["user_ipaddress"]] = given["ip"] or EMPTY
    AnonIp(given["octets"], given["segments"])(draft)
    return draft.event["user_ipaddress"]


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "string_to_uri": _uri,
    "string_to_uri+explode_uri+extract_querystring": _uri_whole,
    "explode_uri": _components,
    "extract_querystring": _pairs,
    "extract_page_uri": _page_uri,
    "fix_tabs_newlines": lambda given: None if given is None else text.tsv_safe(given) or None,
    "decode_base64_url": _base64,
    "validate_uuid": _column("uuid", conversions.uuid),
    "string_to_int32": _nullable(_column("int", conversions.int32)),
    "string_to_decimal": _nullable(_column("decimal", conversions.decimal)),
    "bool01": _column("bool", conversions.bool01),
    "event_type": _column("event_type", conversions.event_type),
    "platform": _column("platform", conversions.platform),
    "epoch_ms": _column("ts", conversions.epoch_ms),
    "dimensions": _column("dimensions", conversions.dimensions),  # type: ignore[arg-type]
    "ip_first": _nullable(_column("ip", conversions.ip_first)),
    "decode_string": _url_decode,
    "single_encode_pcts": text.single_encode_percents,
    "to_tsv": _tsv,
    "format_collector_tstamp": _collector_tstamp,
    "derived_tstamp": _derived,
    "etl_version": lambda given: f"{given['artifact']}-{given['version']}",
    "format_contexts": _contexts,
    "format_unstruct_event": _unstruct,
    "parse_cross_domain": _cross_domain,
    "extract_schema": _event_schema,
    "validate_and_reformat_json": _json,
    "transform": _map_transformer,
    "generate": _map_transformer,
    "parameter_order": map_order,
    "parameter_precedence": _precedence,
    "anonymise_ip": _anonymise,
}

# --- Iglu ---------------------------------------------------------------------------------------------------------


def _parse(column: str, given: str) -> Any:
    try:
        return jsontext.loads_compact(given)
    except jsontext.JsonError as error:
        raise Failed([{"field": column, "value": given, "error": f"invalid json: {error}"}]) from None


def _check_unstruct(client: IgluClient, given: str | None) -> Any:
    if given is None:
        return None
    column = check_unstruct_event(client, *_parse("ue_properties", given))
    if isinstance(column, Invalid):
        raise Failed([one.message for one in column.violations])
    sdj = json.loads(column.text)["data"]
    return {"sdj": sdj} | ({"validation_info": _note(column.notes[0])} if column.notes else {"validation_info": None})


def _check_contexts(client: IgluClient, given: str | None) -> Any:
    if given is None:
        return []
    column = check_contexts(client, *_parse("contexts", given))
    if isinstance(column, Invalid):
        raise Failed([one.message for one in column.violations])
    return [{"sdj": item} for item in json.loads(column.text)["data"]]


def _note(note: Entity) -> Any:
    return json.loads(note.json)["data"]


def _check_both(client: IgluClient, given: dict[str, str | None]) -> Any:
    messages: list[Any] = []
    columns: dict[str, Any] = {"contexts": [], "unstruct_event": None}
    notes: list[Entity] = []
    for name, check in (("contexts", check_contexts), ("unstruct_event", check_unstruct_event)):
        if given[name] is None:
            continue
        column = check(client, *_parse(name, str(given[name])))
        if isinstance(column, Invalid):
            messages += [one.message for one in column.violations]
        else:
            columns[name] = json.loads(column.text)["data"]
            notes += column.notes
    notes = list(dict.fromkeys(notes))
    if messages:
        raise Failed({"bad_row": "schema_violations", "messages": messages})
    return columns | {"validation_info_contexts": [json.loads(note.json) for note in notes]}


def _check_entities(client: IgluClient, given: list[Any]) -> Any:
    entities = [Entity(item["schema"], jsontext.dumps(item)) for item in given]
    invalid, _ = EntityValidator(client).check(entities)
    messages = [one.failure() for one in invalid]
    if messages:
        raise Failed({"bad_row": "enrichment_failures", "messages": messages})
    return None


_IGLU: dict[str, Callable[[IgluClient, Any], Any]] = {
    "extract_and_validate_unstruct_event": _check_unstruct,
    "extract_and_validate_input_contexts": _check_contexts,
    "extract_and_validate_input_jsons": _check_both,
    "validate_enrichments_contexts": _check_entities,
}
