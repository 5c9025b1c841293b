"""The configurable enrichments: one file each, and the table of them by the name of their configuration's schema.

To add one, copy the shortest file, list it here, and give it its place in :mod:`snowetl.enrich.steps`.
"""

from __future__ import annotations

from snowetl.enrich.enrichments.anon_ip import AnonIpConf
from snowetl.enrich.enrichments.base import Conf
from snowetl.enrich.enrichments.campaign_attribution import CampaignAttributionConf
from snowetl.enrich.enrichments.event_fingerprint import EventFingerprintConf
from snowetl.enrich.enrichments.ip_lookups import IpLookupsConf
from snowetl.enrich.enrichments.parameters import SNOWPLOW, criterion
from snowetl.enrich.enrichments.referer_parser import RefererParserConf
from snowetl.enrich.enrichments.ua_parser import UaParserConf
from snowetl.enrich.enrichments.user_agent_utils import UserAgentUtilsConf
from snowetl.model.schema import SchemaCriterion

_KINDS: tuple[type[Conf], ...] = (
    AnonIpConf,
    CampaignAttributionConf,
    EventFingerprintConf,
    IpLookupsConf,
    RefererParserConf,
    UaParserConf,
    UserAgentUtilsConf,
)

SUPPORTED: dict[str, type[Conf]] = {kind.criterion.name: kind for kind in _KINDS}

_ENRICHMENTS = f"{SNOWPLOW}.enrichments"
_REST = (
    criterion("cookie_extractor_config"),
    criterion("currency_conversion_config"),
    criterion("javascript_script_config"),
    criterion("api_request_enrichment_config", vendor=_ENRICHMENTS),
    criterion("http_header_extractor_config", vendor=_ENRICHMENTS),
    criterion("iab_spiders_and_robots_enrichment", vendor=_ENRICHMENTS),
    criterion("sql_query_enrichment_config", vendor=_ENRICHMENTS),
    criterion("weather_enrichment_config", vendor=_ENRICHMENTS),
    criterion("yauaa_enrichment_config", vendor=_ENRICHMENTS),
    criterion("pii_enrichment_config", model=2, vendor=_ENRICHMENTS)._replace(addition=0),
)

NOT_YET: dict[str, SchemaCriterion] = {one.name: one for one in _REST}
"""Enrichments of the reference that this version lacks: without them the output would not be what was asked for."""
