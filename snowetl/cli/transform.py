"""``snowetl transform``: enriched runs to rows a warehouse can load. ``jobs/transform.py`` is the same command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowetl.cli import console, tables
from snowetl.cli.progress import ConsoleWatch, duration
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.steps.settings import TransformSettings

if TYPE_CHECKING:
    from snowetl.reporting.transform import TransformReport

EXAMPLES = (
    """
snowetl transform -i s3://lake/enriched -o s3://lake/transformed --iglu-config resolver.json""",
    """
snowetl transform -i out/enriched -o out/lake --iglu-config resolver.json \\
    --transformation widerow-parquet --master none""",
)


@verb(
    TransformSettings,
    examples=EXAMPLES,
    exit_codes=EXIT_CODES
    | {1: "failure: the run is not published", 3: "nothing to do: no run is there, or all that are there wait"},
    interrupted="The run is not published: run the same command again, and it is redone.",
)
def command(settings: TransformSettings) -> None:
    """Turn enriched events into rows for a warehouse: shredded, or wide.

    Transforms every run of the input that the output does not have, and leaves shredding_complete.json in each as the
    last thing. A run that died is redone.
    """
    from snowetl.steps.base import World
    from snowetl.steps.table import TRANSFORM
    from snowetl.workers import open_pool

    plan = TRANSFORM.plan(settings, World.of_now())
    for run in plan.done if not plan.batches else ():
        console.say(f"{run.id} is done already: {run.folder}. To redo it, delete that folder")
    for name in plan.unfinished:
        console.warn(f"{name} waits: its enrichment has not ended")
    for name in plan.redone:
        console.say(f"{name} was begun and not completed: it is redone")
    if settings.dry_run:
        for batch in plan.batches:
            console.show(
                f"{batch.run.id} (dry run: nothing is written)\n"
                f"  input   {tables.amount(len(batch.files), batch.bytes, len(batch.work))}\n"
                f"  output  {batch.run.folder}"
            )
        return
    with open_pool(
        settings.master, settings.workers, "snowetl transform", input_bytes=plan.bytes, say=console.say
    ) as workers:
        TRANSFORM.execute(plan, workers, ConsoleWatch(_shown))


def _shown(report: TransformReport) -> str:
    """What became of a run, as text."""
    rows = [
        ("lines", report.records),
        ("events", report.events),
        ("duplicates", report.duplicates),
        ("new ids", report.new_ids),
        ("bad rows", sum(report.bad_rows.values())),
        *((f"  {name}", count) for name, count in report.bad_rows.items()),
        ("schemas", len(report.types)),
        ("folders", len(report.tables)),
    ]
    width = max(len(name) for name, _ in rows)
    rate = report.records / report.seconds if report.seconds else 0
    lines = [f"run={report.run}", *(f"  {name:<{width}}  {count:>12,}" for name, count in rows)]
    lines.append(f"  {'time':<{width}}  {duration(report.seconds):>12}  {rate:,.0f} lines/s")
    return "\n".join([*lines, f"  {report.settings['outputFolder']}"])
