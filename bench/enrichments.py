"""What each enrichment costs: processor time per event over what the same events cost without it.

The events are those of :mod:`bench.traffic`; what an enrichment asks runs on this machine: databases, an HTTP server,
Java. ``warm`` repeats the same records, so that every cache answers; ``unseen`` gives records whose visitors, agents,
addresses and pages the enricher has not had before. With and without take turns, pass by pass; the median of what such
pairs differ counts.
"""

from __future__ import annotations

import base64
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import snowetl
from bench.library import ETL_TSTAMP
from bench.traffic import records
from snowetl import EnrichConfig, Enricher
from snowetl.enrich.enrichments.currency_conversion import ENDPOINT_VARIABLE
from snowetl.enrich.enrichments.yauaa_jars import JARS_VARIABLE
from snowetl.errors import ConfigError
from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent

FIXTURES = Path("fixtures")
SHARED, OWN = "com.snowplowanalytics.snowplow", "com.snowplowanalytics.snowplow.enrichments"
CUSTOMERS = 10_000
YAUAA_AGENTS = 5_000
CUSTOMER = "iglu:com.example/customer/jsonschema/1-0-0"
_PLANS = ("free", "plus", "pro")
_GETTERS = "function process(event) { event.getApp_id(); event.getPage_url(); return null; }"
_ENTITY = f"""function process(event) {{
  const contexts = JSON.parse(event.getContexts() || '{{"data": []}}').data;
  return [{{schema: '{CUSTOMER}', data: {{plan: contexts.length > 1 ? 'pro' : 'free'}}}}];
}}"""
_ROBOTS = ("bot", "crawl", "spider", "headless", "preview")
_IAB = {
    "ipFile": ("ip_exclude_current_cidr.txt", "198.51.100.7\n203.0.113.0/24\n"),
    "excludeUseragentFile": ("exclude_current.txt", "".join(f"{name}|1||0|1|0\n" for name in _ROBOTS)),
    "includeUseragentFile": ("include_current.txt", "Mozilla/|1|1\nOpera/|1|1\nAppleWebKit|1|0\n"),
}


@dataclass(frozen=True)
class Case:
    """One row of the table: an enrichment beside those it builds on, which the comparison has too."""

    name: str
    configuration: dict[str, Any]
    besides: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Cost:
    """Microseconds an event: ``warm`` and ``unseen`` of processor time, ``unseen_clock`` with waiting for others."""

    name: str
    warm: float
    unseen: float
    unseen_clock: float


def configuration(vendor: str, name: str, version: str, **parameters: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"vendor": vendor, "name": name, "enabled": True}
    if parameters:
        data["parameters"] = parameters
    return {"schema": f"iglu:{vendor}/{name}/jsonschema/{version}", "data": data}


PRODUCT = "com.snowplowanalytics.snowetl"
_PAGE_VIEW = {"source": "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0"}
_SPECIFICATION = {
    "resourceName": "0f0c9c1e-6f1a-4d7c-9d53-3c2f5b6a7d80",
    "name": "View",
    "version": 1,
    "event": _PAGE_VIEW,
}
_TRACKING_PLAN = {"data": {"name": "Site", "eventSpecifications": [_SPECIFICATION]}}


