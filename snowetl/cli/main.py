"""The command ``snowetl``: finds the verb, and turns whatever stops it into one message and an exit code."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from snowetl.cli import console
from snowetl.cli.verbs import VERBS
from snowetl.errors import SnowetlError
from snowetl.problems import did_you_mean

INTERRUPTED = 130
_WORDS = {"help": "--help", "version": "--version"}
"""What people type as a verb, and the option they mean."""


class _Verbs(click.Group):
    """Imports a verb only when it is needed, so that ``snowetl --version`` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name].module).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """``snowetl`` alone is ``snowetl --help``; ``snowetl help VERB`` is ``snowetl VERB --help``."""
        if not args:
            args = ["--help"]
        elif args[0] in _WORDS:
            args = [*args[1:2], _WORDS[args[0]]] if args[0] == "help" else [_WORDS[args[0]]]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            known = did_you_mean(name, [*VERBS, *_WORDS]) or f"; the verbs are {', '.join(VERBS)}"
            raise click.UsageError(f"No such command '{name}'{known}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Verbs in the order of their use, each with its whole first sentence."""
        rows = []
        for name in VERBS:
            command = self.get_command(ctx, name)
            assert command is not None
            rows.append((name, command.get_short_help_str(limit=200)))
        with formatter.section("Verbs"):
            formatter.write_dl(rows)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from snowetl.version import description

        click.echo(description())
        ctx.exit()


@click.command(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`snowetl VERB --help` lists the options of a verb, with examples.",
)
@click.option("-V", "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Show the version and exit.")  # fmt: skip
def cli() -> None:
    """Turn raw Snowplow collector logs into enriched events, bad rows and warehouse tables."""


_NOT_FOR_OTHERS = 0o007
_STDERR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``snowetl`` with ``arguments`` (default: those of the process).

    Returns the exit code: 0 ok, 1 failure, 2 usage or configuration, 3 nothing to do, 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    _open_standard_streams()
    console.tolerate_encodings()
    console.speak()
    os.umask(os.umask(0) | _NOT_FOR_OTHERS)  # events and bad rows hold personal data
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = cli.main(given, prog_name="snowetl", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        console.fail(console.click_message(error))
        return error.exit_code if isinstance(error, click.UsageError) else 1
    except SnowetlError as error:
        console.detail("".join(traceback.format_exception(error)).rstrip())
        console.fail(str(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        console.fail(f"interrupted{_how_to_go_on(given)}")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError as error:
        console.detail("".join(traceback.format_exception(error)).rstrip())
        console.fail("out of memory. Give this process more (ulimit -v, the container's limit), and run again")
        return 1
    except OSError as error:  # this machine's: a full /tmp, no file handles left (storage has errors of its own)
        where = f"{error.filename}: " if error.filename else ""
        console.fail(f"{where}{error.strerror or error}")
        return 1


def _open_standard_streams() -> None:
    """Lead streams that the caller closed (``2>&-``) nowhere, so that no file of ours is opened in their place."""
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > _STDERR:
            os.close(descriptor)
            break
        os.set_inheritable(descriptor, True)
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - it lives as long as the process
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115


def _how_to_go_on(arguments: Sequence[str]) -> str:
    """What the verb says about going on after Ctrl-C."""
    verb = VERBS.get(arguments[0]) if arguments else None
    text = getattr(importlib.import_module(verb.module).command, "interrupted", "") if verb else ""
    return f". {text}" if text else ""


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM stops a verb as Ctrl-C does: whatever it has begun is undone on the way out."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
