"""The ledger of a pipeline: which input file was taken by which run.

Each run keeps the list of its files in its own folder; together these lists are the ledger. Lists of many runs are
merged into one, from time to time, so that the next run reads few files. All lists are in the order of the files'
addresses, and are merged in a stream: a ledger of ten million files is compared with a folder in bounded memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, cast

from snowetl.errors import SnowetlError, StorageError
from snowetl.orchestrator import run_folders
from snowetl.orchestrator.entries import PLAN, Entry
from snowetl.runs import input_list
from snowetl.storage import filesystem

_FOLDER = "_ledger"
_MERGED_FORMAT = "snowetl-ledger/1"
_MERGE_AFTER = 24
"""So many lists of single runs are read besides the merged one, before they are merged into it."""


class Taken(NamedTuple):
    """A file, as it was when a run took it."""

    url: str
    size: int
    etag: str
    run: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the runs below ``runs_folder`` have taken: those in the ``merged`` list, and each of ``entries``."""

    runs_folder: str
    merged: str | None
    entries: Sequence[Entry]

    @classmethod
    def of(cls, runs_folder: str) -> Ledger:
        """The ledger as it is now. Raises ``StorageError``."""
        fs = filesystem(runs_folder)
        if not fs.exists(runs_folder):
            return cls(runs_folder, None, ())
        folder = f"{runs_folder}/{_FOLDER}"
        lists = fs.list(folder) if fs.exists(folder) else []
        merged = max(lists, key=lambda info: info.url).url if lists else None
        within = set() if merged is None else _runs_within(merged)
        single = [id_ for id_ in run_folders.run_ids(runs_folder) if id_ not in within]
        begun = run_folders.holding(runs_folder, single, PLAN)
        return cls(runs_folder, merged, [Entry(id_, runs_folder) for id_ in begun])

    def taken(self) -> Iterator[Taken]:
        """Every file that was taken, by address; one that was taken twice comes twice, in the order of the runs."""
        sources: list[Iterable[Taken]] = [_taken_by(entry) for entry in self.entries]
        if self.merged is not None:
            sources.append(_merged_lines(self.merged))
        return heapq.merge(*sources, key=lambda taken: (taken.url, taken.run))

    def merge(self) -> None:
        """Merge the lists of single runs into one, if they are many. Whoever calls this holds the pipeline's lease."""
        finished = [entry for entry in self.entries if entry.is_done()]
        if len(finished) <= _MERGE_AFTER:
            return
        within = set() if self.merged is None else _runs_within(self.merged)
        whole = Ledger(self.runs_folder, self.merged, finished)
        runs = sorted(within | {entry.id for entry in finished})
        url = f"{self.runs_folder}/{_FOLDER}/{len(runs):09d}.jsonl.gz"
        head = {"format": _MERGED_FORMAT, "runs": runs}
        input_list.write_lines(url, _after(head, map(list, whole.taken())))
        if self.merged is not None and self.merged != url:
            with suppress(SnowetlError):  # one that stays is not read any more
                filesystem(self.merged).delete_tree(self.merged)


def _after(head: object, rest: Iterable[object]) -> Iterator[object]:
    yield head
    yield from rest


def _taken_by(entry: Entry) -> Iterator[Taken]:
    return (Taken(file.url, file.size, file.etag, entry.id) for file in entry.inputs())


def _runs_within(url: str) -> set[str]:
    head = next(iter(input_list.read_lines(url)), None)
    if not isinstance(head, dict) or head.get("format") != _MERGED_FORMAT:
        raise StorageError(f"{url} is not a ledger of this release: was it written by a later one?")
    return set(head["runs"])


def _merged_lines(url: str) -> Iterator[Taken]:
    lines = iter(input_list.read_lines(url))
    next(lines)
    for line in lines:
        yield Taken(*cast("tuple[str, int, str, str]", line))
