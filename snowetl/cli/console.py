"""What the command line says: messages on stderr, results on stdout; never a secret, never a control character."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from snowetl.secret_keys import MASK
from snowetl.settings.secrets import redact
from snowetl.settings.words import printable, printable_json

_secrets: set[str] = set()


@dataclass(slots=True)
class Manner:
    """How messages are said. ``log_format`` is ``text`` or ``json`` (a document a line)."""

    quiet: bool = False
    verbose: bool = False
    log_format: str = "text"
    aside: Callable[[str], None] | None = None
    """Prints a line above a bar that is on the terminal."""


manner = Manner()


def speak(quiet: bool = False, verbose: bool = False, log_format: str = "text") -> None:
    """Choose how messages are said from now on."""
    manner.quiet, manner.verbose, manner.log_format = quiet, verbose, log_format


@contextmanager
def beside_bar(show: Callable[[str], None]) -> Iterator[None]:
    """While a bar is on the terminal, messages go through ``show``, which keeps it whole."""
    manner.aside = show
    try:
        yield
    finally:
        manner.aside = None


def remember(secrets: Iterable[str]) -> None:
    """Mask these texts from now on. Short ones are left: they would mask parts of words."""
    _secrets.update(secret for secret in secrets if len(secret) >= 4)


def mask(text: str) -> str:
    """``text`` without the secrets we know of, and without passwords in URLs."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return redact(text)


def one_line(text: str) -> str:
    """As :func:`printable`, and on one line: for values out of an event."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def say(text: str, **more: Any) -> None:
    """A line about what happens, on stderr; ``more`` are numbers for programs. Nothing with ``--quiet``."""
    if not manner.quiet:
        _log("info", text, more=more)


def detail(text: str) -> None:
    """A line that only ``--verbose`` shows."""
    if manner.verbose:
        _log("debug", text)


def warn(text: str) -> None:
    _log("warning", text, "Warning: ", "yellow")


def fail(text: str) -> None:
    """Why the verb stops, on stderr."""
    _log("error", text, "Error: ", "red")


def _log(level: str, text: str, prefix: str = "", color: str | None = None, more: dict[str, Any] | None = None) -> None:
    """Print a line on stderr. If stderr is no terminal, the line begins with the time; an error has none."""
    text = mask(text)
    now = datetime.now(UTC)
    if manner.log_format == "json":
        document = {"time": now.isoformat(timespec="milliseconds"), "level": level, "message": text} | (more or {})
        click.echo(json.dumps(document), err=True)
        return
    shown = printable(f"{prefix}{text}")
    if manner.aside is not None:
        manner.aside(shown)
        return
    stamp = "" if on_terminal() or level == "error" else f"{now:%Y-%m-%dT%H:%M:%SZ} "
    click.secho(f"{stamp}{shown}", err=True, fg=color)


def show(text: str) -> None:
    """A result for a person, on stdout."""
    click.echo(printable(mask(text)))


def summarize(text: str) -> None:
    """What was done, for a person, on stdout. Nothing with ``--quiet``."""
    if not manner.quiet:
        show(text)


def emit(text: str) -> None:
    """Print a result for a program (SQL) on stdout unchanged; on a terminal as :func:`show` does."""
    click.echo(printable(text) if sys.stdout.isatty() else text)


def emit_json(text: str) -> None:
    """A JSON document for a program, on stdout. Whoever pipes it to a terminal is safe, too: JSON has escapes."""
    click.echo(printable_json(text))


def on_terminal() -> bool:
    return sys.stderr.isatty()


def tolerate_encodings() -> None:
    """Let a terminal that lacks a character show its escape (PYTHONIOENCODING=latin-1), where Python would fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def click_message(error: click.ClickException) -> str:
    """Click's own message, and where to find help."""
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        message += f"\nSee '{error.ctx.command_path} --help'."
    return message
