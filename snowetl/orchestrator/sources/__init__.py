"""Sources of the list of input files: a listing of the folders, S3 inventories, or a queue.

One source, one file. What the sources tell is held against the ledger by whoever chooses the files of a run
(:mod:`..choice`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from snowetl.errors import UsageError
from snowetl.orchestrator.inventory import Window
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.sources.base import Source, Wanted
from snowetl.orchestrator.sources.listing import Listing
from snowetl.orchestrator.sources.present import Found, as_it_is
from snowetl.orchestrator.sources.s3_inventory import S3Inventory
from snowetl.orchestrator.sources.sqs import Queue
from snowetl.spool import Spool, sorted_spool
from snowetl.sqs import QueueAddress, QueueClient
from snowetl.steps.base import Unwatched, Watch
from snowetl.storage import FileInfo
from snowetl.storage.base import scheme_of

_LEFT = ("too_young", "too_old", "too_many")
"""Kinds of files that a later run takes."""


@dataclass(slots=True)
class Input:
    """The input of one run: what all its sources tell. ``complete``: they tell all that lies there, as it is now."""

    sources: tuple[Source, ...]
    complete: bool = False
    queue: Queue | None = None
    """The one of the sources that remembers what it has told."""
    _told: Spool[FileInfo] | None = field(default=None, repr=False)
    _left: set[str] = field(default_factory=set, repr=False)

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
        if self.complete:
            return found
        present = as_it_is(found, window)
        return present if self.queue is None else self._noting_left(present, self.queue)

    def _noting_left(self, found: Iterable[Found], queue: Queue) -> Iterator[Found]:
        self._left.clear()
        for kind, file in found:
            if kind in _LEFT and queue.has_told(file.url):
                self._left.add(file.url)
            yield kind, file

    def recorded(self) -> None:
        """The ledger has all that was found and is not left for later: nobody has to be told of it again."""
        if self.queue is not None:
            self.queue.forget(self._left)


@contextmanager
def opened(settings: RunSettings, watch: Watch | None = None) -> Iterator[Input]:
    """The input as the settings say. What it has told inside ``with`` is told again, unless it is recorded."""
    given = input_of(settings, watch)
    try:
        yield given
    finally:
        if given.queue is not None:
            given.queue.close()


def input_of(settings: RunSettings, watch: Watch | None = None, *, times: bool = False) -> Input:
    """The input as the settings say; ``times``: it matters when a file was written. Raises ``UsageError``."""
    check(settings)
    wanted = Wanted(settings.input_folder)
    times = times or settings.since is not None or settings.until is not None or bool(settings.settle)
    inventories = (S3Inventory(settings.inventory, wanted, times),) if settings.inventory else ()
    if settings.input_queue is not None:
        client = QueueClient(QueueAddress.of(settings.input_queue))
        queue = Queue(client, wanted, watch or Unwatched(), settings.max_bytes)
        return Input((*inventories, queue), queue=queue)
    return Input(inventories) if inventories else Input((Listing(settings.input_folder),), complete=True)


def check(settings: RunSettings) -> None:
    """Raises ``UsageError`` for settings that do not go together."""
    given = [
        name for name, value in (("--inventory", settings.inventory), ("--input-queue", settings.input_queue)) if value
    ]
    elsewhere = [folder for folder in settings.input_folder if not scheme_of(folder).startswith("s3")]
    if given and elsewhere:
        raise UsageError(f"{given[0]}: {elsewhere[0]} is not on S3, and S3 tells of its own buckets only")
    if settings.input_queue is not None and (settings.since is not None or settings.until is not None):
        raise UsageError(
            "--input-queue does not go with --since and --until: messages that no run wants end in the dead-letter "
            "queue. Leave --input-queue out: a listing finds the same files"
        )
