"""The configurable enrichments: one file each, and the table of them.

To add one, see :mod:`snowetl.enrich.enrichments.base`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from snowetl import extensions
from snowetl.enrich.enrichments.base import Enrichment

ENTRY_POINT_GROUP = "snowetl.enrichments"

BUILT_IN = (
    "anon_ip",
    "asn_lookups",
    "bot_detection",
    "api_request",
    "campaign_attribution",
    "cookie_extractor",
    "cross_navigation",
    "currency_conversion",
    "event_fingerprint",
    "event_specifications",
    "http_header_extractor",
    "iab_spiders_and_robots",
    "ip_lookups",
    "javascript_script",
    "pii_pseudonymization",
    "referer_parser",
    "sql_query",
    "ua_parser",
    "user_agent_utils",
    "weather",
    "yauaa",
)
"""Files of this package; each names its configuration's class as ``ENRICHMENT``, more of them as ``FURTHER``."""


def registered() -> dict[str, type[Enrichment]]:
    """All enrichments by the name of their configuration's schema; those of other packages win.

    Raises :class:`ConfigError` for one that cannot be imported, or is something else.
    """
    return {one.criterion.name: one for one in (*_built_in(), *_installed())}


def _built_in() -> Iterator[type[Enrichment]]:
    for file in BUILT_IN:
        module = importlib.import_module(f"{__name__}.{file}")
        yield module.ENRICHMENT
        yield from getattr(module, "FURTHER", ())


def _installed() -> list[type[Enrichment]]:
    """What other packages register: each entry point names an :class:`Enrichment` class."""
    return [extension.value for extension in extensions.installed(ENTRY_POINT_GROUP, "enrichment", _fault)]


def _fault(value: Any) -> str | None:
    missing = [name for name in ("criterion", "place", "parse", "needs", "open") if not hasattr(value, name)]
    if not missing:
        return None
    return f"must be a class with {', '.join(missing)} (see snowetl.enrich.enrichments.base)"
