"""Where a run hears of its input files: it lists the folders, or reads S3 inventories. One source, one file.

What the sources tell is held against the ledger by whoever chooses the files of a run (:mod:`..choice`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from snowetl.errors import UsageError
from snowetl.orchestrator.inventory import Window
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.sources.base import Source, Wanted
from snowetl.orchestrator.sources.listing import Listing
from snowetl.orchestrator.sources.present import Found, as_it_is
from snowetl.orchestrator.sources.s3_inventory import S3Inventory
from snowetl.spool import Spool, sorted_spool
from snowetl.storage import FileInfo
from snowetl.storage.base import scheme_of


@dataclass(slots=True)
class Input:
    """The input of one run: what all its sources tell. ``complete``: they tell all that lies there, as it is now."""

    sources: tuple[Source, ...]
    complete: bool
    _told: Spool[FileInfo] | None = field(default=None, repr=False)

    def files(self) -> Spool[FileInfo]:
        """The files by address, the latest word on each first. Raises ``UsageError``, ``StorageError``."""
        if self.complete:
            return sorted_spool(file for source in self.sources for file in source.files())
        if self._told is None:  # it is old already: reading it again makes it no newer
            told = (file for source in self.sources for file in source.files())
            self._told = sorted_spool(told, key=lambda file: (file.url, -file.modified))
        return self._told

    def now(self, found: Iterable[Found], window: Window) -> Iterable[Found]:
        """What was found beside the ledger, as it is in the storage now."""
        return found if self.complete else as_it_is(found, window)


def input_of(settings: RunSettings, *, times: bool = False) -> Input:
    """The input as the settings say; ``times``: it matters when a file was written. Raises ``UsageError``."""
    check(settings)
    if not settings.inventory:
        return Input((Listing(settings.input_folder),), complete=True)
    times = times or settings.since is not None or settings.until is not None or bool(settings.settle)
    return Input((S3Inventory(settings.inventory, Wanted(settings.input_folder), times),), complete=False)


def check(settings: RunSettings) -> None:
    """Raises ``UsageError`` for settings that do not go together."""
    elsewhere = [folder for folder in settings.input_folder if not scheme_of(folder).startswith("s3")]
    if settings.inventory and elsewhere:
        raise UsageError(f"--inventory: {elsewhere[0]} is not on S3; an S3 Inventory lists buckets only")
