"""``snowetl psql``: look into the embedded warehouse."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import click

from snowetl.cli.options import config_option


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--data-folder", type=click.Path(path_type=Path), default="warehouse", show_default=True,
              help="Where the embedded PostgreSQL keeps its data.")  # fmt: skip
@config_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PSQL OPTIONS]")
def command(data_folder: Path, arguments: tuple[str, ...]) -> None:
    """Open psql on the embedded PostgreSQL, which is started for it and stopped after it.

    Options of psql follow, such as -c 'SELECT count(*) FROM atomic.events'.
    """
    from snowetl.errors import UsageError
    from snowetl.load.embedded import embedded_postgres, psql_path

    if not (data_folder / "PG_VERSION").exists():
        raise UsageError(f"{data_folder} holds no data of an embedded PostgreSQL; name its folder: --data-folder")
    with embedded_postgres(data_folder) as url:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends a query of psql, not psql
        try:
            code = subprocess.run([psql_path(), url, *arguments], check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)
    raise click.exceptions.Exit(code)
