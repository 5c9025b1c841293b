"""Whether the steps that are asked for (``--skip``, ``--resume-from``, ``--include``) can be done. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from snowetl.errors import NothingToDo
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_names import AFTER, NEEDS, VACUUM, names_in, skipped, start_of
from snowetl.problems import Problems


def check(settings: RunSettings) -> None:
    """Raises ``ConfigError`` that lists the options which contradict each other, and ``NothingToDo`` where an old step
    is named after which nothing is done here.
    """
    problems = Problems()
    for problem in _contradictions(settings):
        problems.add(problem)
    problems.check()
    if settings.resume_from is not None and start_of(settings.resume_from) is None:
        raise NothingToDo(f"--resume-from {settings.resume_from}: no step follows this one here")


def _contradictions(settings: RunSettings) -> Iterator[str]:
    left_out, start = skipped(settings.skip_step), settings.resume_from
    if start is not None and settings.skip_step:
        yield "--resume-from and --skip exclude each other: --resume-from takes the steps before it for done"
    if start is not None and settings.redo_from is not None:
        yield f"--resume-from continues with {start}, --redo-from repeats {settings.redo_from}: give one of them"
    ours = None if start is None else start_of(start)
    if ours is not None and ours not in settings.all_steps:
        yield f"--resume-from {start}: this run has no step {ours}; its steps are {', '.join(settings.all_steps)}"
    if settings.redo_from in left_out:
        yield f"--redo-from {settings.redo_from} does what --skip leaves out: give one of them"
    if VACUUM in names_in(settings.include) and VACUUM in left_out:
        yield "--include vacuum and --skip vacuum: give one of them"
    if "load" not in settings.all_steps:
        for name in settings.after:
            yield f"{_asked(name)}: a run with --transformation {settings.transformation} loads nothing; leave it out"
    if not (*settings.steps, *settings.after):
        yield "--skip leaves out every step: nothing is left to do"


def _asked(step: str) -> str:
    return "--include vacuum" if step == VACUUM else f"--{step}"


def check_order(settings: RunSettings, run: str, done: Collection[str]) -> None:
    """Raises ``ConfigError`` where a step would lack what a step before it makes: one that is neither ``done`` nor
    asked for.
    """
    problems = Problems()
    wanted = (*settings.steps, *settings.after)
    for name in wanted:
        need = NEEDS.get(name)
        if need is not None and need in settings.all_steps and need not in (*wanted, *done):
            what = "needs rows that are loaded" if name in AFTER else f"reads what {need} writes"
            problems.add(
                f"run={run}: {name} {what}, and {need} is left out and not done: leave out both "
                f"(--skip {need},{name}), or none"
            )
    start = None if settings.resume_from is None else start_of(settings.resume_from)
    if start is not None:
        before = settings.all_steps[: settings.all_steps.index(start)]
        missing = [name for name in before if name not in done]
        if missing:
            problems.add(
                f"--resume-from {settings.resume_from}: {missing[0]} of run={run} is not done. Give --resume-from "
                f"{missing[0]}, or leave it out: a run continues where it stopped"
            )
    problems.check()
