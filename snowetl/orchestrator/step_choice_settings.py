"""The settings that say which steps of a run are done: see :mod:`snowetl.orchestrator.step_choice`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowetl.orchestrator.step_names import (
    STEPS,
    TO_INCLUDE,
    TO_SKIP,
    TO_START,
)
from snowetl.settings import Settings, option
from snowetl.steps.settings import (
    RUNS,
)

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, kw_only=True)
class StepChoiceSettings(Settings):
    """By default, all steps that are not done yet."""

    redo_from: str | None = option(
        "--redo-from",
        choices=STEPS,
        default=None,
        help="Redo this step and those after it, even if the run was begun or finished with other settings.",
        group=RUNS,
    )

    skip_step: tuple[str, ...] = option(
        "--skip-step",
        "--skip",
        kind=TO_SKIP,
        multiple=True,
        default=(),
        help="Leave these steps out. A run is done without them; with its --run-id they are done later.",
        group=RUNS,
    )
    resume_from: str | None = option(
        "--resume-from",
        kind=TO_START,
        default=None,
        help="Go on with the run that waits (or --run-id) at this step: those before it must be done.",
        group=RUNS,
    )
    include: tuple[str, ...] = option(
        "--include",
        kind=TO_INCLUDE,
        multiple=True,
        default=(),
        help="Do this step, too: vacuum the tables that were loaded.",
        group=RUNS,
    )
