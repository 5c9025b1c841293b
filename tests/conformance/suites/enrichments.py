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

from snowetl.enrich import steps
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import registered
from snowetl.enrich.enrichments.base import Enrichment, Step
from snowetl.enrich.services import Services
from snowetl.errors import AssetError, ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.model.event import EMPTY, EnrichedEvent
from snowetl.model.fields import INDEX
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.schema import SchemaKey
from tests.conformance.compare import differences, exact_json
from tests.conformance.runner import Mismatch, Unsupported

FILES = "enrichments.jsonl"

_VENDOR = "com.snowplowanalytics.snowplow"
_NAMES = {
    "anon_ip": "anon_ip",
    "campaign_attribution": "campaign_attribution",
    "event_fingerprint": "event_fingerprint_config",
    "ip_lookups": "ip_lookups",
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
    if name != "cross_domain" and name not in _NAMES:
        return Unsupported(f"comes with another issue: {name}")
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


def _draft(given: dict[str, Any]) -> Draft:
    payload = CollectorPayload("v", "v", [], None, None, "c", "UTF-8", None, 0, None, None, None)
    draft = Draft(EnrichedEvent(), RawEvent(payload, dict(given.get("parameters") or {})))
    for column, value in given.items():
        if column == "page_querystring":
            draft.page_query = {name: text or "" for name, text in value}
        elif column != "parameters":
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
        kind_of_conf = registered()[_NAMES[name]]
        model = kind_of_conf.criterion.model
        key = SchemaKey.parse(f"iglu:{_VENDOR}/{_NAMES[name]}/jsonschema/{model}-0-0")
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
