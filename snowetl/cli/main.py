"""The command ``snowetl``: finds the verb, and turns whatever stops it into one message and an exit code."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from snowetl.cli import console
from snowetl.errors import SnowetlError

VERBS = {
    "enrich": "snowetl.cli.enrich",
    "explain": "snowetl.cli.explain",
    "transform": "snowetl.cli.transform",
    "load": "snowetl.cli.load",
    "run": "snowetl.cli.run",
    "psql": "snowetl.cli.psql",
    "ddl": "snowetl.cli.ddl",
}
"""Verb -> module whose ``command`` is the verb. A new verb is one file and one line here."""

INTERRUPTED = 130


class _Verbs(click.Group):
    """Imports a verb only when it is needed, so that ``snowetl --version`` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name]).command
        return command


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from snowetl.version import __version__

        click.echo(f"snowetl {__version__}")
        ctx.exit()


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Version.")
def cli() -> None:
    """Turn raw Snowplow collector logs into enriched events and bad rows."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``snowetl`` with ``arguments`` (default: those of the process).

    Returns the exit code: 0 ok, 1 failure, 2 usage or configuration, 3 nothing to do, 130 interrupted.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = cli.main(arguments, prog_name="snowetl", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        console.fail(console.click_message(error))
        return error.exit_code if isinstance(error, click.UsageError) else 1
    except SnowetlError as error:
        console.fail(str(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        console.fail("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # this machine's: a full /tmp, no file handles left (storage has errors of its own)
        console.fail(str(error))
        return 1


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM stops a verb as Ctrl-C does: whatever it has begun is undone on the way out."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
