"""``enrichments.jsonl``: one enrichment, its configuration, the columns it reads, and what it makes of them."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from snowetl.caching import Failed, TtlCache
from snowetl.enrich import steps
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import registered
from snowetl.enrich.enrichments.base import Enrichment, Step
from snowetl.enrich.services import Services
from snowetl.errors import AssetError, ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import gatling_json_path
from snowetl.model.event import EMPTY, EnrichedEvent
from snowetl.model.fields import INDEX
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.schema import SchemaKey
from tests.conformance.compare import differences, exact_json
from tests.conformance.runner import Mismatch, Unsupported

FILES = "enrichments.jsonl"

_NAMES = {
    "anon_ip": "anon_ip",
    "campaign_attribution": "campaign_attribution",
    "cookie_extractor": "cookie_extractor_config",
    "event_fingerprint": "event_fingerprint_config",
    "http_header_extractor": "http_header_extractor_config",
    "iab_spiders_and_robots": "iab_spiders_and_robots_enrichment",
    "ip_lookups": "ip_lookups",
    "pii_pseudonymization": "pii_enrichment_config",
    "referer_parser": "referer_parser",
    "ua_parser": "ua_parser_config",
    "user_agent_utils": "user_agent_utils_config",
}
_BUNDLED_RULES = "ua/uap-core-regexes-1ef0926.yaml"
_BEFORE: dict[str, tuple[Step, ...]] = {
    "campaign_attribution": (steps.page_uri, steps.page_querystring),
    "referer_parser": (steps.referrer_uri,),
}


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    name = case["enrichment"]
    if name == "registry":
        return _registry(case)
    if name == "json_path":
        return list(_json_path(case))
    if name == "lookup_cache":
        return list(_lookup_cache(case))
    if name != "cross_domain" and name not in _NAMES:
        return Unsupported(f"comes with another issue: {name}")
    if name == "pii_pseudonymization":
        return list(_pii(case))
    draft = _draft(case["input"])
    if name == "cross_domain":
        steps.cross_domain(draft)
    else:
        try:
            step = _step(name, json.dumps(case["config"]), vectors)
        except AssetError as error:
            prefix = case["expect"].get("startup_error_prefix")
            return [] if prefix and prefix in str(error) else [Mismatch("start-up", prefix, str(error))]
        for before in (*_BEFORE.get(name, ()), step):
            before(draft)
        if name == "event_fingerprint":
            return list(_compare(case, draft, step.text(draft.raw.parameters)))  # type: ignore[attr-defined]
    return list(_compare(case, draft))


def _compare(case: dict[str, Any], draft: Draft, text: str = "") -> Iterator[Mismatch]:
    expect = dict(case["expect"])
    if expect.pop("exception", False):
        yield Mismatch("reference-exception", True, {"event": draft.event.to_dict(), "failures": draft.failures})
        return
    if "string_to_hash" in expect:
        yield from differences("string_to_hash", expect.pop("string_to_hash"), text)
    if "contexts" in expect:
        got = [exact_json(entity.json) for entity in draft.entities]
        yield from differences("contexts", expect.pop("contexts"), got)
    yield from differences("failures", expect.pop("failures", []), draft.failures)
    for column, value in expect.items():
        yield from differences(column, value or None, draft.event[column])


def _lookup_cache(case: dict[str, Any]) -> Iterator[Mismatch]:
    """What a cache answers at certain seconds, given what a look-up would give if it were called then."""
    config, now = case["config"], 0
    if "configured_ttl" in config:
        got = [TtlCache(1, ttl).error_ttl for ttl in config["configured_ttl"]]
        yield from differences("error_ttl", case["expect"]["error_ttl"], got)
        return
    cache: TtlCache[str, Any, Any] = TtlCache(
        config["size"], config["successTtl"], config["errorTtl"], clock=lambda: now
    )
    results: list[dict[str, Any]] = []
    for step in case["input"]["steps"]:
        now, called = step["at"], step["if_called"]
        answer = Failed(called["error"]) if "error" in called else called["ok"]
        found = cache.get(step["key"], lambda answer=answer: answer)  # type: ignore[misc]
        results.append({"error": found.error} if isinstance(found, Failed) else {"ok": found})
    yield from differences("results", case["expect"]["results"], results)


def _json_path(case: dict[str, Any]) -> Iterator[Mismatch]:
    given, expect = case["input"], case["expect"]
    try:
        values = gatling_json_path.compile_path(given["json_path"]).values(given["json"])
    except gatling_json_path.PathFault as fault:
        yield from differences("error", expect.get("error"), str(fault))
    else:
        yield from differences("result", expect.get("result"), values)


def _pii(case: dict[str, Any]) -> Iterator[Mismatch]:
    """What becomes of an event's columns. Entities the library adds and takes back again never exist here."""
    expect, config = case["expect"], case["config"]
    if "remove_added_fields" in case["input"]:
        return
    columns = {
        name: value if value is None or isinstance(value, str) else json.dumps(value)
        for name, value in case["input"]["event"].items()
    }
    draft = _draft(columns)
    kind = registered()["pii_enrichment_config"]
    key = SchemaKey.parse(f"iglu:{kind.criterion.vendor}/{kind.criterion.name}/jsonschema/2-0-0")
    try:
        with kind.parse(key, config).open(Services.create(_OFFLINE)) as step:
            step(draft)
    except ConfigError as error:
        yield Mismatch("refused" if not expect.get("exception") else "reference-exception", expect, str(error))
        return
    for name, value in expect.get("event", {}).items():
        got = draft.event[name]
        if isinstance(value, dict):
            yield from differences(name, exact_json(json.dumps(value)), exact_json(got or "null"))
        else:
            yield from differences(name, value or None, got)
    if "pii" in expect:
        yield from differences("pii", exact_json(json.dumps(expect["pii"])), exact_json(draft.event.pii or "null"))


