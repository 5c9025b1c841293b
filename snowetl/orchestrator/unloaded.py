"""Folders of rows that another program wrote where a run loads from, and that are not in the warehouse.

Runs of this pipeline are not meant: `snowetl status` tells of them. RDB Loader calls it folder monitoring
(rdb-loader 5.6.3, ``monitoring.folders``).
"""

from __future__ import annotations

from typing import NamedTuple

from snowetl.load.run import MESSAGE, read_run
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.settings import RunSettings
from snowetl.settings.words import count
from snowetl.steps.base import Unwatched
from snowetl.steps.load import Load, LoadPlan
from snowetl.storage import filesystem

_LATEST = 200
"""So many folders are looked at, the last by name."""


class Unloaded(NamedTuple):
    """Folders, by address. ``incomplete`` have no ``shredding_complete.json``: their transform goes on, or died."""

    looked_at: int
    waiting: list[str]
    incomplete: list[str]

    def __str__(self) -> str:
        if not self.waiting and not self.incomplete:
            return f"{count(self.looked_at, 'folder')} of other programs, none that is not loaded"
        told = []
        if self.waiting:
            told.append(
                f"{_named(self.waiting)} not in the warehouse: `snowetl load -i {self.waiting[0]}` takes such a folder"
            )
        if self.incomplete:
            told.append(f"{_named(self.incomplete)} not complete: without a {MESSAGE}, no load takes it")
        return "; ".join(told)


def unloaded(settings: RunSettings) -> Unloaded:
    """Look at the latest folders of rows. Raises ``StorageError``, and what a look into the warehouse raises."""
    above = settings.about()["transformedFolder"]
    fs = filesystem(above)
    names = sorted(name for name in fs.folders(above) if name.startswith("run=")) if fs.exists(above) else []
    others = [
        name for name in names[-_LATEST:] if Entry(name.removeprefix("run="), settings.runs_folder).plan() is None
    ]
    folders = [f"{above}/{name}/" for name in others]
    complete = [folder for folder in folders if fs.exists(folder + MESSAGE)]
    wanted = [folder for folder in complete if not read_run(folder).is_empty]
    loaded: list[str] = []
    if wanted:
        plan = LoadPlan(settings=settings.load_settings(others[0]), folders=wanted)
        loaded = Load().loaded(plan, Unwatched())
    return Unloaded(
        len(folders),
        [folder for folder in wanted if folder not in loaded],
        [folder for folder in folders if folder not in complete],
    )


def _named(folders: list[str]) -> str:
    more = f" and {len(folders) - 1:,} more are" if len(folders) > 1 else " is"
    return f"{folders[0]}{more}"
