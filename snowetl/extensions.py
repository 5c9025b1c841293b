"""What other installed packages add: the values of entry points, each loaded, checked and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from snowetl.errors import ConfigError


class Extension(NamedTuple):
    """``origin`` names the extension in messages: its kind, its name, its package."""

    name: str
    origin: str
    value: Any


def installed(group: str, kind: str, fault: Callable[[Any], str | None]) -> Iterator[Extension]:
    """The entry points of ``group``, by name. ``fault`` says what is wrong with a value, or ``None``.

    Raises :class:`ConfigError` for one that cannot be loaded or has a fault.
    """
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        package = point.dist.name if point.dist else "an installed package"
        origin = f"{kind} '{point.name}' of {package} ({point.value})"
        try:
            value = point.load()
        except Exception as error:
            raise ConfigError(f"{origin}: cannot be loaded: {error}. Fix or uninstall that package") from error
        wrong = fault(value)
        if wrong is not None:
            raise ConfigError(f"{origin}: {wrong}. Fix or uninstall that package")
        yield Extension(point.name, origin, value)
