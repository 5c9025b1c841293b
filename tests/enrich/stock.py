"""Configurations as they lie in the ``enrichments/`` folders of Snowplow pipelines, of every year.

By vendor and name, each published version: the ``parameters`` people write there (``None`` where there are none). The
values are this project's own; addresses are those of the example fixtures, so that what they name can be opened.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

SNOWPLOW = "com.snowplowanalytics.snowplow"
ENRICHMENTS = f"{SNOWPLOW}.enrichments"
FIXTURES = Path(__file__).parents[2] / "fixtures"

_MAXMIND = (FIXTURES / "maxmind").as_uri()
_REFERERS = {"database": "referers.json", "uri": (FIXTURES / "referers").as_uri()}
_SCRIPT = base64.b64encode(b"function process(event) { event.setApp_id('shop'); return []; }").decode()
_UTM = {
    "mktMedium": ["utm_medium", "medium"],
    "mktSource": ["utm_source", "source"],
    "mktTerm": ["utm_term"],
    "mktContent": ["utm_content"],
    "mktCampaign": ["utm_campaign", "campaign"],
}
_PARAMETERS = ["cv", "eid", "nuid", "stm"]
_OWN_SOURCES = {"chatbot": {"Acme Assistant": {"domains": ["assistant.acme.example"]}}}
_NAMED_SOURCES = {
    "chatbot": {"Acme Assistant": {"domains": ["assistant.acme.example"], "utm_sources": ["assistant.acme.example"]}}
}
_PII = [
    {"pojo": {"field": "user_id"}},
    {"pojo": {"field": "user_ipaddress"}},
    {
        "json": {
            "field": "unstruct_event",
            "schemaCriterion": "iglu:com.mailchimp/subscribe/jsonschema/1-0-*",
            "jsonPath": "$.data.['email', 'ip_opt']",
        }
    },
]
_USER = {"field": "user_id"}
_PLAN = {"field": "contexts", "schemaCriterion": "iglu:com.acme/account/jsonschema/1-*-*", "jsonPath": "$.plan"}


def _mmdb(**databases: str) -> dict[str, Any]:
    return {kind: {"database": database, "uri": _MAXMIND} for kind, database in databases.items()}


def _iab(**lists: list[str]) -> dict[str, Any]:
    files = {"ipFile": "ip_exclude_current_cidr", "excludeUseragentFile": "exclude_current"}
    files["includeUseragentFile"] = "include_current"
    return {name: {"database": f"{file}.txt", "uri": "s3://acme-private/iab"} for name, file in files.items()} | lists


def _api(size: int, **more: Any) -> dict[str, Any]:
    http = {"method": "GET", "uri": "https://crm.acme.example/users/{{user}}?plan={{plan}}", "timeout": 2000}
    authentication = {"httpBasic": {"username": "etl", "password": "s3cret"}}
    return {
        "inputs": [{"key": "user", "pojo": _USER}, {"key": "plan", "json": _PLAN}],
        "api": {"http": {**http, "authentication": authentication}},
        "outputs": [{"schema": "iglu:com.acme/customer/jsonschema/1-0-0", "json": {"jsonPath": "$.customer"}}],
        "cache": {"size": size, "ttl": 60},
        **more,
    }


def _sql(kind: str, **more: Any) -> dict[str, Any]:
    database = {"host": "crm.acme.example", "port": 5432, "sslMode": True, "username": "etl", "password": "s3cret"}
    output = {"schema": "iglu:com.acme/customer/jsonschema/1-0-0", "describes": "ALL_ROWS", "propertyNames": "AS_IS"}
    return {
        "inputs": [{"placeholder": 1, "pojo": _USER}, {"placeholder": 2, "json": _PLAN}],
        "database": {kind: {**database, "database": "crm"}},
        "query": {"sql": "SELECT tier FROM customers WHERE login = ? AND plan = ?"},
        "output": {"expectedRows": "AT_MOST_ONE", "json": output},
        "cache": {"size": 3000, "ttl": 60},
        **more,
    }


def _dat(**databases: str) -> dict[str, Any]:
    return {kind: {"database": name, "uri": "s3://acme-assets/maxmind"} for kind, name in databases.items()}


_HASHED = {"pseudonymize": {"hashFunction": "SHA-256"}}
_SALTED = {"pseudonymize": {"hashFunction": "SHA-512", "salt": "s3cret"}}
_BOT_SIGNALS = {"useYauaa": True, "useIab": True, "useAsnLookups": True}
_WEATHER = {"apiKey": "s3cret", "cacheSize": 5100, "geoPrecision": 1, "apiHost": "history.example.org", "timeout": 5}
_RATES = {"accountType": "DEVELOPER", "apiKey": "s3cret", "baseCurrency": "EUR", "rateAt": "EOD_PRIOR"}
_ALL_DAT = _dat(
    geo="GeoLiteCity.dat",
    isp="GeoIPISP.dat",
    organization="GeoIPOrg.dat",
    domain="GeoIPDomain.dat",
    netspeed="GeoIPNetSpeedCell.dat",
)
_ALL_MMDB = _mmdb(
    geo="GeoIP2-City.mmdb",
    isp="GeoIP2-ISP.mmdb",
    domain="GeoIP2-Domain.mmdb",
    connectionType="GeoIP2-Connection-Type.mmdb",
)

PARAMETERS: dict[tuple[str, str], dict[str, Any]] = {
    (SNOWPLOW, "anon_ip"): {"1-0-0": {"anonOctets": 2}, "1-0-1": {"anonOctets": 2, "anonSegments": 3}},
    (SNOWPLOW, "campaign_attribution"): {
        "1-0-0": {"mapping": "static", "fields": _UTM},
        "1-0-1": {"mapping": "static", "fields": {**_UTM, "mktClickId": {"fbclid": "Facebook", "gclid": "Google"}}},
    },
    (SNOWPLOW, "cookie_extractor_config"): {"1-0-0": {"cookies": ["sp", "_ga"]}},
    (SNOWPLOW, "currency_conversion_config"): {"1-0-0": _RATES},
    (SNOWPLOW, "event_fingerprint_config"): {
        "1-0-0": {"hashAlgorithm": "MD5", "excludeParameters": _PARAMETERS},
        "1-0-1": {"hashAlgorithm": "SHA256", "excludeParameters": _PARAMETERS},
    },
    (SNOWPLOW, "ip_lookups"): {"1-0-0": _ALL_DAT, "2-0-0": _ALL_MMDB, "2-0-1": _ALL_MMDB},
    (SNOWPLOW, "javascript_script_config"): {
        "1-0-0": {"script": _SCRIPT},
        "1-0-1": {"script": _SCRIPT, "config": {"office": "203.0.113.9"}},
    },
    (SNOWPLOW, "referer_parser"): {
        "1-0-0": {"internalDomains": ["help.acme.example"]},
        "2-0-0": {"internalDomains": ["help.acme.example"], **_REFERERS},
        "2-0-1": {"internalDomains": [], **_REFERERS, "referrers": _OWN_SOURCES},
        "2-0-2": {"internalDomains": [], **_REFERERS, "referrers": _NAMED_SOURCES},
    },
    (SNOWPLOW, "ua_parser_config"): {"1-0-0": {}, "1-0-1": None},
    (SNOWPLOW, "user_agent_utils_config"): {"1-0-0": {}},
    (ENRICHMENTS, "api_request_enrichment_config"): {
        "1-0-0": _api(3000),
        "1-0-1": _api(0),
        "1-0-2": _api(3000, ignoreOnError=True),
    },
    (ENRICHMENTS, "asn_lookups"): {"1-0-0": {"botAsns": [{"asn": 64_496, "name": "Acme Cloud"}]}},
    (ENRICHMENTS, "bot_detection_enrichment_config"): {
        "1-0-0": _BOT_SIGNALS,
        "1-0-1": {**_BOT_SIGNALS, "useClientSideDetection": True},
    },
    (ENRICHMENTS, "cross_navigation_config"): {"1-0-0": None},
    (ENRICHMENTS, "http_header_extractor_config"): {"1-0-0": {"headersPattern": "(?i)x-forwarded-.*"}},
    (ENRICHMENTS, "iab_spiders_and_robots_enrichment"): {
        "1-0-0": _iab(),
        "1-0-1": _iab(includeUseragents=["AcmeApp/2"], excludeUseragents=["acme-monitor"]),
    },
    (ENRICHMENTS, "pii_enrichment_config"): {
        "1-0-0": {"pii": _PII, "strategy": _HASHED},
        "2-0-0": {"pii": _PII, "strategy": _SALTED},
        "2-0-1": {"pii": _PII, "strategy": _SALTED},
    },
    (ENRICHMENTS, "sql_query_enrichment_config"): {
        "1-0-0": _sql("postgresql"),
        "1-0-1": _sql("mysql", ignoreOnError=True),
    },
    (ENRICHMENTS, "weather_enrichment_config"): {"1-0-0": _WEATHER},
    (ENRICHMENTS, "yauaa_enrichment_config"): {"1-0-0": {"cacheSize": 10_000}},
}
_BESIDE = {
    ("pii_enrichment_config", "2-0-0"): {"emitEvent": True},
    ("pii_enrichment_config", "2-0-1"): {"emitEvent": False, "anonymousOnly": True},
}
"""Keys beside ``parameters``."""


def configuration(vendor: str, name: str, version: str, enabled: bool = True) -> dict[str, Any]:
    """The file of one enrichment, as parsed JSON."""
    data: dict[str, Any] = {"vendor": vendor, "name": name, "enabled": enabled, **_BESIDE.get((name, version), {})}
    parameters = PARAMETERS[vendor, name][version]
    if parameters is not None:
        data["parameters"] = parameters
    return {"schema": f"iglu:{vendor}/{name}/jsonschema/{version}", "data": data}


def versions() -> list[tuple[str, str, str]]:
    """All: (vendor, name, version)."""
    return [(*kind, version) for kind, found in PARAMETERS.items() for version in found]
