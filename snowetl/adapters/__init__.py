"""Adapters: what a vendor sends to the collector becomes raw events in tracker-protocol parameters.

One file per vendor, all listed in :mod:`snowetl.adapters.catalogue`; :class:`snowetl.adapters.registry.AdapterRegistry`
picks one by the request path. Adapters are pure: a payload goes in, raw events or failure messages come out.
"""
