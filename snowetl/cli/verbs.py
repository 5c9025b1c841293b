"""The verbs in the order of their use: where each command is, and where its settings are. One line a verb."""

from __future__ import annotations

import importlib
from typing import NamedTuple

from snowetl.settings import Settings


class Verb(NamedTuple):
    """``module`` holds ``command``; ``settings`` is the ``module:class`` of its settings."""

    module: str
    settings: str | None


VERBS = {
    "init": Verb("snowetl.cli.init", "snowetl.orchestrator.verb_settings:InitSettings"),
    "validate": Verb("snowetl.cli.validate", None),
    "run": Verb("snowetl.cli.run", "snowetl.orchestrator.settings:RunSettings"),
    "plan": Verb("snowetl.cli.plan", None),
    "resume": Verb("snowetl.cli.resume", "snowetl.orchestrator.verb_settings:ResumeSettings"),
    "status": Verb("snowetl.cli.status", "snowetl.orchestrator.verb_settings:StatusSettings"),
    "logs": Verb("snowetl.cli.logs", "snowetl.orchestrator.verb_settings:LogsSettings"),
    "cancel": Verb("snowetl.cli.cancel", "snowetl.orchestrator.verb_settings:CancelSettings"),
    "unlock": Verb("snowetl.cli.unlock", "snowetl.orchestrator.verb_settings:UnlockSettings"),
    "backfill": Verb("snowetl.cli.backfill", "snowetl.orchestrator.backfill.settings:BackfillSettings"),
    "enrich": Verb("snowetl.cli.enrich", "snowetl.steps.settings:EnrichSettings"),
    "transform": Verb("snowetl.cli.transform", "snowetl.steps.settings:TransformSettings"),
    "load": Verb("snowetl.cli.load", "snowetl.steps.settings:LoadSettings"),
    "explain": Verb("snowetl.cli.explain", "snowetl.steps.settings:ExplainSettings"),
    "enrichment": Verb("snowetl.cli.enrichment", None),
    "doctor": Verb("snowetl.cli.doctor", None),
    "ddl": Verb("snowetl.cli.ddl", "snowetl.steps.settings:DdlSettings"),
    "psql": Verb("snowetl.cli.psql", "snowetl.steps.settings:PsqlSettings"),
    "config": Verb("snowetl.cli.config", None),
    "import-config": Verb("snowetl.cli.import_config", None),
    "export": Verb("snowetl.cli.export", "snowetl.analytics.settings:CubeSettings"),
    "package": Verb("snowetl.cli.package", "snowetl.orchestrator.verb_settings:PackageSettings"),
}


def settings_of_all() -> dict[str, type[Settings]]:
    """The settings class of each verb that has one."""
    found: dict[str, type[Settings]] = {}
    for name, verb in VERBS.items():
        if verb.settings is not None:
            module, _, class_name = verb.settings.partition(":")
            found[name] = getattr(importlib.import_module(module), class_name)
    return found
