"""Where the files of a run are in an archive: ``run=<id>/`` and the path each has in the input. Pure.

So EmrEtlRunner archived them (``<raw archive>run=<run id>/``). With several inputs, the path is the one below the
folder that holds them all: no two files can meet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from snowetl.orchestrator.places import place
from snowetl.runs.run import absolute
from snowetl.storage.base import scheme_of

_MAGIC = re.compile(r"[*?\[{]")


@dataclass(frozen=True, slots=True)
class Layout:
    """``folder`` is the archive's folder of the run, ``base`` the path of the folder that all its inputs are in."""

    folder: str
    base: tuple[str, ...]

    @classmethod
    def of(cls, archive: str, run: str, inputs: Sequence[str]) -> Layout:
        folders = [_folder(place(absolute(given)).rstrip("/")) for given in inputs]
        return cls(f"{archive.rstrip('/')}/run={run}", _common(folders))

    def has(self, file: str) -> bool:
        """Whether the file lies in the archive already, as the input of a run over what is archived does."""
        archive = _path(self.folder)[:-1]
        return _path(file)[: len(archive)] == archive

    def url(self, file: str) -> str:
        """Where the file with this address is in the archive."""
        path = _path(file)
        below = path[len(self.base) :] if path[: len(self.base)] == self.base else path
        return "/".join((self.folder, *(below or path[-1:])))


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all paths begin with."""
    first, last = min(paths), max(paths)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return tuple(name for name, _ in same)


def _folder(given: str) -> tuple[str, ...]:
    """The path of an input; of a glob, that of the folder before its first special character."""
    start, *magic = _MAGIC.split(given, maxsplit=1)
    return _path(start.rpartition("/")[0] if magic else given)


def _path(url: str) -> tuple[str, ...]:
    scheme = scheme_of(url)
    rest = url.partition("://")[2] if "://" in url else url
    return (scheme, *rest.lstrip("/").split("/")) if rest.strip("/") else (scheme,)
