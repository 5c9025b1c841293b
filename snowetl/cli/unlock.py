"""``snowetl unlock``: free the lease of a process that is gone."""

from __future__ import annotations

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.orchestrator.verb_settings import UnlockSettings

EXAMPLES = (
    """
snowetl unlock -o s3://lake""",
)


@verb(
    UnlockSettings,
    section="run",
    examples=EXAMPLES,
    exit_codes={0: "released", 2: "wrong usage", 3: "nothing is locked", 17: "the holder may be alive (--force)"},
)
def command(settings: UnlockSettings) -> None:
    """Release the leases of dead processes.

    A run does this by itself as soon as it is sure that a holder is dead. This command is for holders it cannot
    see, such as a machine that has been gone for less than five minutes.
    """
    from snowetl.orchestrator import control

    run = None if settings.run is None else settings.run.removeprefix("run=")
    for freed in control.unlock(settings.output_folder, run, force=settings.force):
        console.summarize(f"freed: {freed}")
