"""Plans and runs batches: every step of a run in order, resumable at each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snowetl.orchestrator.driver import run
    from snowetl.orchestrator.settings import RunSettings

__all__ = ["RunSettings", "run"]

_HOMES = {"RunSettings": "snowetl.orchestrator.settings", "run": "snowetl.orchestrator.driver"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a help text needs the settings, not the steps."""
    if name not in _HOMES:
        raise AttributeError(f"module 'snowetl.orchestrator' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
