"""The order of steps follows from the places the enrichments name (reference 04 §2)."""

from __future__ import annotations

from snowetl.enrich.enrichments import registered
from snowetl.enrich.enrichments.base import Place
from snowetl.enrich.steps import PlacedStep, arrange


def _placed(name: str, place: Place) -> PlacedStep:
    return PlacedStep(name, place, lambda draft: None)


def _names(*configured: PlacedStep, legacy: bool = False) -> tuple[list[str], list[str]]:
    before, after = arrange(configured, legacy=legacy)
    return [name for name, _ in before], [name for name, _ in after]


def test_the_order_of_the_built_in_ones() -> None:
    before, after = _names(*(_placed(name, one.place) for name, one in registered().items()))
    expected = (
        "collector_version page_uri derived_timestamp iab_spiders_and_robots_enrichment user_agent_utils_config "
        "ua_parser_config currency_conversion_config referrer_uri referer_parser page_querystring campaign_attribution "
        "cross_domain cross_navigation_config event_fingerprint_config cookie_extractor_config "
        "http_header_extractor_config yauaa_enrichment_config event_schema ip_lookups weather_enrichment_config "
        "asn_lookups bot_detection_enrichment_config javascript_script_config sql_query_enrichment_config "
        "api_request_enrichment_config extra_api_request_enrichment_config event_specifications"
    )
    assert before == [name for name in expected.split() if name in before]
    assert after == [name for name in ("anon_ip", "pii_enrichment_config") if name in after]


def test_the_legacy_order() -> None:
    script, currency = _placed("js", Place(200, legacy=182)), _placed("currency", Place(80, legacy=184))
    lookups, sql = _placed("ip", Place(190)), _placed("sql", Place(210))
    assert [name for name in _names(sql, script, lookups, currency)[0] if len(name) < 9] == [
        "page_uri",
        "currency",
        "ip",
        "js",
        "sql",
    ]
    assert _names(sql, script, lookups, currency, legacy=True)[0][-5:] == [
        "event_schema",
        "js",
        "currency",
        "ip",
        "sql",
    ]


def test_names_break_ties_and_privacy_comes_last() -> None:
    before, after = _names(_placed("z", Place(250)), _placed("b", Place(115)), _placed("a", Place(115)))
    assert before[before.index("page_querystring") + 1 :][:3] == ["a", "b", "cross_domain"]
    assert after == ["z"]
