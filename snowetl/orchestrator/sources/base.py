"""What every source of input files is, and which of the files it names belong to the input."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from snowetl.orchestrator.places import place
from snowetl.runs.run import absolute
from snowetl.storage import FileInfo
from snowetl.storage.globs import path_matcher


class Source(ABC):
    """Tells which files there are in the input of a run."""

    @abstractmethod
    def files(self) -> Iterator[FileInfo]:
        """The files, in any order, by the addresses that the ledger knows; some may come twice.

        Raises ``UsageError``, ``StorageError``.
        """

    @abstractmethod
    def note(self) -> str:
        """What there is to tell from, for ``snowetl doctor``; raises what :meth:`files` would, before it reads all."""


class Wanted:
    """Whether an object lies in the input: the same answer as a listing of the input folders would give."""

    def __init__(self, inputs: Iterable[str]) -> None:
        self._inputs = [_split(place(absolute(given))) for given in inputs]
        self._matchers = [(bucket, path_matcher(key)) for bucket, key in self._inputs]

    @property
    def buckets(self) -> set[str]:
        """The buckets of all inputs, as ``s3://bucket``."""
        return {bucket for bucket, _ in self._inputs}

    def __call__(self, url: str) -> bool:
        bucket, key = _split(url)
        return any(bucket == mine and matches(key) for mine, matches in self._matchers)


def _split(url: str) -> tuple[str, str]:
    """(``s3://bucket``, key)."""
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key
