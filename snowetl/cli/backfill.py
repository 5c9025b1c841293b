"""``snowetl backfill``: years of archive as many runs."""

from __future__ import annotations

from snowetl.cli import console
from snowetl.cli.progress import ConsoleWatch
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.orchestrator.backfill.settings import BackfillSettings

EXAMPLES = (
    """
snowetl backfill --config snowetl.yml --from 2024-01-01 --to 2026-01-01 --sample 1% --price-per-hour 2.40""",
    """
snowetl backfill --config snowetl.yml --from 2024-01-01 --to 2026-01-01 --parallel 4 --swap""",
)


@verb(
    BackfillSettings,
    section="run",
    examples=EXAMPLES,
    exit_codes=EXIT_CODES | {1: "a run failed: run the same command again to continue", 17: "it is running already"},
    interrupted="Finished runs stay finished: run the same command again to continue the backfill.",
)
def command(settings: BackfillSettings) -> None:
    """Process an archive again: in runs of one size, several at once, into a schema of its own.

    Takes the options of `snowetl run`, also from its snowetl.yml. Writes to backfill/ in the output folder;
    `snowetl status -o` that folder shows the runs. If it is killed at any moment, the same command continues.
    """
    from snowetl.orchestrator.backfill import drive

    watch = ConsoleWatch()
    progress = drive.run(settings, watch)
    if settings.sample is not None:
        console.summarize(f"estimate: {progress.estimate}")
    else:
        console.summarize(progress.text)
