"""The settings of each step: one file a verb, and what several verbs share.

Nothing heavy is imported here: what the settings stand for (policies, formats, targets) is imported when it is asked
for.
"""

from __future__ import annotations

from snowetl.steps.settings.common import RawInput, Registries, SomeRuns, Speaking, Working
from snowetl.steps.settings.ddl import DdlSettings
from snowetl.steps.settings.enrich import EnrichSettings
from snowetl.steps.settings.enriching import Enriching, adapter_groups
from snowetl.steps.settings.explain import ExplainSettings
from snowetl.steps.settings.groups import (
    EMR,
    EVENTS,
    GROUPS,
    IO,
    MESSAGES,
    ROWS,
    RUNS,
    WAREHOUSE,
    WORK,
)
from snowetl.steps.settings.load import Loading, LoadSettings
from snowetl.steps.settings.psql import PsqlSettings
from snowetl.steps.settings.rows import Deduplicating, Shaping
from snowetl.steps.settings.transform import TransformSettings

__all__ = [
    "EMR",
    "EVENTS",
    "GROUPS",
    "IO",
    "MESSAGES",
    "ROWS",
    "RUNS",
    "WAREHOUSE",
    "WORK",
    "DdlSettings",
    "Deduplicating",
    "EnrichSettings",
    "Enriching",
    "ExplainSettings",
    "LoadSettings",
    "Loading",
    "PsqlSettings",
    "RawInput",
    "Registries",
    "Shaping",
    "SomeRuns",
    "Speaking",
    "TransformSettings",
    "Working",
    "adapter_groups",
]
