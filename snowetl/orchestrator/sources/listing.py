"""The input as a listing: all files that are there now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from snowetl.orchestrator.places import place
from snowetl.orchestrator.sources.base import Source
from snowetl.settings.words import count, size
from snowetl.steps.enrich import list_input
from snowetl.storage import FileInfo, filesystem


@dataclass(frozen=True, slots=True)
class Listing(Source):
    folders: Sequence[str]

    def files(self) -> Iterator[FileInfo]:
        for file in list_input(self.folders):
            yield file._replace(url=place(file.url))

    def note(self) -> str:
        return "; ".join(map(_note, self.folders))


def _note(folder: str) -> str:
    files = total = 0
    for file in filesystem(folder).walk(folder):
        files, total = files + 1, total + file.size
    return f"{folder}: {count(files, 'file')}, {size(total)}"
