"""``snowetl run``: raw collector logs to tables, all steps as one run that can be resumed."""

from __future__ import annotations

from typing import Any

import click

from snowetl.cli import console
from snowetl.cli.progress import ConsoleWatch, duration
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.orchestrator.settings import RunSettings

EXAMPLES = (
    """
snowetl run -i logs -f clj-tomcat -o out --enrichments enrichments --iglu-config resolver.json --master none""",
    """
snowetl run --config snowetl.yml""",
    """
SNOWETL_DATABASE='postgresql://loader:PASSWORD@db.example.com/analytics' \\
    snowetl run -i s3://logs/2026-03-05/ -f thrift -o s3://lake --iglu-config resolver.json""",
)


@verb(
    RunSettings,
    examples=EXAMPLES,
    exit_codes=EXIT_CODES | {1: "failure: run the same command again to go on"},
    interrupted="Steps that are done stay done: run the same command again, and the run goes on.",
)
def command(settings: RunSettings) -> None:
    """Turn raw collector logs into tables: enrich, transform and load as one run.

    Killed at any moment, it is finished by running it again. Without --run-id, a run of the same settings that waits to
    be finished is taken up; one that has done the very same files is done.
    """
    from snowetl.orchestrator import run

    if settings.dry_run:
        _rehearse(settings)
        return
    report = run(settings, ConsoleWatch())
    console.show(_table(report))
    console.show(f"  report  {settings.runs_folder}/run={report['run']}/report.html")
    if report["differences"]:
        console.fail(f"the counts do not add up: {'; '.join(report['differences'])}")
        raise click.exceptions.Exit(1)


def _rehearse(settings: RunSettings) -> None:
    from snowetl.cli import tables
    from snowetl.load.preflight import check_target
    from snowetl.orchestrator.batch import choose
    from snowetl.steps.base import World
    from snowetl.steps.table import ENRICH

    if "load" in settings.steps:
        check_target(settings.target, console.say)
    entry = choose(settings)
    plan = ENRICH.plan(settings.enrich_settings(entry.id), World.of_now())
    if plan.done is None:
        ENRICH.rehearse(plan)
        console.show(tables.plan(plan))
    else:
        console.show(f"run={entry.id}: enriched already (dry run: nothing is written)")
    if "load" in settings.steps:
        console.show(f"  tables    {settings.target}")


def _table(report: dict[str, Any]) -> str:
    """The counts of a run, and how long its steps took."""
    names = ["  " * level + name for name, _, level in report["counts"]]
    width = max(map(len, names))
    lines = [f"  {name:<{width}}  {row[1]:>12,}" for name, row in zip(names, report["counts"], strict=True)]
    times = ", ".join(f"{step['step']} {duration(step['seconds'])}" for step in report["steps"])
    return "\n".join(
        [f"run={report['run']}", *lines, f"  {'time':<{width}}  {duration(report['seconds']):>12}  {times}"]
    )
