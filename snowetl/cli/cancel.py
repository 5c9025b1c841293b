"""``snowetl cancel``: stop a run, and give its files back."""

from __future__ import annotations

from snowetl.cli import console
from snowetl.cli.progress import ConsoleWatch
from snowetl.cli.verb import verb
from snowetl.orchestrator.verb_settings import CancelSettings

EXAMPLES = (
    """
snowetl cancel -o s3://lake 2026-03-05-10-00-00""",
)


@verb(
    CancelSettings,
    section="run",
    examples=EXAMPLES,
    exit_codes={
        0: "cancelled",
        1: "failure",
        2: "there is no such run, or it is done or loaded",
        3: "no run waits",
        17: "a process works on the run: stop it first",
    },
)
def command(settings: CancelSettings) -> None:
    """Stop the jobs of a run, delete its output, and release its input files: the next run processes them.

    For a run that can never be finished, because its settings are wrong or an input file is gone. Finish a run
    whose rows are loaded with `snowetl resume` instead.
    """
    from snowetl.orchestrator import control
    from snowetl.settings.words import count

    entry = control.find(settings.output_folder, settings.run)
    done = control.cancel(entry, control.settings_of(entry), ConsoleWatch())
    jobs = f"{count(done.jobs, 'job')} stopped, " if done.jobs else ""
    console.summarize(f"run={entry.id} is cancelled: {jobs}{count(done.files, 'file')} given back to the next run")
