"""What the command line says: messages on stderr, results on stdout, and never a secret."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any

import click

_SECRET_KEY = re.compile(r"api_?key|password|secret|token|salt|private_?key", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/\s@:]+:[^/\s@]+(?=@)")
_MASK = "***"

_secrets: set[str] = set()


def remember_secrets(document: Any) -> None:
    """Mask from now on every text that ``document`` (parsed JSON or YAML) holds under a key that names a secret."""
    for key, value in _entries(document):
        if isinstance(value, str) and len(value) >= 4 and _SECRET_KEY.search(key):
            _secrets.add(value)


def _entries(document: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield str(key), value
            yield from _entries(value)
    elif isinstance(document, list):
        for item in document:
            yield from _entries(item)


def mask(text: str) -> str:
    """``text`` without the secrets we know of, and without passwords in URLs."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return _USERINFO.sub(_MASK, text)


def say(text: str) -> None:
    """A line about what happens, on stderr."""
    click.echo(mask(text), err=True)


def warn(text: str) -> None:
    click.secho(mask(f"Warning: {text}"), err=True, fg="yellow")


def fail(text: str) -> None:
    """Why the verb stops, on stderr."""
    click.secho(mask(f"Error: {text}"), err=True, fg="red")


def show(text: str) -> None:
    """A result, on stdout."""
    click.echo(mask(text))


def on_terminal() -> bool:
    return sys.stderr.isatty()


def click_message(error: click.ClickException) -> str:
    """Click's own message, and where to find help."""
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        message += f"\nSee '{error.ctx.command_path} --help'."
    return message
