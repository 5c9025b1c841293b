"""Steps after the load. The process that drives the run does them, wherever the steps before were done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from snowetl.orchestrator.after.also_load import AlsoLoad
from snowetl.orchestrator.after.dbt import Dbt
from snowetl.orchestrator.after.models import Models
from snowetl.orchestrator.after.vacuum import Vacuum
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.executors.base import AtOnce, ExecutorRequest
from snowetl.orchestrator.planner import PlannedStep
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_names import ALSO_LOAD, DBT, MODELS, VACUUM
from snowetl.problems import Problems
from snowetl.steps.base import Numbered, Watch


class AfterStep(Protocol):
    """One step. It is done when its report lies in the run's folder (:mod:`snowetl.orchestrator.after.report`)."""

    def check(self, settings: RunSettings) -> None:
        """Raises ``ConfigError`` for files and settings that are wrong. Asked before any work starts."""

    def check_program(self, settings: RunSettings) -> None:
        """Raises ``ConfigError`` where this machine lacks a program. Asked before any work starts."""

    def run(self, settings: RunSettings, entry: Entry, watch: Watch) -> None:
        """Do what is left of the step, and leave its report. Raises ``SnowetlError``."""


STEPS: Mapping[str, AfterStep] = {VACUUM: Vacuum(), MODELS: Models(), DBT: Dbt(), ALSO_LOAD: AlsoLoad()}


def check(settings: RunSettings) -> None:
    """Raises ``ConfigError`` that lists all that is wrong with what shall follow the load."""
    problems = Problems()
    for name in settings.after:
        with problems.gathered():
            STEPS[name].check(settings)
    problems.check()


def check_programs(settings: RunSettings) -> None:
    """Raises ``ConfigError`` where this machine lacks a program that shall follow the load."""
    for name in settings.after:
        STEPS[name].check_program(settings)


class AfterExecutor(AtOnce):
    """Does each step while it is submitted."""

    def __init__(self, request: ExecutorRequest, entry: Entry) -> None:
        self._request = request
        self._entry = entry

    def submit(self, step: PlannedStep, token: str) -> str:
        names = [each.name for each in self._request.plan.steps]
        watch = Numbered(self._request.watch, f"{names.index(step.name) + 1}/{len(names)}")
        watch.say(f"{step.name}: {step.outputs[0]}")
        STEPS[step.name].run(self._request.settings, self._entry, watch)
        return token
