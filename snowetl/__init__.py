"""snowetl: raw Snowplow collector logs in; enriched events, bad rows and warehouse tables out.

>>> from snowetl import EnrichConfig, Enricher  # one record
>>> from snowetl import enrich, transform, load, run, explain  # whole folders, as on the command line
>>> from snowetl import read_enriched  # enriched events as Arrow, pandas, Spark

These names are the library's surface; each is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snowetl.version import __version__

if TYPE_CHECKING:
    from snowetl import errors
    from snowetl.analytics.enriched import read_enriched
    from snowetl.enrich.config import EnrichConfig
    from snowetl.enrich.pipeline import Enricher
    from snowetl.library import enrich, explain, load, run, transform
    from snowetl.model.badrow import BadRow
    from snowetl.model.event import EnrichedEvent

__all__ = [
    "BadRow",
    "EnrichConfig",
    "EnrichedEvent",
    "Enricher",
    "__version__",
    "enrich",
    "errors",
    "explain",
    "load",
    "read_enriched",
    "run",
    "transform",
]

_HOMES = {
    "BadRow": "snowetl.model.badrow",
    "EnrichConfig": "snowetl.enrich.config",
    "EnrichedEvent": "snowetl.model.event",
    "Enricher": "snowetl.enrich.pipeline",
    "explain": "snowetl.library",
    "read_enriched": "snowetl.analytics.enriched",
    "run": "snowetl.library",
}
_MODULES = {"enrich", "errors", "load", "transform"}  # packages that are verbs as well: see callable_rooms


def __getattr__(name: str) -> Any:
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"snowetl.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'snowetl' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