def cases(folder: Path, stack: ExitStack) -> Iterator[Case]:
    """A realistic configuration of each enrichment. Servers run until ``stack`` is closed; ``folder`` is for files."""
    standard = {
        file.stem: json.loads(file.read_text("utf-8")) for file in sorted((FIXTURES / "enrichments").glob("*.json"))
    }
    for name, config in standard.items():
        yield Case(name.removesuffix("_config"), config)
    lookups, rules = standard["ip_lookups"], standard["ua_parser_config"]
    for file, content in _IAB.values():
        (folder / file).write_text(content)
    lists = {name: {"uri": folder.as_uri(), "database": file} for name, (file, _) in _IAB.items()}
    iab = configuration(OWN, "iab_spiders_and_robots_enrichment", "1-0-0", **lists)
    yield Case("iab_spiders_and_robots", iab)
    yield Case("asn_lookups", configuration(OWN, "asn_lookups", "1-0-0", botAsns=[{"asn": 64500}]), (lookups,))
    detection = configuration(
        OWN, "bot_detection_enrichment_config", "1-0-0", useIab=True, useYauaa=False, useAsnLookups=False
    )
    yield Case("bot_detection", detection, (iab, rules))
    yield Case("cookie_extractor", configuration(SHARED, "cookie_extractor_config", "1-0-0", cookies=["sp", "_ga"]))
    header = configuration(OWN, "http_header_extractor_config", "1-0-0", headersPattern="(?i)(host|accept-language)")
    yield Case("http_header_extractor", header)
    yield Case("cross_navigation", configuration(OWN, "cross_navigation_config", "1-0-0"))
    (folder / "plan.json").write_text(json.dumps(_TRACKING_PLAN))
    plan = {"uri": folder.as_uri(), "database": "plan.json"}
    yield Case("event_specifications", configuration(PRODUCT, "event_specifications", "1-0-0", **plan))
    yield Case("pii_pseudonymization", _pii())
    yield Case("javascript_script, two getters", script(_GETTERS))
    yield Case("javascript_script, an entity", script(_ENTITY))
    from tests.iglu.server import Answer, serving

    now = {"temp": 281.5, "temp_min": 280, "temp_max": 283, "pressure": 1012, "humidity": 81}
    stamp = {"dt": 1772452800, "main": now, "clouds": {"all": 40}, "wind": {"speed": 4.4, "deg": 190}, "weather": []}
    weather = json.dumps({"cod": "200", "list": [stamp]}).encode()
    server = stack.enter_context(serving(lambda path: Answer(body=weather)))
    asked = {"apiKey": "key", "cacheSize": 5100, "geoPrecision": 1, "timeout": 5, "apiHost": server.uri}
    yield Case("weather", configuration(OWN, "weather_enrichment_config", "1-0-0", **asked), (lookups,))
    rates = json.dumps({"rates": {"USD": 1, "EUR": 0.8, "GBP": 0.64}}).encode()
    server = stack.enter_context(serving(lambda path: Answer(body=rates)))
    stack.enter_context(patch.dict("os.environ", {ENDPOINT_VARIABLE: server.uri}))
    account = {"apiKey": "key", "accountType": "DEVELOPER", "baseCurrency": "EUR", "rateAt": "EOD_PRIOR"}
    yield Case("currency_conversion", configuration(SHARED, "currency_conversion_config", "1-0-0", **account))
    server = stack.enter_context(serving(lambda path: Answer(body=b'{"customer": {"plan": "pro"}}')))
    yield Case("api_request", _api(server.uri))
    yield from _databases(stack)


def _pii() -> dict[str, Any]:
    scalars = ("user_id", "user_ipaddress", "domain_userid", "network_userid")
    session = {
        "field": "contexts",
        "schemaCriterion": "iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-*-*",
        "jsonPath": "$.userId",
    }
    fields = [*({"pojo": {"field": name}} for name in scalars), {"json": session}]
    strategy = {"pseudonymize": {"hashFunction": "SHA-256", "salt": "oolong"}}
    config = configuration(OWN, "pii_enrichment_config", "2-0-0", pii=fields, strategy=strategy)
    config["data"]["emitEvent"] = False
    return config


def script(code: str) -> dict[str, Any]:
    return configuration(SHARED, "javascript_script_config", "1-0-0", script=base64.b64encode(code.encode()).decode())


def _api(uri: str) -> dict[str, Any]:
    return configuration(
        OWN,
        "api_request_enrichment_config",
        "1-0-0",
        inputs=[{"key": "user", "pojo": {"field": "user_id"}}],
        api={"http": {"method": "GET", "uri": f"{uri}/{{{{user}}}}", "timeout": 2000, "authentication": {}}},
        outputs=[{"schema": CUSTOMER, "json": {"jsonPath": "$.customer"}}],
        cache={"size": 3000, "ttl": 3600},
    )


def _databases(stack: ExitStack) -> Iterator[Case]:
    import pytest  # tests/databases.py skips with its words where a server is not installed

    for start in (_postgres, _mariadb):
        try:
            yield start(stack)
        except pytest.skip.Exception as missing:
            print(f"  sql_query is not measured: {missing}")


_TABLE = "CREATE TABLE customers (login VARCHAR(40) PRIMARY KEY, plan VARCHAR(20))"
_INSERT = "INSERT INTO customers VALUES (%s, %s)"
_ROWS = [(f"customer-{number}", _PLANS[number % len(_PLANS)]) for number in range(CUSTOMERS)]


def _postgres(stack: ExitStack) -> Case:
    import psycopg

    from tests.databases import ADMIN, ADMIN_PASSWORD, postgres_server

    port = stack.enter_context(postgres_server())
    at: dict[str, Any] = {"host": "127.0.0.1", "port": port, "user": ADMIN, "password": ADMIN_PASSWORD}
    with psycopg.connect(**at, dbname="postgres") as connection, connection.cursor() as cursor:
        cursor.execute(_TABLE)
        cursor.executemany(_INSERT, _ROWS)
    return Case("sql_query, PostgreSQL", _sql("postgresql", port, "postgres", ADMIN, ADMIN_PASSWORD))


