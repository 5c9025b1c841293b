"""Addresses of files and folders as the ledger knows them: one address, however a place is spelled."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from snowetl.runs.run import absolute
from snowetl.settings.kinds import canonical_location
from snowetl.storage.base import scheme_of

_MAGIC = re.compile(r"[*?\[{]")


def place(url: str) -> str:
    """The address of a file: ``s3://`` for ``s3a://``; a local path without links in its folders."""
    scheme = scheme_of(url)
    if scheme == "file":
        folder, _, name = url.rpartition("/")
        return f"{_real(folder).rstrip('/')}/{name}"
    return f"s3{url[3:]}" if scheme in ("s3a", "s3n") else url


@lru_cache(maxsize=10_000)
def _real(folder: str) -> str:
    return canonical_location(folder or "/").removeprefix("file://")


@dataclass(frozen=True, slots=True)
class Within:
    """Whether the address of a file lies in one of some inputs. A glob is taken up to its first special character."""

    files: tuple[str, ...]
    prefixes: tuple[str, ...]

    @classmethod
    def of(cls, inputs: Iterable[str]) -> Within:
        files, prefixes = [], []
        for given in map(absolute, inputs):
            start, *magic = _MAGIC.split(given, maxsplit=1)
            if magic:
                prefixes.append(place(start))
            else:
                files.append(place(given.rstrip("/")))
                prefixes.append(_folder(given))
        return cls(tuple(files), tuple(prefixes))

    def __call__(self, url: str) -> bool:
        return url in self.files or url.startswith(self.prefixes)


def _folder(url: str) -> str:
    """The start of the addresses of all files in a folder."""
    return place(f"{url.rstrip('/')}/")
