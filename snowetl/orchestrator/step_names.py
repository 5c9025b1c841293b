"""The names of a run's steps, those that EmrEtlRunner had for them, and which of them ``--skip`` and the like mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from snowetl.orchestrator.imports.emr_etl_runner.options import (
    EQUIVALENTS,
    INCLUDABLE,
    RESUMABLE,
    SKIPPABLE,
    RunOptions,
    ours,
)
from snowetl.problems import did_you_mean
from snowetl.settings import Kind

STEPS = ("enrich", "transform", "load")
TRANSFORM_FAILED, LOAD_FAILED = "transform-failed", "load-failed"
"""Steps of failed events, where these are wanted: they follow those of good ones."""
VACUUM, MODELS, DBT, ALSO_LOAD = "vacuum", "models", "dbt", "also-load"
AFTER = (VACUUM, MODELS, DBT, ALSO_LOAD)
"""Steps after the load, in their order. The process that drives the run does them, wherever the others are done."""
ALL = (*STEPS, TRANSFORM_FAILED, LOAD_FAILED, *AFTER)
NEEDS = {
    "transform": "enrich",
    "load": "transform",
    TRANSFORM_FAILED: "enrich",
    LOAD_FAILED: TRANSFORM_FAILED,
    VACUUM: "load",
    MODELS: "load",
    DBT: "load",
    ALSO_LOAD: "transform",
}
"""The step whose output another one reads."""


def verb_of(step: str) -> str:
    """What does a step: failed events have steps of their own, done by the same verbs."""
    return step.removesuffix("-failed")


@dataclass(frozen=True)
class StepName(Kind):
    """A step by our name, or by the one EmrEtlRunner had."""

    metavar: str = "STEP"
    names: tuple[str, ...] = ALL
    old: tuple[str, ...] = ()

    def parse(self, value: Any) -> str:
        name = str(value).strip()
        if name not in self.names and name not in self.old:
            known = dict.fromkeys((*self.names, *self.old))
            raise ValueError(f"'{name}' is not one of {', '.join(known)}{did_you_mean(name, known)}")
        return name


@dataclass(frozen=True)
class StepNames(StepName):
    """Steps with commas between them, as EmrEtlRunner took them; :func:`names_in` takes them apart."""

    metavar: str = "STEP[,STEP]"

    def parse(self, value: Any) -> str:
        return ",".join(super(StepNames, self).parse(part) for part in str(value).split(","))


def names_in(values: Iterable[str]) -> list[str]:
    """The names in values of :class:`StepNames`."""
    return [name for value in values for name in value.split(",")]


TO_SKIP = StepNames(old=SKIPPABLE)
TO_START = StepName(old=RESUMABLE)
TO_INCLUDE = StepNames(names=(VACUUM,), old=INCLUDABLE)


def skipped(values: Iterable[str]) -> frozenset[str]:
    """Our steps that the values of ``--skip`` leave out: ``load`` leaves out every load, ``load-failed`` that of failed
    events. Old steps that have no work here leave out nothing.
    """
    wanted = {EQUIVALENTS[name].step if name in EQUIVALENTS else name for name in names_in(values)}
    return frozenset(step for step in ALL if step in wanted or verb_of(step) in wanted)


def start_of(name: str) -> str | None:
    """Our step that ``--resume-from`` begins with; ``None`` for an old one after which nothing is done here."""
    return ours(RunOptions(resume_from=name)).start if name in RESUMABLE else name


def without_work(values: Iterable[str]) -> dict[str, str]:
    """Of the names in values of ``--skip``, the old steps that have no work here, and why."""
    return {
        name: EQUIVALENTS[name].note
        for name in names_in(values)
        if name in EQUIVALENTS and EQUIVALENTS[name].step is None
    }