def _draft(given: dict[str, Any]) -> Draft:
    headers = given.get("headers") or []
    payload = CollectorPayload("v", "v", [], None, None, "c", "UTF-8", None, 0, None, None, None, headers)
    draft = Draft(EnrichedEvent(), RawEvent(payload, dict(given.get("parameters") or {})))
    for column, value in given.items():
        if column == "page_querystring":
            draft.page_query = {name: text or "" for name, text in value}
        elif column not in ("headers", "parameters"):
            draft.values[INDEX[column]] = EMPTY if value == "" else value or ""
    return draft


_OFFLINE = IgluClient(ResolverConfig.default(), now=0)
_OPENED = contextlib.ExitStack()
"""Steps stay open to the end of the suite."""


@functools.lru_cache(maxsize=32)
def _step(name: str, config: str, vectors: Path) -> Step:
    """The step of a case's configuration, its files taken from the vectors."""
    parameters = json.loads(config)
    assets, inline = parameters.pop("assets", {}), parameters.pop("files", {})
    with tempfile.TemporaryDirectory() as folder:
        if name == "ip_lookups":
            for kind, file in assets.items():
                parameters[kind] = _file(vectors / "assets" / file)
        elif name == "referer_parser":
            path = vectors / "assets" / assets.get("database", "")
            if inline:
                path = Path(folder, "referers.json")
                path.write_text(json.dumps(inline["database"]), "utf-8")
            parameters |= _file(path)
        elif name == "ua_parser" and assets["rules"] != _BUNDLED_RULES:
            parameters |= _file(vectors / "assets" / assets["rules"])
        elif name == "iab_spiders_and_robots":
            for kind, file in assets.items():
                parameters[kind] = _file(vectors / "assets" / file)
            for kind, content in inline.items():
                path = Path(folder, f"{kind}.txt")
                path.write_text(content, "iso-8859-1")
                parameters[kind] = _file(path)
        kind_of_conf = registered()[_NAMES[name]]
        wanted = kind_of_conf.criterion
        key = SchemaKey.parse(f"iglu:{wanted.vendor}/{wanted.name}/jsonschema/{wanted.model}-0-0")
        conf = kind_of_conf.parse(key, {"parameters": parameters})
        files = {asset.uri: Path(asset.uri) for asset in conf.needs().files}
        return _OPENED.enter_context(conf.open(Services.create(_OFFLINE, files=files)))


def _file(path: Path) -> dict[str, str]:
    return {"uri": str(path.resolve().parent), "database": path.name}


# --- configuration ------------------------------------------------------------------------------------------------


def _registry(case: dict[str, Any]) -> list[Mismatch] | Unsupported:
    expect, config = case["expect"], case["config"]
    try:
        with _permissive_resolver(config["schema"]) as resolver:
            loaded = EnrichConfig.load(resolver=resolver, enrichments=[config], input_format="thrift", etl_tstamp=0)
    except ConfigError as error:
        if "is not supported by this version yet" in str(error):
            return Unsupported(f"comes with another issue: {config['schema'].split('/')[1]}")
        if expect["status"] == "invalid" and expect.get("error", "") in str(error):
            return []
        return [Mismatch("status", expect, str(error))]
    conf = loaded.enrichments[0] if loaded.enrichments else None
    status = "enabled" if conf else "ignored" if config["data"]["enabled"] else "dropped"
    if status != expect["status"] or conf is None:
        return list(differences("status", expect["status"], status))
    parsed = expect.get("parsed", {})
    got = _parsed(conf, parsed)
    return list(differences("parsed", parsed, got))


def _parsed(conf: Enrichment, expected: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Callable[[Any], Any]] = {
        "assets": lambda conf: [[asset.uri, f"./{asset.name}"] for asset in conf.needs().files],
        "emitEvent": lambda conf: conf.emits,
        "fields": lambda conf: [" ".join(filter(None, (one.column, getattr(one, "path", "")))) for one in conf.fields],
        "hash_of_1234_without_salt": lambda conf: hashlib.new(conf.hash.replace("-", "").lower(), b"1234").hexdigest(),
        "cookies": lambda conf: list(conf.cookies),
        "headersPattern": lambda conf: conf.pattern,
        "anonOctets": lambda conf: conf.octets,
        "anonSegments": lambda conf: conf.segments,
        "internalDomains": lambda conf: list(conf.internal_domains),
        "mktMedium": lambda conf: list(conf.fields[0]),
        "mktSource": lambda conf: list(conf.fields[1]),
        "mktTerm": lambda conf: list(conf.fields[2]),
        "mktContent": lambda conf: list(conf.fields[3]),
        "mktCampaign": lambda conf: list(conf.fields[4]),
        "clickIds": lambda conf: [list(pair) for pair in conf.networks],
        "hashAlgorithm": lambda conf: conf.hash,
        "excludeParameters": lambda conf: list(conf.excluded),
        "hash_of_sample": lambda conf: hashlib.new(conf.hash.lower(), b"sample").hexdigest(),
    }
    return {name: values[name](conf) if name in values else "unknown to this suite" for name in expected}


@contextlib.contextmanager
def _permissive_resolver(uri: str) -> Iterator[dict[str, Any]]:
    """A registry that accepts anything under ``uri``: the cases are about what comes after validation."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "schemas", uri.removeprefix("iglu:"))
        path.parent.mkdir(parents=True)
        path.write_text("{}", "utf-8")
        connection = {"http": {"uri": Path(folder).as_uri()}}
        repository = {"name": "Anything", "priority": 0, "vendorPrefixes": [], "connection": connection}
        yield {
            "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
            "data": {"cacheSize": 10, "repositories": [repository]},
        }
