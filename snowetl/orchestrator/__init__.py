"""Plans and runs batches: every step of a run in order, resumable at each."""

from __future__ import annotations

from snowetl.orchestrator.batch import run
from snowetl.orchestrator.settings import RunSettings

__all__ = ["RunSettings", "run"]
