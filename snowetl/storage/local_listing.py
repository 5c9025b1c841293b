"""Listings of folders of this machine: links followed once, each file under one name."""

from __future__ import annotations

import errno
import heapq
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import NamedTuple

from snowetl.storage.base import FileInfo
from snowetl.storage.globs import Glob, is_hidden

_log = logging.getLogger("snowetl")


class Found(NamedTuple):
    """A file in a listing: its path, the same without links, and whether a link led there from the listed folder."""

    path: str
    real: str
    info: os.stat_result
    linked: bool = False

    @property
    def several(self) -> bool:
        """Whether it may have other names."""
        return self.linked or (self.info.st_nlink > 1 and self.info.st_ino != 0)

    @property
    def key(self) -> object:
        """What all names of the file have in common."""
        stat = self.info
        return (stat.st_dev, stat.st_ino) if stat.st_nlink > 1 and stat.st_ino else self.real


class Names:
    """The files of several sorted listings, which can be gone through again."""

    def __init__(self, listings: Sequence[Callable[[], Iterator[Found]]]) -> None:
        self._listings = listings

    def once(self, prefix: str) -> Iterator[FileInfo]:
        """Each file once, sorted by url. ``prefix`` goes before paths in urls."""
        shared = {found.key for found in self._all() if found.several}
        best: dict[object, tuple[bool, str]] = {}
        for found in self._all() if shared else ():
            if found.key in shared:
                name = (found.linked, found.path)
                best[found.key] = min(best.get(found.key, name), name)
        last = None
        for found in self._all():
            chosen = best.get(found.key) if shared else None
            if found.path != last and (chosen is None or chosen[1] == found.path):
                yield info_of(prefix, found)
            last = found.path

    def _all(self) -> Iterator[Found]:
        if len(self._listings) == 1:
            return self._listings[0]()
        return heapq.merge(*(listing() for listing in self._listings), key=attrgetter("path"))


def below(path: str, linked: bool = False) -> Iterator[Found]:
    """The file ``path``, or all below the folder. ``linked``: whether a link led there."""
    if Path(path).is_dir():
        yield from _walk(path, linked)
    else:
        found = look(path, linked)
        if found is not None:
            yield found


def _walk(folder: str, linked: bool = False, above: tuple[str, ...] = ()) -> Iterator[Found]:
    """All files below ``folder``, sorted, hidden names left out. A link back to a folder above is not followed."""
    here = os.path.realpath(folder)
    if here in above:
        _log.warning("%s is a link to a folder above it; it is left out", folder)
        return
    with os.scandir(folder) as entries:
        shown = [(entry.name + "/" * is_folder(entry), entry) for entry in entries if not is_hidden(entry.name)]
    shown.sort(key=itemgetter(0))
    for name, entry in shown:
        through = linked or entry.is_symlink()
        if name.endswith("/"):
            yield from _walk(entry.path, through, (*above, here))
            continue
        found = (
            look(entry.path, through) if entry.is_symlink() else _stated(entry, f"{here.rstrip('/')}/{name}", linked)
        )
        if found is not None:
            yield found


def _stated(entry: os.DirEntry[str], real: str, linked: bool) -> Found | None:
    try:
        return Found(entry.path, real, entry.stat(follow_symlinks=False), linked)
    except FileNotFoundError:  # deleted while we looked
        return None


def look(path: str, linked: bool) -> Found | None:
    """A file by its path; ``None`` for a link that leads nowhere, and what was deleted while we looked."""
    try:
        return Found(path, os.path.realpath(path), os.stat(path), linked)  # noqa: PTH116
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        _log.warning("%s is a link to itself; it is left out", path)
        return None


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is, or leads to, a folder; a link to itself is none, and is left out with what is not there."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return False


def matched(glob: Glob) -> Iterator[Found]:
    """The files that a pattern matches, whole folders included, sorted."""
    return _match(glob.base or "/", list(glob.levels))


def _match(folder: str, levels: list, linked: bool = False) -> Iterator[Found]:  # type: ignore[type-arg]
    """Files that ``levels`` match below ``folder``, whole folders included, sorted."""
    if not levels:
        if Path(folder).exists():
            yield from below(folder, linked)
        return
    try:
        with os.scandir(folder) as entries:
            named = sorted((entry.name + "/" * is_folder(entry), entry.is_symlink()) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name, is_link in named:
        name = name.rstrip("/")
        if levels[0].fullmatch(name):
            yield from _match(f"{folder.rstrip('/')}/{name}", levels[1:], linked or is_link)


def info_of(prefix: str, found: Found) -> FileInfo:
    """What our code knows of a file. ``prefix`` goes before its path."""
    stat = found.info
    return FileInfo(prefix + found.path, stat.st_size, str(stat.st_mtime_ns), stat.st_mtime_ns // 1_000_000)
