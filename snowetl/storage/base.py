"""The contract of every file system, and what several of them share."""

from __future__ import annotations

import hashlib
import heapq
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import BinaryIO, NamedTuple, Protocol, TypeVar

from snowetl.errors import SnowetlError, StorageError, UsageError

T = TypeVar("T")

COMMIT_THREADS = 32
"""So many files are published, or thrown away, at once."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


class FileInfo(NamedTuple):
    """One file: its url, its size in bytes, and a text that changes when its content does (etag or mtime).

    ``modified`` is when it was written, in epoch milliseconds; 0 where that is not known (read back from a plan).
    """

    url: str
    size: int
    etag: str
    modified: int = 0


def changed(expected: FileInfo, how: str) -> StorageError:
    """The error for a file that is not what was listed. ``how``: what happened to it since then."""
    return StorageError(
        f"{expected.url} {how} since it was listed ({expected.size} bytes then): nothing of this run is published. "
        "Let its writer finish (or restore it), and run again"
    )


class StagedFile(Protocol):
    """A file being written that nobody sees until its token is committed."""

    def write(self, data: bytes) -> None:
        """Append ``data``. Raises :class:`StorageError`."""

    def close(self) -> str:
        """Make all bytes durable and return the token (small JSON text) for ``commit`` or ``abort``."""

    def abort(self) -> None:
        """Throw away what was written; fine at any time, also twice."""


class FileSystem(Protocol):
    """Storage of one scheme. Picklable; clients are created on first use in each process.

    Every method raises :class:`StorageError` when the storage fails for good and :class:`UsageError` when the
    url names something that is not there; both say what, where and what to do.
    """

    def list(self, pattern: str) -> list[FileInfo]:
        """All that :meth:`walk` finds, for folders that are known to be small."""

    def walk(self, pattern: str) -> Iterator[FileInfo]:
        """Files of ``pattern``, sorted by url: a file, a folder (with all below it) or a glob. They come as the storage
        names them: of a folder with a million files in many folders, the names of one are held.

        Globs know ``*`` and ``?`` (within one level), ``[a-z]``, ``[!a]`` and ``{a,b}``; what they match is a file or
        a folder. Names starting with ``.`` or ``_`` are skipped at every level unless the pattern spells them out.
        A glob that matches nothing gives an empty list; any other url that is not there is a :class:`UsageError`.
        """

    def folders(self, url: str) -> Iterator[str]:
        """Names of the folders directly in the folder ``url``, sorted; what lies in them is not looked at.

        None where there is no such folder.
        """

    def open(self, url: str, start: int = 0, end: int | None = None, *, expected: FileInfo | None = None) -> BinaryIO:
        """Stream the bytes ``start`` (inclusive) to ``end`` (exclusive, ``None`` = to the end of the file).

        Memory stays bounded whatever the size; passing faults in mid-stream are retried from the last offset. With
        ``expected``, a file that is not the one that was listed any more (it was replaced, has grown, shrunk or
        vanished) is a :class:`StorageError`, when it is opened or while it is read.
        """

    def stage(self, url: str) -> StagedFile:
        """Start writing ``url``; nothing is visible there until ``commit``."""

    def commit(self, token: str) -> None:
        """Publish a staged file atomically, replacing what is there. Committing again is fine."""

    def commit_all(self, tokens: Sequence[str]) -> None:
        """Publish several staged files, many at once; in what order is not said. Raises what ``commit`` raises."""

    def abort(self, token: str) -> None:
        """Throw a staged file away. Fine if it is gone already; a committed file stays."""

    def put(self, url: str, data: bytes) -> None:
        """Write a small file atomically, replacing what is there."""

    def get(self, url: str) -> bytes:
        """The whole content of a small file. Raises :class:`UsageError` if it is not there."""

    def info(self, url: str) -> FileInfo | None:
        """The file with exactly this address, whatever signs are in it; ``None`` if there is no such file."""

    def exists(self, url: str) -> bool:
        """Whether there is a file, or a folder with anything in it, at ``url``."""

    def delete_tree(self, url_prefix: str) -> None:
        """Delete the file or the folder ``url_prefix`` and all below it, staged files that nobody committed included.

        Fine if nothing is there. ``…/run=1`` does not touch ``…/run=10``.
        """

    def sweep(self, folder: str) -> None:
        """Throw away what was staged below ``folder`` and never committed (by attempts that died); nothing else."""

    def create_exclusive(self, url: str, data: bytes) -> bool:
        """Write ``url`` unless it is there already (then ``False``): the way to take a lock."""

    def replace(self, url: str, data: bytes, expected: bytes) -> bool:
        """Write ``url`` if its content is ``expected``; ``False``, and nothing written, where it is another or gone.

        Of several processes that expect the same content one succeeds, if that content never comes back.
        """


def put_staged(files: FileSystem, url: str, data: bytes) -> None:
    """``put`` for storage that replaces a file only by renaming a staged one over it."""
    staged = files.stage(url)
    try:
        staged.write(data)
        files.commit(staged.close())
    except BaseException:  # also an interrupt just before the rename
        staged.abort()
        raise


_STALE_SECONDS = 60


def replace_by_marker(files: FileSystem, url: str, data: bytes, expected: bytes) -> bool:
    """``replace`` for storage without conditional writes, for content that never comes back once it was replaced.

    The right to replace ``expected`` is a marker named after it, which one process can create. Whoever creates it later
    finds other content in the file.
    """
    folder, _, name = url.rpartition("/")
    marker = f"{folder}/._replaces-{hashlib.sha256(name.encode() + expected).hexdigest()[:16]}"
    if not files.create_exclusive(marker, str(time.time()).encode()):
        with suppress(SnowetlError, ValueError):  # gone, or being written
            if time.time() - float(files.get(marker)) > _STALE_SECONDS:
                files.delete_tree(marker)  # of a process that died over it
        return False
    try:
        if files.get(url) != expected:
            return False
        files.put(url, data)
        return True
    except UsageError:  # gone
        return False
    finally:
        with suppress(SnowetlError):  # one that stays behind is in nobody's way
            files.delete_tree(marker)


def at_once(do: Callable[[T], None], values: Iterable[T]) -> None:
    """Do something to all ``values``, to several at once. They are taken as they are needed."""
    remaining = iter(values)
    with ThreadPoolExecutor(COMMIT_THREADS, thread_name_prefix="storage") as threads:
        while some := list(islice(remaining, COMMIT_THREADS * 8)):
            for _ in threads.map(do, some):
                pass


def each_once(found: Iterable[Iterator[FileInfo]]) -> Iterator[FileInfo]:
    """The files of several sorted listings, sorted, each once."""
    last = None
    for file in heapq.merge(*found):
        if file != last:
            yield file
        last = file


def scheme_of(url: str) -> str:
    """The lower-case scheme of ``url``; ``file`` if it has none."""
    match = _SCHEME.match(url)
    return match.group(1).lower() if match else "file"
