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
    exit_codes={0: "freed", 2: "wrong usage", 3: "nothing is locked", 17: "the holder may be alive (--force)"},
)
def command(settings: UnlockSettings) -> None:
    """Free leases whose holders are dead.

    A run does that by itself as soon as it can be sure; this is for holders it cannot see, such as a machine that is
    gone since less than five minutes.
    """
    from snowetl.orchestrator import control

    run = None if settings.run is None else settings.run.removeprefix("run=")
    for freed in control.unlock(settings.output_folder, run, force=settings.force):
        console.summarize(f"freed: {freed}")
