"""The steps of the way from raw logs to tables, in the order in which data flow."""

from __future__ import annotations

from typing import Any

from snowetl.steps.base import Step
from snowetl.steps.enrich import Enrich
from snowetl.steps.load import Load
from snowetl.steps.transform import Transform

ENRICH, TRANSFORM, LOAD = Enrich(), Transform(), Load()

STEPS: dict[str, Step[Any, Any, Any]] = {step.name: step for step in (ENRICH, TRANSFORM, LOAD)}
"""What a run is made of. A step to come is one module and one entry here."""
