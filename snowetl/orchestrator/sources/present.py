"""What an inventory or a message said of a file, beside what lies there now: the storage is asked, file by file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from snowetl.orchestrator.inventory import Window
from snowetl.orchestrator.ledger import Taken
from snowetl.storage import FileInfo, filesystem
from snowetl.storage.base import COMMIT_THREADS

_AT_ONCE = COMMIT_THREADS * 8
Found = tuple[str, FileInfo | Taken]


def as_it_is(found: Iterable[Found], window: Window) -> Iterator[Found]:
    """``found``, (kind, file) in the order of addresses, with the new files as they are now: one that is gone since has
    vanished, one that was replaced is taken as it is. Many are asked for at once; the order stays.
    """
    remaining = iter(found)
    with ThreadPoolExecutor(COMMIT_THREADS, thread_name_prefix="present") as threads:
        while some := list(islice(remaining, _AT_ONCE)):
            yield from threads.map(lambda one: _as_it_is(one, window), some)


def _as_it_is(found: Found, window: Window) -> Found:
    kind, file = found
    if isinstance(file, Taken) or kind not in ("new", "replaced"):
        return kind, file
    now = filesystem(file.url).info(file.url)
    if now is None:
        return "vanished", file
    if (now.size, now.etag) == (file.size, file.etag):
        return kind, file
    if kind == "replaced":  # what was said of it is old: whether it was taken as it is now is not known
        return "taken", file
    return ("too_young" if window.until is not None and now.modified >= window.until else "new"), now
