"""Which enriched files are read for a path: a folder of runs, a run, a file, a pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from snowetl.errors import NothingToDo
from snowetl.runs.run import absolute
from snowetl.steps.cut import cut_input
from snowetl.steps.transform_plan import is_unfinished
from snowetl.storage import FileInfo, filesystem
from snowetl.storage.base import each_once
from snowetl.storage.globs import has_magic
from snowetl.storage.splits import DEFAULT_TARGET
from snowetl.transform.discovery import RunInterval
from snowetl.workers import WorkList


def work_of(
    paths: Sequence[str], interval: RunInterval, warn: Callable[[str], None], split_size: int = DEFAULT_TARGET
) -> WorkList:
    """The files of ``paths``, cut into splits. Runs that are still being enriched are left out, and ``warn`` hears so.

    Raises :class:`NothingToDo` if no file has content, ``UsageError`` for a path that is not there,
    ``StorageError``.
    """
    folders = [folder for path in paths for folder in _folders(absolute(path).rstrip("/"), interval, warn)]
    work = cut_input(each_once(map(_files, folders)), split_size=split_size).work
    if not work:
        raise NothingToDo(f"there is nothing to read: no file with content in {' and '.join(paths)}")
    return work


def _files(folder: str) -> Iterator[FileInfo]:
    return filesystem(folder).walk(folder)


def _folders(path: str, interval: RunInterval, warn: Callable[[str], None]) -> Iterator[str]:
    """The run folders of ``path``; itself where it holds none, or is a pattern."""
    base, _, last = path.rpartition("/")
    if has_magic(last):
        yield path
        return
    if last.startswith("run="):
        names = [last]
    else:
        base, every = path, [name for name in filesystem(path).folders(path) if name.startswith("run=")]
        if not every:
            yield path
            return
        names = interval.select(every, datetime.now(UTC))
    for name in names:
        if is_unfinished(f"{base}/{name}", name):
            warn(f"{base}/{name} is left out: its enrichment has not ended")
        else:
            yield f"{base}/{name}"
