"""Configurations of the programs people come from, read once and turned into a ``snowetl.yml``.

Each reader gives a :class:`~snowetl.orchestrator.imports.found.Found`: settings, a cluster, and what could not be
carried.
"""
