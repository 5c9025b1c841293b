"""Which runs there are, by the names of their folders.

Folders are listed, not what lies in them: ten years of hourly runs are 88 requests to S3, however many files each has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from snowetl.storage import filesystem

PREFIX = "run="
_READERS = 16


def run_ids(runs_folder: str) -> list[str]:
    """The names of all runs, in order. Some have no plan: they were cancelled, or killed before they began."""
    named = filesystem(runs_folder).folders(runs_folder)
    return [name.removeprefix(PREFIX) for name in named if name.startswith(PREFIX)]


def holding(runs_folder: str, ids: Iterable[str], *names: str) -> Iterator[str]:
    """Those of the runs in whose folders one of the files ``names`` lies, in the same order.

    The storage is asked about several at once, and no further than the answers are wanted.
    """
    fs = filesystem(runs_folder)

    def holds(id_: str) -> bool:
        return any(fs.exists(f"{runs_folder}/{PREFIX}{id_}/{name}") for name in names)

    remaining = iter(ids)
    with ThreadPoolExecutor(_READERS) as readers:
        while some := list(islice(remaining, _READERS)):
            yield from (id_ for id_, yes in zip(some, readers.map(holds, some), strict=True) if yes)


def latest(runs_folder: str, count: int, *names: str) -> Sequence[str]:
    """The last ``count`` runs in whose folders one of the files ``names`` lies, the last first."""
    return list(islice(holding(runs_folder, reversed(run_ids(runs_folder)), *names), count))
