"""``snowetl load``: transformed runs into a warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowetl.cli import console
from snowetl.cli.progress import ConsoleWatch
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.steps.settings import LoadSettings

if TYPE_CHECKING:
    from snowetl.load.report import LoadReport
    from snowetl.steps.load import LoadPlan

EXAMPLES = (
    """
snowetl load -i out/transformed --iglu-config resolver.json --bad-rows out/bad""",
    """
SNOWETL_DATABASE='postgresql://loader:PASSWORD@db.example.com/analytics' \\
    snowetl load -i s3://lake/transformed --iglu-config resolver.json""",
    """
snowetl load --retry-rejected --iglu-config resolver.json""",
)


@verb(
    LoadSettings,
    examples=EXAMPLES,
    exit_codes=EXIT_CODES | {1: "failure: nothing of the run is visible", 3: "nothing to do: no complete run is there"},
    interrupted="Runs that were loaded stay loaded: run the same command again to load the rest.",
)
def command(settings: LoadSettings) -> None:
    """Load transformed runs into a warehouse, each in one transaction and once.

    Runs that are in the warehouse already are left alone, so repeating a load is safe. Tables are made and migrated
    as the schemas ask for it. Rows that have no place are put aside, counted and named; once the schema is mended,
    --retry-rejected loads them.
    """
    from snowetl.steps.base import World
    from snowetl.steps.table import LOAD
    from snowetl.workers.in_process import InProcess

    plan = LOAD.plan(settings, World.of_now())
    if settings.dry_run:
        _show_statements(plan)
        return
    LOAD.execute(plan, InProcess(), ConsoleWatch(table))


def _show_statements(plan: LoadPlan) -> None:
    from snowetl.steps.table import LOAD

    for run, statements in LOAD.rehearse(plan, ConsoleWatch()):
        if statements is None:
            console.show(f"-- {run.base}: empty, or loaded already (dry run: nothing is changed)")
            continue
        console.show(f"-- {run.base} (dry run: nothing is changed)")
        for statement in statements:
            console.show(f"-- {statement.name}\n{statement.sql.strip()};")


def table(report: LoadReport) -> str:
    """A report as text: a line per table, then what was put aside and why."""
    lines = [f"{report.base}: {report.outcome}"]
    width = max((len(table.table) for table in report.tables), default=0)
    for one in report.tables:
        notes = [
            one.change or "",
            f"{one.rejected:,} rejected" if one.rejected else "",
            f"{one.values:,} value{'' if one.values == 1 else 's'} put aside" if one.values else "",
        ]
        note = ", ".join(note for note in notes if note)
        lines.append(f"  {one.table:<{width}}  {one.rows:>10,} rows  {one.seconds:6.1f} s  {note}".rstrip())
    for aside in report.aside:
        lines.append(f"  {aside.schema}: {aside.rows:,} rows put aside: {aside.reason}")
    lines += [f"  {schema}: left out (--skip-schema)" for schema in report.skipped]
    if report.aside:
        lines.append("  mend the schema, then load what was put aside: snowetl load --retry-rejected")
    return "\n".join([*lines, *(f"  warning: {warning}" for warning in report.warnings)])
