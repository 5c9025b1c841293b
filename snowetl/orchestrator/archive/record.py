"""What is known of a run's archive: ``archive.json`` in its folder when all is copied, until then a note.

The notes of all runs lie in one folder, ``_archive``: what is left to do is found by one listing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.orchestrator.entries import Entry, read_document
from snowetl.reporting.json_form import from_json, to_json
from snowetl.settings.words import count, size
from snowetl.storage import filesystem

FORMAT = "snowetl-archive/1"
NAME = "archive.json"
_NOTES = "_archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """The archive of a run: its folder, how many files it has (``copied`` by the last attempt, the others before), how
    many could not be copied, and why the first of them could not. ``at`` is when the attempt began, epoch ms.
    """

    folder: str
    at: int
    files: int = 0
    bytes: int = 0
    copied: int = 0
    failed: int = 0
    why: tuple[str, ...] = ()
    seconds: float = 0.0
    done: bool = False

    @property
    def text(self) -> str:
        if self.failed:
            return f"{count(self.failed, 'file')} not copied to {self.folder}: {'; '.join(self.why)}"
        if not self.done:
            return f"not finished, {self.folder}"
        return f"{count(self.files, 'file')}, {size(self.bytes)} in {self.folder}"


def note_url(entry: Entry) -> str:
    return f"{entry.runs_folder}/{_NOTES}/run={entry.id}.json"


def begun(entry: Entry, archived: Archived) -> None:
    """Note that a run, or a part of it, still has to be archived."""
    _write(note_url(entry), archived)


def finished(entry: Entry, archived: Archived) -> None:
    """Everything is copied: the note goes."""
    _write(f"{entry.folder}/{NAME}", archived)
    forget(entry)


def forget(entry: Entry) -> None:
    filesystem(entry.runs_folder).delete_tree(note_url(entry))


def of(entry: Entry) -> Archived | None:
    """The archive of a run, finished or not; ``None`` where none was begun. Raises ``StorageError``."""
    found = _read(f"{entry.folder}/{NAME}")
    return found if found is not None else _read(note_url(entry))


def waiting(runs_folder: str) -> list[Entry]:
    """The runs whose archive was begun and is not finished, the oldest first."""
    folder = f"{runs_folder}/{_NOTES}"
    fs = filesystem(runs_folder)
    notes = fs.list(f"{folder}/run=*.json") if fs.exists(folder) else []
    names = [note.url.rpartition("/run=")[2].removesuffix(".json") for note in notes]
    return [Entry(name, runs_folder) for name in names]


def _read(url: str) -> Archived | None:
    document: Mapping[str, Any] | None = read_document(url)
    if document is None or document.get("format") != FORMAT:
        return None
    return from_json(Archived, {key: value for key, value in document.items() if key != "format"})


def _write(url: str, archived: Archived) -> None:
    filesystem(url).put(url, to_utf8(jsontext.dumps({"format": FORMAT, **to_json(archived)})) + b"\n")
