"""``snowetl logs``: the log of a step's job."""

from __future__ import annotations

from snowetl.cli import console
from snowetl.cli.progress import ConsoleWatch
from snowetl.cli.verb import verb
from snowetl.orchestrator.verb_settings import LogsSettings

EXAMPLES = (
    """
snowetl logs -o s3://lake 2026-03-05-10-00-00 --step transform""",
)


@verb(
    LogsSettings,
    section="run",
    examples=EXAMPLES,
    exit_codes={0: "shown", 2: "there is no such run", 3: "there is no log: the step was not tried, or ran here"},
)
def command(settings: LogsSettings) -> None:
    """Show the attempts at a step of a run, and the last lines of its log if it ran elsewhere."""
    from snowetl.orchestrator import control

    entry = control.find(settings.output_folder, settings.run)
    found = control.logs(entry, settings.step, ConsoleWatch())
    for line in found.attempts:
        console.summarize(line)
    console.show(found.tail)
