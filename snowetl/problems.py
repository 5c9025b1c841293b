"""What is wrong with a configuration, gathered so that one message names all of it; and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from snowetl.errors import ConfigError

T = TypeVar("T")


class Problems:
    """Collects what is wrong with a configuration, so that one message names all of it."""

    def __init__(self) -> None:
        self._found: dict[str, ConfigError] = {}

    def add(self, error: ConfigError | str) -> None:
        """A problem in a sentence; of those an error holds already (see :meth:`check`), each."""
        if isinstance(error, str):
            error = ConfigError(error)
        for one in error.problems or (error,):
            self._found.setdefault(str(one), one)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Whatever ``ConfigError`` is raised inside is one problem more."""
        try:
            yield
        except ConfigError as error:
            self.add(error)

    def value(self, read: Callable[[], T], otherwise: T) -> T:
        """What ``read`` gives; ``otherwise`` where it raises ``ConfigError``, which is one problem more."""
        with self.gathered():
            return read()
        return otherwise

    def check(self, advice: str = "") -> None:
        """Raises :class:`ConfigError` if there is any problem: that one, or a list of all; ``advice`` ends the text."""
        problems = tuple(self._found.values())
        if len(problems) == 1:
            raise ConfigError(f"{problems[0]}. {advice}") if advice else problems[0]
        if problems:
            lines = "".join(f"\n  - {problem}" for problem in problems)
            end = f"\n{advice}" if advice else ""
            error = ConfigError(f"{len(problems)} problems in the configuration:{lines}{end}")
            error.problems = problems
            raise error


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like ``name``, or an empty text."""
    lower = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name.lower(), sorted(lower), n=1, cutoff=0.7)
    return lower[found[0]] if found else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean NAME``, or an empty text: for the end of a message about an unknown ``name``."""
    found = nearest(name, known)
    return f"; did you mean {found}" if found else ""
