"""``enrichments.jsonl``: one enrichment, its configuration, the columns it reads, and what it makes of them."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snowetl.caching import Failed, TtlCache
from snowetl.enrich import steps
from snowetl.enrich.compatibility import Compatibility
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import currency_rates, registered, weather
from snowetl.enrich.enrichments.base import Enrichment, Step
from snowetl.enrich.enrichments.yauaa import Agents
from snowetl.enrich.lookups import live
from snowetl.enrich.services import Services
from snowetl.errors import AssetError, ConfigError
from snowetl.http import Http, Request, Response
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import gatling_json_path, timestamps
from snowetl.model.event import EMPTY, EnrichedEvent
from snowetl.model.fields import INDEX
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.schema import SchemaKey
from tests.conformance.compare import differences, exact_json
from tests.conformance.runner import Mismatch, Unsupported
from tests.conformance.suites import _api_request, _sql_query
from tests.conformance.suites._later import AS_IN_3_9, cookie_header, is_other_cookie_header, unknown_clients
from tests.conformance.suites._yauaa import yauaa_is_missing

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
    if name in _FUNCTIONS:
        outcome = _FUNCTIONS[name](case)
        return outcome if isinstance(outcome, Unsupported) else list(outcome)
    if name == "sql_query":
        return list(_sql_query.run(case, _with_json, _OFFLINE, vectors))
    if name != "cross_domain" and name not in _NAMES:
        return Unsupported(f"comes with another issue: {name}")
    outcome = list(_columns(case, name, vectors, Compatibility.of()))
    if name == "iab_spiders_and_robots":
        return unknown_clients(outcome, lambda: list(_columns(case, name, vectors, AS_IN_3_9)))
    if name == "cookie_extractor" and is_other_cookie_header(case["input"].get("headers") or ()):
        return [cookie_header(mismatch) for mismatch in outcome]
    return outcome


def _columns(case: dict[str, Any], name: str, vectors: Path, era: Compatibility) -> Iterator[Mismatch]:
    """Columns in, columns out."""
    draft = _draft(case["input"])
    if name == "cross_domain":
        steps.cross_domain(draft)
    else:
        try:
            step = _step(name, json.dumps(case["config"]), vectors, era)
        except AssetError as error:
            prefix = case["expect"].get("startup_error_prefix")
            if not prefix or prefix not in str(error):
                yield Mismatch("start-up", prefix, str(error))
            return
        for before in (*_BEFORE.get(name, ()), step):
            before(draft)
        if name == "event_fingerprint":
            yield from _compare(case, draft, step.text(draft.raw.parameters))  # type: ignore[attr-defined]
            return
    yield from _compare(case, draft)


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
        got = [int(TtlCache(1, ttl).error_ttl) for ttl in config["configured_ttl"]]
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


def _currency(case: dict[str, Any]) -> Iterator[Mismatch]:
    """Rates as the stub of a case gives them, in the form in which the service answers."""
    given, expect, config = dict(case["input"]), dict(case["expect"]), case["config"]
    if "url" in expect:
        account = currency_rates.Account(config["apiKey"], config["accountType"], config["baseCurrency"])
        day = given["request_for"][:10]
        yield from differences("url", expect["url"], account.url(day, "http://openexchangerates.org/api/historical"))
        return
    rates, error = given.pop("stub_rates", None), given.pop("stub_error", None)
    answer = {"error": True, "message": error["message"]} if error else rates and {"rates": _numbers(rates["rates"])}
    stamp = given["collector_tstamp"]
    given["collector_tstamp"] = stamp and stamp.replace("T", " ").rstrip("Z")
    draft = _draft({name: value if value is None else str(value) for name, value in given.items()})
    kind = registered()["currency_conversion_config"]
    key = SchemaKey.parse(f"iglu:{kind.criterion.vendor}/{kind.criterion.name}/jsonschema/1-0-0")
    lookups = {"currency-rates": lambda day: json.dumps(answer) if answer and day >= currency_rates.FIRST_DAY else None}
    services = Services.create(_OFFLINE, run=1_772_668_800_000, lookups=lookups)
    with kind.parse(key, {"parameters": config}).open(services) as step:
        step(draft)
    if case.get("match") == "prefix":
        expected = expect["failures"][0]["message"]["error"]
        got = draft.failures[0]["message"]["error"]
        if not got.startswith(expected):
            yield Mismatch("failures", expected, got)
        return
    yield from _compare(case, draft)


def _numbers(rates: dict[str, str]) -> dict[str, float]:
    return {code: float(rate) for code, rate in rates.items()}


def _weather(case: dict[str, Any]) -> Iterator[Mismatch]:
    given, expect, config = case["input"], case["expect"], case["config"]
    if "round" in given:
        yield from differences("rounded", expect["rounded"], weather.rounded(given["round"], given["geoPrecision"]))
    elif "epoch" in given:
        day = timestamps.to_tsv(given["epoch"] * 1000)[:10]
        yield from differences("start", str(expect["day_start_epoch"]), weather.query(day, "", "", "")["start"])
    elif "derived" in given:
        derived = datetime.fromisoformat(given["derived"]).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.000")
        if "params" in expect:
            made = weather.query(derived[:10], str(given["latitude"]), str(given["longitude"]), config["apiKey"])
            yield from differences("params", expect["params"], made)
        else:
            found = weather.spot(derived, given["latitude"], given["longitude"], given["geoPrecision"])
            yield from differences("key", expect, found._asdict())
    else:
        yield from _weather_calls(case)


def _weather_calls(case: dict[str, Any]) -> Iterator[Mismatch]:
    """Events through the step, against a service that answers as the stub of a case says."""
    given, config = dict(case["input"]), dict(case["config"])
    stub = given.pop("stub", {"status": 200, "body": json.dumps(_WEATHER)})
    config |= {name: given.pop(name) for name in ("geoPrecision", "cacheSize") if name in given}
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.url)
        return Response(stub["status"], {}, stub["body"].encode())

    kind = registered()["weather_enrichment_config"]
    key = SchemaKey.parse(f"iglu:{kind.criterion.vendor}/{kind.criterion.name}/jsonschema/1-0-0")
    services = Services.create(_OFFLINE, http=Http(transport=answer))
    with kind.parse(key, {"parameters": config}).open(services) as step:
        if "requests" not in given:
            draft = _draft(given)
            step(draft)
            yield from _compare(case, draft)
            return
        for latitude, longitude, stamp in given["requests"]:
            time = stamp.replace("T", " ").replace("Z", ".000")
            step(_draft({"geo_latitude": latitude, "geo_longitude": longitude, "derived_tstamp": time}))
    yield from differences("http_calls", case["expect"]["http_calls"], len(asked))


_WEATHER = {"list": [{"dt": 0, "main": {}, "clouds": {"all": 0}}]}


def _api(case: dict[str, Any]) -> Iterator[Mismatch]:
    return _api_request.run(case, _with_json, _OFFLINE)


def _with_json(given: dict[str, Any]) -> Draft:
    """An event, its columns as values of their types, and its JSON."""
    columns = {name: value if value is None else str(value) for name, value in given.get("event", {}).items()}
    draft = _draft(columns)
    for column, schema in (("contexts", _CONTEXTS), ("unstruct_event", _UNSTRUCT)):
        if given.get(column):
            draft.values[INDEX[column]] = json.dumps({"schema": schema, "data": given[column]})
    draft.add(*(Entity(one["schema"], json.dumps(one)) for one in given.get("derived_contexts", ())))
    return draft


def _javascript(case: dict[str, Any]) -> Iterator[Mismatch]:
    """What a script makes of an event. A script that does not compile stops us before any event."""
    given, expect = case["input"], dict(case["expect"])
    kind = registered()["javascript_script_config"]
    key = SchemaKey.parse(f"iglu:{kind.criterion.vendor}/{kind.criterion.name}/jsonschema/1-0-0")
    draft = _with_json(given)
    try:
        with kind.parse(key, {"parameters": case["config"]}).open(Services.create(_OFFLINE)) as step:
            step(draft)
    except ConfigError as error:
        yield Mismatch("refused(does not compile)", expect, str(error))
        return
    if case.get("match") == "contains":
        for wanted, got in zip(expect.pop("failures"), draft.failures, strict=True):
            text = got["message"]["error"]
            if wanted["message"]["error"] not in text or wanted["enrichment"] != got["enrichment"]:
                yield Mismatch("failures", wanted, got)
        expect["failures"] = draft.failures
    columns = expect.pop("event", {})
    yield from _compare(case | {"expect": expect | columns}, draft)


_CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
_UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"


def _yauaa(case: dict[str, Any]) -> Iterator[Mismatch] | Unsupported:
    """The real library: one JVM answers all cases."""
    missing = yauaa_is_missing()
    if missing:
        return Unsupported(missing)
    given = dict(case["input"])
    if given["useragent"]:
        given["useragent"] = given["useragent"].replace("\n", "")  # no event has line ends there
    draft = _draft(given)
    kind = registered()["yauaa_enrichment_config"]
    key = SchemaKey.parse(f"iglu:{kind.criterion.vendor}/{kind.criterion.name}/jsonschema/1-0-0")
    services = Services.create(_OFFLINE, lookups={"yauaa": _agents()})
    with kind.parse(key, {"parameters": case["config"]}).open(services) as step:
        step(draft)
    expect = case["expect"]
    if "absent_keys" in expect:
        keys = exact_json(draft.entities[0].json)["data"]
        return differences("absent_keys", [], [name for name in expect["absent_keys"] if name in keys])
    if case.get("match") == "subset":
        got = exact_json(draft.entities[0].json)
        [expected] = expect["contexts"]
        got["data"] = {name: got["data"].get(name) for name in expected["data"]}
        return differences("contexts", [expected], [got])
    return _compare(case, draft)


@functools.cache
def _agents() -> Callable[[str], str | None]:
    return live(Agents(), _OPENED)


_FUNCTIONS: dict[str, Callable[[dict[str, Any]], Iterator[Mismatch] | Unsupported]] = {
    "api_request": _api,
    "javascript_script": _javascript,
    "yauaa": _yauaa,
    "json_path": _json_path,
    "lookup_cache": _lookup_cache,
    "pii_pseudonymization": _pii,
    "currency_conversion": _currency,
    "weather": _weather,
}
"""Kinds of cases that are not just columns in, columns out."""


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
def _step(name: str, config: str, vectors: Path, era: Compatibility) -> Step:
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
        return _OPENED.enter_context(conf.open(Services.create(_OFFLINE, files=files, compatibility=era)))


def _file(path: Path) -> dict[str, str]:
    return {"uri": str(path.resolve().parent), "database": path.name}


# --- configuration ------------------------------------------------------------------------------------------------


def _registry(case: dict[str, Any]) -> list[Mismatch]:
    expect, config = case["expect"], case["config"]
    try:
        with _permissive_resolver(config["schema"]) as resolver:
            loaded = EnrichConfig.load(resolver=resolver, enrichments=[config], input_format="thrift", etl_tstamp=0)
    except ConfigError as error:
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
        "apiHost": lambda conf: conf.host,
        "cacheSize": lambda conf: conf.cache_size,
        "geoPrecision": lambda conf: conf.precision,
        "timeout": lambda conf: conf.timeout,
        "accountType": lambda conf: conf.kind,
        "apiKey": lambda conf: conf.api_key,
        "baseCurrency": lambda conf: conf.base,
        "cookies": lambda conf: list(conf.cookies),
        "headersPattern": lambda conf: conf.pattern,
        "script": lambda conf: conf.script,
        "connection": _jdbc,
        "ignoreOnError": lambda conf: conf.ignore_on_error,
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


def _jdbc(conf: Any) -> str:
    """The connection string the reference makes of a database's configuration."""
    at = conf.address
    encryption = {
        "postgresql": "&ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory" if at.encrypted else "",
        "mysql": f"&sslMode={'REQUIRED' if at.encrypted else 'PREFERRED'}",
    }
    server = f"jdbc:{conf.kind}://{at.host}:{at.port}/{at.database}"
    return f"{server}?user={at.user}&password={at.password}{encryption[conf.kind]}"


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
