"""``snowetl psql``: look into the embedded warehouse."""

from __future__ import annotations

import signal
import subprocess

import click

from snowetl.cli.verb import verb
from snowetl.steps.settings import PsqlSettings

EXAMPLES = (
    """
snowetl psql --data-folder out/warehouse -c 'SELECT event_name, count(*) FROM atomic.events GROUP BY 1'""",
)


@verb(
    PsqlSettings,
    examples=EXAMPLES,
    exit_codes={0: "done", 2: "wrong usage, or psql lost its connection", 3: "an error in a script (psql)"},
    ignore_unknown_options=True,
)
def command(settings: PsqlSettings) -> None:
    """Open psql on the embedded PostgreSQL, which is started for it and stopped after it."""
    from snowetl.errors import UsageError
    from snowetl.load.embedded import embedded_postgres, psql_path

    if not (settings.data_folder / "PG_VERSION").exists():
        raise UsageError(
            f"{settings.data_folder} holds no data of an embedded PostgreSQL; name its folder: --data-folder (that of "
            "a run is warehouse/ below its output folder)"
        )
    with embedded_postgres(settings.data_folder) as url:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends a query of psql, not psql
        try:
            code = subprocess.run([psql_path(), url, *settings.arguments], check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)
    raise click.exceptions.Exit(code)
