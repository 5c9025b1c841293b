"""``snowetl psql``: look into the embedded warehouse."""

from __future__ import annotations

import secrets
import signal
import subprocess
from contextlib import suppress

import click

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.steps.settings import PsqlSettings

EXAMPLES = (
    """
snowetl psql --data-folder out/warehouse -c 'SELECT event_name, count(*) FROM atomic.events GROUP BY 1'""",
    """
snowetl psql --data-folder out/warehouse --serve --port 5433""",
)


@verb(
    PsqlSettings,
    examples=EXAMPLES,
    exit_codes={0: "done", 2: "wrong usage, or psql lost its connection", 3: "an error in a script (psql)"},
    ignore_unknown_options=True,
)
def command(settings: PsqlSettings) -> None:
    """Open psql on the embedded PostgreSQL, whose server runs until psql ends."""
    from snowetl.errors import UsageError
    from snowetl.load.embedded import embedded_postgres, psql_path

    if not (settings.data_folder / "PG_VERSION").exists():
        raise UsageError(
            f"{settings.data_folder} holds no data of an embedded PostgreSQL; name its folder: --data-folder (that of "
            "a run is warehouse/ below its output folder)"
        )
    if settings.serve:
        _serve(settings)
        return
    with embedded_postgres(settings.data_folder) as url:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends a query of psql, not psql
        try:
            code = subprocess.run([psql_path(), url, *settings.arguments], check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)
    raise click.exceptions.Exit(code)


def _serve(settings: PsqlSettings) -> None:
    """Until Ctrl-C or SIGTERM. The address is said on standard output, the password only if it is a new one."""
    from snowetl.errors import UsageError
    from snowetl.load.embedded import READER, served

    if settings.arguments:
        raise UsageError(f"--serve opens no psql: leave {' '.join(settings.arguments)} out")
    password = settings.reader_password or secrets.token_urlsafe(18)
    with served(settings.data_folder, settings.port, password), suppress(KeyboardInterrupt):
        click.echo(f"jdbc:postgresql://127.0.0.1:{settings.port}/postgres  user {READER}", nl=False)
        click.echo("" if settings.reader_password else f"  password {password}")
        console.say("reading only, on this machine only; Ctrl-C ends it")
        while True:
            signal.pause()
