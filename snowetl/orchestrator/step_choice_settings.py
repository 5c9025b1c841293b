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
        help="Repeat this step and those after it, even if the run was begun or finished with other settings.",
        group=RUNS,
    )

    skip_step: tuple[str, ...] = option(
        "--skip-step",
        "--skip",
        kind=TO_SKIP,
        multiple=True,
        default=(),
        help="Leave this step out. The run is done without it; name its --run-id to do the step later. May be "
        "given several times.",
        group=RUNS,
    )
    resume_from: str | None = option(
        "--resume-from",
        kind=TO_START,
        default=None,
        help="Continue the unfinished run (or --run-id) at this step: those before it must be done.",
        group=RUNS,
    )
    include: tuple[str, ...] = option(
        "--include",
        kind=TO_INCLUDE,
        multiple=True,
        default=(),
        help="Do this optional step as well: vacuum the loaded tables.",
        group=RUNS,
    )
