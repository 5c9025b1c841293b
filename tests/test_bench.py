"""The bench: its traffic is what it says, always the same; its commands print what they promise."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from bench import machine, stages, traffic
from bench.compare import STEPS, Baseline, Comparison, compare, trees
from bench.library import measure, read_records
from bench.shared import filled_profile, resolver
from snowetl import EnrichConfig, Enricher
from snowetl.enrich.enrichments import registered
from snowetl.errors import UsageError
from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_traffic_is_the_same_each_time() -> None:
    assert list(traffic.records(300)) == list(traffic.records(300))
    assert list(traffic.records(50)) == list(islice(traffic.records(300), 50))
    assert list(traffic.records(50, seed="other")) != list(traffic.records(50))


@pytest.mark.slow
def test_traffic_has_the_shares_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = EnrichConfig.load(
        resolver="fixtures/resolver.json", input_format="thrift", etl_tstamp=0, processor=("bench", "1")
    )
    enricher = Enricher(config)
    counts: Counter[str | None] = Counter()
    records = broken = 0
    for record in traffic.records(3000):
        records += 1
        results = list(enricher.process(record))
        broken += isinstance(results[0], BadRow)
        counts.update(result["event"] for result in results if not isinstance(result, BadRow))
    views = counts["page_view"] + counts["page_ping"]
    assert 0.67 < views / counts.total() < 0.73
    assert set(counts) == {"page_view", "page_ping", "struct", "unstruct"}
    assert 0.012 < broken / records < 0.028


@pytest.mark.slow
def test_unseen_traffic_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = EnrichConfig.load(resolver="fixtures/resolver.json", input_format="thrift", etl_tstamp=0)
    enricher = Enricher(config)
    made = [list(enricher.process(record)) for record in traffic.records(1000, unseen=True)]
    first = [results[0] for results in made if isinstance(results[0], EnrichedEvent)]
    assert len(first) > 960
    for column in ("useragent", "user_ipaddress", "page_url", "domain_userid"):
        assert len({event[column] for event in first}) > 0.95 * len(first), column


@pytest.mark.slow
def test_a_tree_is_compared_with_a_revision() -> None:
    if subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True).returncode != 0:
        pytest.skip("this is not a git clone")
    with trees("HEAD", compiled=False) as both:
        assert both.builds() == "pure Python ÷ pure Python"
        measured = list(compare(both, count=30, pairs=1))
    assert [one.name for one in measured] == ["none, warm", "none, unseen", "standard, warm", "standard, unseen"]
    assert all(one.ratio > 0 and one.control > 0 for one in measured)
    with pytest.raises(UsageError, match="git has no revision nothing"), trees("nothing", compiled=False):
        pass


@pytest.mark.slow
def test_transforms_are_compared_with_a_revision() -> None:
    if subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True).returncode != 0:
        pytest.skip("this is not a git clone")
    with trees("HEAD", compiled=False) as both:
        measured = list(STEPS["transform"].measure(both, 30, 1))
    assert [one.name for one in measured] == [
        *("shredded, PostgreSQL", "shredded, Redshift", "wide, JSON", "wide, Parquet")
    ]
    assert all(one.ratio > 0 and one.control > 0 for one in measured)


def test_a_loss_against_the_stored_ratios_is_told() -> None:
    baseline = Baseline("abc", {"none, warm": 1.5, "standard, warm": 1.2})
    measured = [
        Comparison("none, warm", 1.3, 1.0),
        Comparison("standard, warm", 1.19, 1.0),
        Comparison("new", 0.1, 1.0),
    ]
    assert baseline.losses(measured) == ["none, warm: 1.30 times the rate of abc, 1.50 was stored"]
    assert replace(baseline, python="3.9.1").losses(measured) == []
    assert Baseline.read().revision


def test_the_interpreter_is_named_with_its_build(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = "'--enable-optimizations' '--with-lto=full' '--prefix=/usr'"
    monkeypatch.setattr("sysconfig.get_config_var", lambda name: flags)
    assert "optimised build (--enable-optimizations, --with-lto)" in machine.interpreter()
    monkeypatch.setattr("sysconfig.get_config_var", lambda name: None)
    assert "plain build (no --enable-optimizations, no --with-lto)" in machine.interpreter()


@pytest.mark.slow
def test_stages_are_told_in_the_order_of_an_events_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    stages.show(20, "fixtures/resolver.json", "fixtures/enrichments", passes=2)
    names = [line[:34].strip() for line in capsys.readouterr().out.splitlines()[1:]]
    assert names[:2] == ["record to payload", "payload to events"]
    assert names.index("parameters") < names.index("page_uri") < names.index("anon_ip")
    assert names[-1] == "line"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["records.jsonl", "records.jsonl.gz"])
def test_library_measures_records_of_a_file(name: str, tmp_path: Path) -> None:
    traffic.write(tmp_path / name, 60)
    arguments = ["--records", tmp_path / name, "--enrichments", "fixtures/enrichments", "--passes", "2"]
    command = [sys.executable, "-m", "bench", "library", *map(str, arguments), "--json"]
    out = subprocess.check_output([*command, "--resolver", "fixtures/resolver.json"], cwd=ROOT, text=True)
    result = json.loads(out)
    assert result["records"] == 60
    assert result["events"] > 60
    assert 0 < result["best"] <= result["median"]
    assert result["events_per_second"] == round(result["events"] / result["best"])


def test_lines_and_bytes_may_be_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    line = "2026-03-02\t08:00:00\tX\t43\t198.18.0.7\tGET\thost\t/i\t200\t-\tcurl/8\te=pv&p=web&tv=js-3"
    file = tmp_path / "mixed.jsonl"
    traffic.write(file, 5)
    with file.open("a") as lines:
        lines.write(json.dumps({"id": "x", "format": "cloudfront", "line": line}) + "\n")
    result = measure(read_records(file), "fixtures/resolver.json", None, passes=1)
    assert result.records == 6


def test_profiles_are_filled_in(tmp_path: Path) -> None:
    profile, assets = tmp_path / "profile", tmp_path / "assets"
    profile.mkdir()
    assert filled_profile(profile, assets, tmp_path / "made") is None
    (profile / "a.json").write_text('{"uri": "file://@ASSETS@/geo"}')
    made = filled_profile(profile, assets, tmp_path / "made")
    assert made is not None
    assert json.loads((made / "a.json").read_text()) == {"uri": f"file://{assets}/geo"}
    assert filled_profile(profile, None, tmp_path / "made") == profile
    with pytest.raises(UsageError):
        filled_profile(tmp_path / "nowhere", None, tmp_path / "made")


def test_registries_become_a_resolver(tmp_path: Path) -> None:
    repositories = resolver([tmp_path, ROOT])["data"]["repositories"]
    assert [one["priority"] for one in repositories] == [1, 2]
    assert repositories[0]["connection"]["http"]["uri"] == tmp_path.as_uri()


def test_records_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text("{}\n")
    with pytest.raises(UsageError, match=r"broken\.jsonl"):
        read_records(file)


@pytest.mark.postgres
def test_the_warehouse_part_measures_every_kind_and_a_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.warehouse import enriched_lines, load_rates, transform_rates

    monkeypatch.chdir(ROOT)
    lines = enriched_lines(200, "fixtures/resolver.json", "fixtures/enrichments")
    assert len(lines) == 200
    rates = transform_rates(lines, "fixtures/resolver.json")
    assert set(rates) == {"shred", "widerow-json", "widerow-parquet"}
    assert min(rates.values()) > 0
    loads = load_rates(lines, "fixtures/resolver.json", tmp_path, pairs=2)
    assert len(loads) == 2 and len({load.rows for load in loads}) == 1
    for load in loads:
        assert load.rows > 200
        assert 0 < load.copied < load.whole
        assert load.psql > 0 and load.client > 0


@pytest.mark.slow
def test_deduplication_is_measured_with_each_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import deduplication
    from bench.warehouse import enriched_lines

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(deduplication, "_ROUNDS", 1)
    lines = enriched_lines(30, "fixtures/resolver.json", "fixtures/enrichments")
    found = deduplication.costs(lines, "fixtures/resolver.json", tmp_path)
    assert list(found) == ["within a batch", "and earlier ones, PostgreSQL", "and earlier ones, DynamoDB"]
    assert found["and earlier ones, DynamoDB"] > 0


@pytest.mark.slow
def test_loads_of_wide_rows_are_measured_beside_the_plain_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.warehouse import enriched_lines
    from bench.wide import wide_loads

    monkeypatch.chdir(ROOT)
    lines = enriched_lines(200, "fixtures/resolver.json", "fixtures/enrichments")
    found = wide_loads(lines, "fixtures/resolver.json", tmp_path, pairs=1)
    assert set(found) - {"clickhouse"} == {"duckdb", "delta", "iceberg"}
    for [load] in found.values():
        assert load.rows == 200 and load.load > 0 and load.plain > 0


@pytest.mark.slow
def test_each_enrichment_is_measured_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row of the table adds what it is for, to an event like those that are measured; and none is missing."""
    from bench import enrichments

    monkeypatch.chdir(ROOT)
    resolver = enrichments.resolver_of(tmp_path)
    traffic_of = list(traffic.records(60, transactions=True))
    measured = set()
    with ExitStack() as stack:
        for case in enrichments.cases(tmp_path, stack):
            with enrichments.enricher_of((*case.besides, case.configuration), resolver) as enricher:
                results = [result for record in traffic_of for result in enricher.process(record)]
            events = [result for result in results if isinstance(result, EnrichedEvent)]
            assert len(events) > 0.9 * len(results), case.name
            measured.add(case.configuration["data"]["name"])
            if adds := ADDS.get(case.name.partition(",")[0]):
                assert any(adds in str(event.to_dict()) for event in events), case.name
    measured.add("sql_query_enrichment_config")  # whose servers need not be installed
    assert measured >= {name for name in registered() if not name.startswith(("extra_", "yauaa"))}


ADDS = {
    "event_specifications": "event_specification/",
    "iab_spiders_and_robots": "spiders_and_robots/",
    "bot_detection": "bot_detection/",
    "cookie_extractor": "http_cookie/",
    "http_header_extractor": "http_header/",
    "weather": "org.openweathermap/weather/",
    "currency_conversion": "'base_currency': 'EUR'",
    "api_request": "com.example/customer/",
    "sql_query": "com.example/customer/",
}


@pytest.mark.slow
def test_the_cost_of_an_enrichment_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import enrichments

    monkeypatch.chdir(ROOT)
    script = enrichments.script("function process(event) { for (var i = 0; i < 1e5; i++); return null; }")
    few = enrichments.Traffic.of(10, passes=3)
    cost = enrichments.measure(enrichments.Case("slow", script), enrichments.resolver_of(tmp_path), few)
    assert cost.warm > 100 and cost.unseen > 100
    assert cost.unseen_clock > 100