def _mariadb(stack: ExitStack) -> Case:
    import pymysql

    from tests.databases import ADMIN, ADMIN_PASSWORD, mariadb_server

    port = stack.enter_context(mariadb_server())
    at: dict[str, Any] = {"host": "127.0.0.1", "port": port, "user": ADMIN, "password": ADMIN_PASSWORD}
    with pymysql.connect(**at, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop")
        cursor.execute("USE shop")
        cursor.execute(_TABLE)
        cursor.executemany(_INSERT, _ROWS)
    return Case("sql_query, MariaDB", _sql("mysql", port, "shop", ADMIN, ADMIN_PASSWORD))


def _sql(kind: str, port: int, database: str, user: str, password: str) -> dict[str, Any]:
    at = {"host": "127.0.0.1", "port": port, "sslMode": False, "username": user, "password": password}
    shape = {"schema": CUSTOMER, "describes": "ALL_ROWS", "propertyNames": "AS_IS"}
    return configuration(
        OWN,
        "sql_query_enrichment_config",
        "1-0-0",
        inputs=[{"placeholder": 1, "pojo": {"field": "user_id"}}],
        database={kind: at | {"database": database}},
        query={"sql": "SELECT plan FROM customers WHERE login = ?"},
        output={"expectedRows": "AT_MOST_ONE", "json": shape},
        cache={"size": 3000, "ttl": 3600},
    )


PASSES = 7
_Batch = Sequence[bytes]


@dataclass(frozen=True)
class Traffic:
    """Records that are repeated, and two batches for each pass that no enricher has had before."""

    repeated: _Batch
    unseen: Sequence[tuple[_Batch, _Batch]]

    @classmethod
    def of(cls, count: int, passes: int = PASSES) -> Traffic:
        fresh = records(2 * count * passes, unseen=True, transactions=True)
        batches = [(list(islice(fresh, count)), list(islice(fresh, count))) for _ in range(passes)]
        return cls(list(records(count, transactions=True)), batches)


def costs(count: int) -> Iterator[Cost]:
    """The table, row by row, over ``count`` records."""
    traffic = Traffic.of(count)
    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        resolver = resolver_of(folder)
        for case in cases(folder, stack):
            yield measure(case, resolver, traffic)


def measure(case: Case, resolver: dict[str, Any], traffic: Traffic) -> Cost:
    repeated = (traffic.repeated, traffic.repeated)
    with (
        enricher_of(case.besides, resolver) as without,
        enricher_of((*case.besides, case.configuration), resolver) as both,
    ):
        _difference(without, both, [repeated])
        warm, _ = _difference(without, both, [repeated] * len(traffic.unseen))
        unseen, clock = _difference(without, both, traffic.unseen)
    return Cost(case.name, warm, unseen, clock)


def _difference(without: Enricher, both: Enricher, batches: Iterable[tuple[_Batch, _Batch]]) -> tuple[float, float]:
    """Microseconds an event that ``both`` takes beyond ``without``: of processor time, and by the clock.

    Each has batches of its own where they are to be unseen: some caches are shared by a whole process.
    """
    pairs = [(_pass(without, left), _pass(both, right)) for left, right in batches]
    processor, clock = (statistics.median(more[kind] - less[kind] for less, more in pairs) for kind in (0, 1))
    return processor, clock


def _pass(enricher: Enricher, batch: _Batch) -> tuple[float, float]:
    """Microseconds a result: of processor time, and by the clock."""
    made = 0
    clock, processor = time.perf_counter(), time.process_time()
    for record in batch:
        for result in enricher.process(record):
            made += 1
            if isinstance(result, BadRow):
                result.to_json()
            elif isinstance(result, EnrichedEvent):
                result.to_tsv()
    return (time.process_time() - processor) / made * 1e6, (time.perf_counter() - clock) / made * 1e6


def enricher_of(configurations: Sequence[dict[str, Any]], resolver: dict[str, Any]) -> Enricher:
    listed = {"schema": f"iglu:{SHARED}/enrichments/jsonschema/1-0-0", "data": list(configurations)}
    return Enricher(
        EnrichConfig.load(resolver=resolver, enrichments=listed, input_format="thrift", etl_tstamp=ETL_TSTAMP)
    )


def resolver_of(folder: Path) -> dict[str, Any]:
    """The fixtures' registries, and one with the entity of the lookups."""
    vendor, name, form, version = CUSTOMER.removeprefix("iglu:").split("/")
    schema = {
        "self": {"vendor": vendor, "name": name, "format": form, "version": version},
        "type": "object",
        "properties": {"plan": {"type": ["string", "null"], "maxLength": 20}},
        "additionalProperties": False,
    }
    file = folder / "schemas" / vendor / name / form / version
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(schema))
    resolver: dict[str, Any] = json.loads((FIXTURES / "resolver.json").read_text("utf-8"))
    resolver["data"]["repositories"].append(
        {"name": "bench", "priority": 2, "vendorPrefixes": [], "connection": {"http": {"uri": folder.as_uri()}}}
    )
    return resolver


