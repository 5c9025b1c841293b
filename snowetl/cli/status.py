"""``snowetl status``: how all runs of an output folder stand."""

from __future__ import annotations

from dataclasses import asdict

import click

from snowetl.cli import console, tables
from snowetl.cli.verb import verb
from snowetl.jvm import jsontext
from snowetl.orchestrator.verb_settings import StatusSettings

EXAMPLES = (
    """
snowetl status -o s3://lake""",
    """
snowetl status -o s3://lake --late-after 3h --quiet || page-somebody""",
)


@verb(
    StatusSettings,
    section="run",
    examples=EXAMPLES,
    exit_codes={0: "shown", 1: "no run was finished for --late-after", 2: "wrong usage", 3: "there is no run yet"},
)
def command(settings: StatusSettings) -> None:
    """Show the runs of an output folder and their state: done, running, waiting, failed, or died with their process."""
    from snowetl.errors import NothingToDo
    from snowetl.orchestrator import control, overview
    from snowetl.settings.words import duration_text
    from snowetl.steps.base import World

    folder = control.runs_folder_of(settings.output_folder)
    views = overview.overview(folder, settings.latest)
    late = overview.lateness(views, World.of_now().now)
    if settings.json:
        document = {"runs": [asdict(each) for each in views], "secondsSinceLastRun": late}
        console.emit(jsontext.dumps(document))
    elif views:
        console.summarize(tables.runs(views))
    if not views:
        raise NothingToDo(f"there is no run in {folder}")
    if settings.late_after is not None and (late is None or late > settings.late_after):
        since = "ever" if late is None else f"for {duration_text(late)}"
        console.fail(f"no run was finished {since}, and --late-after is {duration_text(settings.late_after)}")
        raise click.exceptions.Exit(1)
