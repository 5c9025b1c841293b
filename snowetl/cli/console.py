"""What the command line says: messages on stderr, results on stdout; never a secret, never a control character."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

import click

from snowetl.documents import MASK
from snowetl.settings.secrets import redact

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""What moves a terminal's cursor or turns its text around: C0 but tab and line feed, C1, marks of direction, lone
surrogates."""

_secrets: set[str] = set()


def remember(secrets: Iterable[str]) -> None:
    """Mask these texts from now on. Short ones are left: they would mask parts of words."""
    _secrets.update(secret for secret in secrets if len(secret) >= 4)


def mask(text: str) -> str:
    """``text`` without the secrets we know of, and without passwords in URLs."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return redact(text)


def printable(text: str) -> str:
    """``text`` with ``\\x1b`` and the like for characters that would act on a terminal instead of being seen."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape", "backslashreplace").decode("ascii"), text)


def one_line(text: str) -> str:
    """As :func:`printable`, and on one line: for values out of an event."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def say(text: str) -> None:
    """A line about what happens, on stderr."""
    click.echo(printable(mask(text)), err=True)


def warn(text: str) -> None:
    click.secho(printable(mask(f"Warning: {text}")), err=True, fg="yellow")


def fail(text: str) -> None:
    """Why the verb stops, on stderr."""
    click.secho(printable(mask(f"Error: {text}")), err=True, fg="red")


def show(text: str) -> None:
    """A result for a person, on stdout."""
    click.echo(printable(mask(text)))


def emit(text: str) -> None:
    """A result for a program (SQL, JSON), on stdout as it is; on a terminal as :func:`show`."""
    click.echo(printable(text) if sys.stdout.isatty() else text)


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
