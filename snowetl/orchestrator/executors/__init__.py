"""Where steps run: a table, and what other packages add under the entry point ``snowetl.executors``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from snowetl import extensions
from snowetl.errors import UsageError
from snowetl.orchestrator.executors.base import ExecutorKind
from snowetl.problems import did_you_mean

ENTRY_POINT_GROUP = "snowetl.executors"

EXECUTORS: Mapping[str, str] = {
    "local": "snowetl.orchestrator.executors.local:LOCAL",
    "emr": "snowetl.orchestrator.executors.emr:EMR",
    "emr-serverless": "snowetl.orchestrator.executors.emr_serverless:EMR_SERVERLESS",
    "dry": "snowetl.orchestrator.executors.dry:DRY",
}
"""What ``--executor`` takes, and where it is."""


@cache
def executors() -> Mapping[str, Any]:
    """All executors by name: those of other installed packages are loaded, ours are named. Raises ``ConfigError``."""
    added = extensions.installed(ENTRY_POINT_GROUP, "executor", _fault)
    return {**{one.name: one.value for one in added}, **EXECUTORS}


def _fault(value: Any) -> str | None:
    return None if isinstance(value, ExecutorKind) else "must be an executors.base.ExecutorKind"


def kind_of(name: str) -> ExecutorKind:
    """The executor ``name``. Raises ``UsageError`` for one that is unknown."""
    known = executors()
    if name not in known:
        raise UsageError(f"'{name}' is not an executor{did_you_mean(name, known)}: give one of {', '.join(known)}")
    value = known[name]
    if isinstance(value, str):
        module, _, attribute = value.partition(":")
        value = getattr(importlib.import_module(module), attribute)
    kind: ExecutorKind = value
    return kind
