"""Adapters: what a vendor sends to the collector becomes raw events in tracker-protocol parameters.

One file per vendor, all listed in :mod:`snowetl.adapters.catalogue`; :class:`snowetl.adapters.registry.AdapterRegistry`
picks one by the request path. An adapter is a function from a payload to raw events or failure messages; only remote
adapters do I/O. Packages of others add adapters with what is exported here (docs/adapters.md).
"""

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure
from snowetl.adapters.events import Wrapper
from snowetl.adapters.webhook import EventTypes, adapt_each, parse_json
from snowetl.model.payload import CollectorPayload, RawEvent

__all__ = [
    "Adapt",
    "Adapter",
    "CollectorPayload",
    "EventTypes",
    "Failures",
    "Outcome",
    "RawEvent",
    "Setup",
    "Wrapper",
    "adapt_each",
    "input_failure",
    "parse_json",
]
