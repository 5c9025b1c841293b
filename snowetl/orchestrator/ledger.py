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
from operator import attrgetter
from typing import NamedTuple, cast

from snowetl.errors import SnowetlError, StorageError
from snowetl.orchestrator import run_folders
from snowetl.orchestrator.entries import PLAN, REPORT, Entry
from snowetl.runs import input_list
from snowetl.runs.scratch import scratch_folder
from snowetl.storage import filesystem

_FOLDER = "_ledger"
_MERGED_FORMAT = "snowetl-ledger/1"
_MERGE_AFTER = 24
"""So many lists of single runs are read besides the merged one, before they are merged into it."""
_OPEN_AT_ONCE = 100
"""So many lists are read side by side. Of more, the first ones are merged into a list on the local disk."""


class Taken(NamedTuple):
    """A file, as it was when a run took it."""

    url: str
    size: int
    etag: str
    run: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the runs below ``runs_folder`` have taken: those in the ``merged`` list, and each of ``entries``.

    Only runs that are done are in the merged list.
    """

    runs_folder: str
    merged: str | None
    entries: Sequence[Entry]
    older: Sequence[str] = ()
    """Merged lists that another one has replaced."""

    @classmethod
    def of(cls, runs_folder: str) -> Ledger:
        """The ledger as it is now. Raises ``StorageError``."""
        fs = filesystem(runs_folder)
        if not fs.exists(runs_folder):
            return cls(runs_folder, None, ())
        folder = f"{runs_folder}/{_FOLDER}"
        lists = [info.url for info in fs.list(folder)] if fs.exists(folder) else []
        merged = lists[-1] if lists else None
        within = set() if merged is None else _runs_within(merged)
        single = [id_ for id_ in run_folders.run_ids(runs_folder) if id_ not in within]
        begun = run_folders.holding(runs_folder, single, PLAN)
        return cls(runs_folder, merged, [Entry(id_, runs_folder) for id_ in begun], lists[:-1])

    def unfinished(self) -> list[Entry]:
        """The runs that were begun and are not done, the last one first. Raises ``StorageError``."""
        done = {entry.id for entry in self._finished()}
        return [entry for entry in reversed(self.entries) if entry.id not in done]

    def taken(self, but: str | None = None) -> Iterator[Taken]:
        """Every file that was taken, by address; one that was taken twice comes twice, in the order of the runs.

        ``but`` is a run that is begun anew: what it took before is free for it.
        """
        sources: list[Iterable[Taken]] = [_taken_by(entry) for entry in self.entries if entry.id != but]
        if self.merged is not None:
            sources.append(taken for taken in _merged_lines(self.merged) if taken.run != but)
        return _side_by_side(sources)

    def merge(self) -> None:
        """Merge the lists of single runs into one, if they are many. Whoever calls this holds the pipeline's lease."""
        finished = self._finished()
        if len(finished) > _MERGE_AFTER:
            within = set() if self.merged is None else _runs_within(self.merged)
            whole = Ledger(self.runs_folder, self.merged, finished)
            self._write(within | {entry.id for entry in finished}, whole.taken())

    def leave_out(self, run: str) -> None:
        """Take a run out of the merged list, before it is begun anew. Whoever calls this holds the pipeline's lease."""
        within = set() if self.merged is None else _runs_within(self.merged)
        if run in within:
            self._write(within - {run}, Ledger(self.runs_folder, self.merged, ()).taken(but=run))

    def _finished(self) -> list[Entry]:
        ids = [entry.id for entry in self.entries]
        return [Entry(id_, self.runs_folder) for id_ in run_folders.holding(self.runs_folder, ids, REPORT)]

    def _write(self, runs: Iterable[str], lines: Iterable[Taken]) -> None:
        """Write the merged list anew. The one before stays until the next time: another process may be reading it."""
        number = 0 if self.merged is None else int(self.merged.rpartition("/")[2].partition(".")[0])
        url = f"{self.runs_folder}/{_FOLDER}/{number + 1:09d}.jsonl.gz"
        head = {"format": _MERGED_FORMAT, "runs": sorted(runs)}
        input_list.write_lines(url, _after(head, map(list, lines)))
        for old in self.older:
            with suppress(SnowetlError):  # one that stays is not read any more
                filesystem(old).delete_tree(old)


def _side_by_side(sources: Sequence[Iterable[Taken]]) -> Iterator[Taken]:
    """What all sources hold, by address and run. Few files are open at a time, little is held in memory."""
    if len(sources) <= _OPEN_AT_ONCE:
        yield from heapq.merge(*sources, key=attrgetter("url", "run"))
        return
    with scratch_folder() as folder:
        lists = []
        for start in range(0, len(sources), _OPEN_AT_ONCE):
            url = f"{folder}/{start:09d}.jsonl.gz"
            some = heapq.merge(*sources[start : start + _OPEN_AT_ONCE], key=attrgetter("url", "run"))
            input_list.write_lines(url, map(list, some))
            lists.append(url)
        yield from _side_by_side([map(_as_taken, input_list.read_lines(url)) for url in lists])


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
    return map(_as_taken, lines)


def _as_taken(line: object) -> Taken:
    return Taken(*cast("tuple[str, int, str, str]", line))
