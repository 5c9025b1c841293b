"""snowetl: raw Snowplow collector logs in; enriched events, bad rows and warehouse tables out.

>>> from snowetl import EnrichConfig, Enricher

The names below are the library's door; they are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snowetl.version import __version__

if TYPE_CHECKING:
    from snowetl.enrich.config import EnrichConfig
    from snowetl.enrich.pipeline import Enricher
    from snowetl.model.badrow import BadRow
    from snowetl.model.event import EnrichedEvent

__all__ = ["BadRow", "EnrichConfig", "EnrichedEvent", "Enricher", "__version__"]

_HOMES = {
    "BadRow": "snowetl.model.badrow",
    "EnrichConfig": "snowetl.enrich.config",
    "EnrichedEvent": "snowetl.model.event",
    "Enricher": "snowetl.enrich.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'snowetl' has no attribute '{name}'")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