@dataclass(frozen=True)
class YauaaCost:
    """Seconds of processor time, Java's too, beyond the job without it: once a run for ``agents``, and an event."""

    agents: int
    fixed: float
    per_event: float

    def of(self, events: int) -> float:
        return self.fixed + events * self.per_event


def yauaa_cost(count: int) -> YauaaCost:
    """Jobs with and without yauaa over ``count`` (at least 5,000) and four times as many records of 5,000 agents.

    All agents are in both, since what an agent costs is not what an event costs. The cost of an event is the
    difference of this process alone: Java sees no events, and its time varies by seconds. Raises ``ConfigError``
    without Java or the library's jars.
    """
    from snowetl.enrich.enrichments import yauaa_library

    yauaa_library.check()
    yauaa = configuration(OWN, "yauaa_enrichment_config", "1-0-0")
    _yauaa_extra(yauaa, 100)  # what is done once in a process
    small, large = (_yauaa_extra(yauaa, records) for records in (count, 4 * count))
    per_event = (large.seconds - small.seconds) / (large.events - small.events)
    once = small.seconds - small.events * per_event
    return YauaaCost(YAUAA_AGENTS, once + (small.java + large.java) / 2, per_event)


class _Spent(NamedTuple):
    """``seconds`` of processor time of this process, and ``java`` of that which it starts."""

    events: int
    seconds: float
    java: float


def _yauaa_extra(yauaa: dict[str, Any], count: int) -> _Spent:
    """What the job takes beyond the one without the enrichment."""
    from bench.job import write_input

    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as name:
        folder = Path(name)
        write_input(folder / "in", count, parade=YAUAA_AGENTS)
        (folder / "yauaa").mkdir()
        (folder / "yauaa" / "yauaa.json").write_text(json.dumps(yauaa))
        plain = _job(folder, "plain")
        full = _job(folder, "full", enrichments=str(folder / "yauaa"))
    return _Spent(full.events, full.seconds - plain.seconds, full.java - plain.java)


def _job(folder: Path, name: str, **options: Any) -> _Spent:
    """What ``snowetl enrich`` takes in this process."""
    seconds, java = time.process_time(), _seconds_of_children()
    report = snowetl.enrich(
        master="none",
        run_id="2026-03-05-00-00-00",
        input_folder=(str(folder / "in"),),
        input_format="thrift",
        output_folder=str(folder / name),
        bad_folder=str(folder / f"{name}-bad"),
        iglu_config=str(FIXTURES / "resolver.json"),
        **options,
    )
    assert report is not None
    return _Spent(report.events, time.process_time() - seconds, _seconds_of_children() - java)


def _seconds_of_children() -> float:
    """Processor time of all processes that this one has started and seen end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def show(count: int) -> None:
    """Print the table."""
    print(f"what each enrichment adds, microseconds an event ({count:,} records, median of {PASSES} pairs)")
    print(f"  {'':<34}{'warm':>8}{'unseen':>8}{'by the clock':>14}", flush=True)
    for cost in costs(count):
        print(f"  {cost.name:<34}{cost.warm:>8.1f}{cost.unseen:>8.1f}{cost.unseen_clock:>14.1f}", flush=True)
    try:
        yauaa = yauaa_cost(count * 20)
    except ConfigError as error:
        print(f"  yauaa is not measured ({JARS_VARIABLE}): {error}")
        return
    print(
        f"  yauaa, {yauaa.agents:,} agents, a million events: {yauaa.of(1_000_000):.0f} s of processor time more than"
    )
    print(f"  without it ({yauaa.fixed:.1f} s once, with Java's; {yauaa.per_event * 1e6:.1f} us an event)")
