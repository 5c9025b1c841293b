"""``adapters.jsonl``: collector payloads and what the adapters make of them, and cases of single helpers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from snowetl.adapters import hubspot, mailchimp, mandrill, pagerduty, redirect, rewrite, webhook
from snowetl.adapters.base import Failures
from snowetl.adapters.callrail import typed
from snowetl.adapters.events import Wrapper
from snowetl.adapters.google_analytics_composite import entries_of, name_parts
from snowetl.adapters.registry import AdapterRegistry
from snowetl.adapters.remote import RemoteAdapter, RemoteAdaptersConfig
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext
from snowetl.jvm.commons_codec import decode_base64
from snowetl.jvm.joda import parse_datetime
from snowetl.jvm.querystring import QuerystringError, parse_form
from snowetl.jvm.strings import decode_utf8
from snowetl.jvm.timestamps import to_iso
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.payload import CollectorPayload, RawEvent
from tests.conformance.compare import differences, exact_json
from tests.conformance.runner import Mismatch
from tests.conformance.suites._remote import service

FILES = "adapters.jsonl"
_ORIGIN = Origin("snowetl", "1.0.0", 0)
_JSON_PARAMETERS = ("ue_pr", "co")


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch]:
    if case["adapter"].startswith("helper/"):
        return list(_run_helper(case))
    return list(_run_adapter(case, vectors))


# --- whole adapters -----------------------------------------------------------------------------------------------


def _run_adapter(case: dict[str, Any], vectors: Path) -> Iterator[Mismatch]:
    payload = _payload(case)
    overrides: dict[str, dict[str, str]] = {}
    for name, uri in case.get("schema_overrides", {}).items():
        group, key = name.split(".")
        overrides.setdefault(group, {})[key] = uri
    remote = case.get("remote_adapter")
    if remote is None:
        registry = AdapterRegistry(_iglu(vectors), _ORIGIN, schemas=overrides)
        yield from _compare(case["expect"], registry.adapt(payload))
        return
    with service(remote) as (url, requests):
        config = RemoteAdaptersConfig((RemoteAdapter(payload.vendor, payload.version, url),), 1.0, 5.0)
        result = AdapterRegistry(_iglu(vectors), _ORIGIN, remote=config).adapt(payload)
    expect = json.loads(json.dumps(case["expect"]).replace(remote["url"], url))
    yield from _compare(expect, result)
    if "request_body" in remote and requests != [remote["request_body"]]:
        yield Mismatch("request_body", remote["request_body"], requests)


@cache
def _iglu(vectors: Path) -> IgluClient:
    central = {
        "name": "Iglu Central",
        "priority": 0,
        "vendorPrefixes": [],
        "connection": {"http": {"uri": (vectors.parent / "iglu-central").resolve().as_uri()}},
    }
    resolver = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
        "data": {"cacheSize": 500, "repositories": [central]},
    }
    return IgluClient(ResolverConfig.load(resolver), now=0, on_registry_failure="bad-rows")


def _payload(case: dict[str, Any]) -> CollectorPayload:
    vendor, version = case["adapter"].rsplit("/", 1)
    sent = case["payload"]
    return CollectorPayload(
        vendor=vendor,
        version=version,
        querystring=[(name, value) for name, value in sent["querystring"]],
        content_type=sent["content_type"],
        body=sent["body"],
        collector="ssc",
        encoding="UTF-8",
        hostname=None,
        timestamp=None if sent["timestamp"] is None else parse_datetime(sent["timestamp"]),
        ip_address=sent["ip"],
        useragent=sent["useragent"],
        referer_uri=sent["referer_uri"],
        headers=list(sent["headers"]),
        network_userid=sent["network_userid"],
    )


def _compare(expect: dict[str, Any], result: list[RawEvent] | BadRow) -> Iterator[Mismatch]:
    if "events" not in expect:
        if not isinstance(result, BadRow):
            yield Mismatch("outcome", expect["failures"], repr(result))
            return
        yield from differences("bad_row", expect["bad_row"], result.type)
        yield from _json_differences("failures", expect["failures"], result.data["failure"]["messages"])
        return
    if isinstance(result, BadRow):
        yield Mismatch("outcome", expect["events"], result.to_json())
        return
    if len(result) != len(expect["events"]):
        yield Mismatch("count", len(expect["events"]), len(result))
        return
    for index, (wanted, event) in enumerate(zip(expect["events"], result, strict=True)):
        yield from differences(f"events.{index}", wanted, event.parameters)
    for index, (wanted, event) in enumerate(zip(expect.get("context_overrides", []), result, strict=False)):
        yield from differences(f"context.{index}", wanted, {name: _context(event.payload, name) for name in wanted})


def _context(payload: CollectorPayload, name: str) -> Any:
    if name == "timestamp":
        return None if payload.timestamp is None else to_iso(payload.timestamp)
    return getattr(payload, {"ip": "ip_address"}.get(name, name))


def _json_differences(path: str, expected: Any, got: Any) -> Iterator[Mismatch]:
    yield from differences(path, exact_json(json.dumps(expected)), exact_json(jsontext.dumps(got)))


# --- helpers ------------------------------------------------------------------------------------------------------


def _run_helper(case: dict[str, Any]) -> Iterator[Mismatch]:
    name = case["adapter"].removeprefix("helper/")
    expect = case["expect"]
    got = _HELPERS[name](case["input"])
    if isinstance(got, _Error):
        yield from differences("error", expect.get("error"), got.text)
    elif isinstance(got, Failures):
        yield from _json_differences("failures", expect.get("failures"), got)
    else:
        key = next(key for key in ("output", "pairs", "json_text", "events", "error", "failures") if key in expect)
        yield from differences(key, expect[key], got)


class _Error:
    """A helper failed with this text."""

    def __init__(self, text: str) -> None:
        self.text = text


def _to_map(given: dict[str, Any]) -> Any:
    return dict(tuple(pair) for pair in given["pairs"])


def _wrapped(given: dict[str, Any]) -> Any:
    wrap = Wrapper(given["tracker"], given["platform"])
    return wrap(given["params"], given["schema"], given["event"])


def _lookup(given: dict[str, Any]) -> Any:
    mapping = given["mapping"]
    types = webhook.EventTypes({event: event for event in mapping}, mapping)
    found = types.schema(given["type"], given.get("index"))
    return found if isinstance(found, str) else Failures((found,))


def _list_of_results(given: dict[str, Any]) -> Any:
    payload = CollectorPayload("v", "1", [], None, None, "c", "UTF-8", None, None, None, None, None)

    def adapt(result: dict[str, Any]) -> Any:
        return RawEvent(payload, result["ok"]) if "ok" in result else result["fail"][0]

    outcome = webhook.adapt_each(given["results"], adapt)
    return outcome if isinstance(outcome, Failures) else [event.parameters for event in outcome]


def _cleanup(given: dict[str, Any]) -> Any:
    key, event_type = given["event"] or ("", None)
    value = jsontext.loads_exact(given["json_text"])
    return jsontext.dumps(rewrite.clean_event(value, key, event_type, tuple(given["ts_keys"])))


def _name_parts(given: dict[str, Any]) -> Any:
    if "value" in given:
        parts = name_parts(given["field"])
        if isinstance(parts, dict):
            return Failures((parts,))
        indexes, (entry, value) = entries_of(*parts, given["value"])
        return {**indexes, entry: value}
    parts = name_parts(given["field"])
    return Failures((parts,)) if isinstance(parts, dict) else {"strings": parts[0], "ints": parts[1]}


def _form(given: dict[str, Any]) -> Any:
    try:
        return [list(pair) for pair in parse_form(given["text"])]
    except QuerystringError as error:
        return _Error(str(error))


def _reformat_json(given: dict[str, Any]) -> Any:
    try:
        return jsontext.dumps(jsontext.loads_exact(given["text"]))
    except jsontext.JsonError as error:
        return _Error(f"invalid json: {error}")


def _typed_value(given: dict[str, Any]) -> Any:
    names = {"none": "x", "bool": "answered", "boolean": "answered", "int": "duration", "integer": "duration"}
    return typed(names.get(given["treat_as"], "datetime"), given["value"])


def _pingdom_event(given: dict[str, Any]) -> Any:
    value = jsontext.loads_exact(given["json_text"])
    value.pop("action", None)
    return jsontext.dumps(value)


_HELPERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "toMap": _to_map,
    "toUnstructEventParams": _wrapped,
    "lookupSchema": _lookup,
    "rawEventsListProcessor": _list_of_results,
    "cleanupJsonEventValues": _cleanup,
    "breakDownCompField": _name_parts,
    "parseUrlEncodedForm": _form,
    "decodeBase64Url": lambda given: decode_utf8(decode_base64(given["text"])),
    "encodeBase64Url": lambda given: redirect.encode_base64(given["text"]),
    "toJsonSchemaDateTime[yyyy-MM-dd HH:mm:ss]": lambda given: rewrite.date_of_spaced(given["text"]),
    "epochSecondsToIso": lambda given: rewrite.date_of_seconds(given["seconds"]),
    "validateAndReformatJson": _reformat_json,
    "toJson": _typed_value,
    "hubspot.payloadBodyToEvents": lambda given: hubspot.items_of(given["body"]),
    "mailchimp.toKeys": lambda given: mailchimp.path_of(given["key"]),
    "mailchimp.toNestedJson": lambda given: list(
        next(iter(mailchimp.nested([(given["keys"], given["value"])]).items()))
    ),
    "mailchimp.toJsons": lambda given: [
        list(next(iter(mailchimp.nested([(mailchimp.path_of(name), value)]).items())))
        for name, value in given["params"].items()
    ],
    "mailchimp.mergeJsons": lambda given: mailchimp.nested(list(_leaves(given["fields"]))),
    "mailchimp.reformatParameters": lambda given: mailchimp.with_date(given["params"]),
    "mandrill.payloadBodyToEvents": lambda given: mandrill.items_of(given["body"]),
    "pagerduty.payloadBodyToEvents": lambda given: pagerduty.items_of(given["body"]),
    "pagerduty.reformatParameters": lambda given: jsontext.dumps(
        pagerduty.cleaned(jsontext.loads_exact(given["json_text"]))
    ),
    "pingdom.reformatParameters": _pingdom_event,
}


def _leaves(fields: list[tuple[str, Any]]) -> Iterator[tuple[list[str], Any]]:
    for key, value in fields:
        path = [key]
        while isinstance(value, dict):
            ((key, value),) = value.items()
            path.append(key)
        yield path, value
