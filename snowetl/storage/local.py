"""Local folders (and whatever is mounted into them): plain paths and ``file:`` urls."""

from __future__ import annotations

import errno
import fcntl
import heapq
import json
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from io import BufferedReader, RawIOBase
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from snowetl.errors import SnowetlError, StorageError, UsageError
from snowetl.storage.base import FileInfo, StagedFile, at_once, changed, put_staged, replace_by_marker
from snowetl.storage.globs import Glob, compile_globs, has_magic, is_hidden
from snowetl.storage.ranges import RangeReader

_log = logging.getLogger("snowetl")

_STAGING = "._staging-"
_NEW_STAGING = f"{_STAGING}new-"
"""Of a file that must not be there yet: another process that deletes the one in its way leaves this one alone."""
_BUFFER = 1 << 20
_RENAMED = 50
"""So many staged files are published by one thread, one after the other: a rename costs less than a thread's turn."""


class LocalFileSystem:
    """Files of this machine. Staged files are hidden neighbours of their target, renamed over it on commit."""

    def list(self, pattern: str) -> list[FileInfo]:
        return [*self.walk(pattern)]

    def walk(self, pattern: str) -> Iterator[FileInfo]:
        """A file with several names (links) comes once: under its own name where that is among them, not a link's too.

        Of hard links, the first name. Folders in which there are links are gone through three times for that.
        """
        prefix, path = _split(pattern)
        with _explained(pattern, "list"):
            if Path(path).exists():
                names = _Names([lambda: _below(path)])
            elif has_magic(path):
                names = _Names([partial(_matched, glob) for glob in compile_globs(path)])
            else:
                raise UsageError(f"there is no file or folder {pattern}; check the spelling, or list the folder above")
            yield from names.once(prefix)

    def folders(self, url: str) -> Iterator[str]:
        path = _split(url)[1]
        with _explained(url, "list"):
            if Path(path).is_dir():
                with os.scandir(path) as entries:
                    yield from sorted(entry.name for entry in entries if _is_folder(entry))

    def open(self, url: str, start: int = 0, end: int | None = None, *, expected: FileInfo | None = None) -> BinaryIO:
        path = Path(_split(url)[1])
        with _explained(url, "read"):
            try:
                file: BinaryIO = path.open("rb")
            except FileNotFoundError:
                if expected is not None:
                    raise changed(expected, "has vanished") from None
                raise
            if expected is not None:
                file = cast(BinaryIO, BufferedReader(_UnchangedFile(file, expected), _BUFFER))
            file.seek(start)
        if end is None:
            return file
        return cast(BinaryIO, BufferedReader(RangeReader(file, end - start), _BUFFER))

    def stage(self, url: str) -> StagedFile:
        return _LocalStagedFile(url)

    def commit(self, token: str) -> None:
        _sync_folder(_publish(token))

    def commit_all(self, tokens: Sequence[str]) -> None:
        """Each folder is made durable once, not for each of its files."""
        folders: set[str] = set()
        at_once(
            lambda some: folders.update(map(_publish, some)),
            (tokens[start : start + _RENAMED] for start in range(0, len(tokens), _RENAMED)),
        )
        for folder in folders:
            _sync_folder(folder)

    def abort(self, token: str) -> None:
        staged = json.loads(token)
        with _explained(staged["target"], "abort"):
            Path(staged["temporary"]).unlink(missing_ok=True)

    def put(self, url: str, data: bytes) -> None:
        put_staged(self, url, data)

    def get(self, url: str) -> bytes:
        with _explained(url, "read"):
            return Path(_split(url)[1]).read_bytes()

    def info(self, url: str) -> FileInfo | None:
        prefix, path = _split(url)
        with _explained(url, "look at"):
            found = None if Path(path).is_dir() else _look(path, linked=False)
        return None if found is None else _info(prefix, found)

    def exists(self, url: str) -> bool:
        path = Path(_split(url)[1])
        with _explained(url, "read"):
            return any(path.iterdir()) if path.is_dir() else path.exists()

    def delete_tree(self, url_prefix: str) -> None:
        path = Path(_split(url_prefix)[1])
        with _explained(url_prefix, "delete"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
                for stale in path.parent.glob(f"{_STAGING}{path.name}-*"):
                    stale.unlink(missing_ok=True)

    def sweep(self, folder: str) -> None:
        with _explained(folder, "sweep"):
            for stale in Path(_split(folder)[1]).rglob(f"{_STAGING}*"):
                stale.unlink(missing_ok=True)

    def replace(self, url: str, data: bytes, expected: bytes) -> bool:
        """Under a lock on the folder, which the system frees with the process, however that ends."""
        folder = Path(_split(url)[1]).parent
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError:  # a file system that knows no locks
                return replace_by_marker(self, url, data, expected)
            try:
                if self.get(url) != expected:
                    return False
            except UsageError:  # gone
                return False
            self.put(url, data)
            return True
        finally:
            os.close(handle)

    def create_exclusive(self, url: str, data: bytes) -> bool:
        target = Path(_split(url)[1])
        if not data:  # nothing that could be there by half
            return _create_empty(url, target)
        staged = _LocalStagedFile(url, _NEW_STAGING)
        try:
            staged.write(data)
            temporary = Path(json.loads(staged.close())["temporary"])
            with _explained(url, "create"):
                try:
                    try:
                        target.hardlink_to(temporary)
                    except OSError as error:
                        if error.errno not in _NO_LINKS:
                            raise
                        with target.open("xb") as file:
                            file.write(data)
                except FileExistsError:
                    return False
                _sync_folder(target.parent)
                return True
        finally:
            staged.abort()


def _publish(token: str) -> str:
    """Rename a staged file to what it is for; its folder, which is not made durable yet."""
    staged = json.loads(token)
    temporary, target = str(staged["temporary"]), str(staged["target"])
    with _explained(target, "publish"):
        try:
            os.replace(temporary, target)  # noqa: PTH105 (a path object costs as much as the rename)
        except FileNotFoundError:
            if _identity(Path(target)) != staged["identity"]:
                raise StorageError(
                    f"the staged file of {target} is gone, so it cannot be published; run the step again"
                ) from None
    return os.path.dirname(target)  # noqa: PTH120


class _UnchangedFile(RawIOBase):
    """A file that must stay what was listed: looked at when it is opened, and where its end is met."""

    def __init__(self, file: BinaryIO, expected: FileInfo) -> None:
        self._file = file
        self._expected = expected
        self._check()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        if len(data) < len(buffer):
            self._check()
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _check(self) -> None:
        expected, stat = self._expected, os.fstat(self._file.fileno())
        if stat.st_size < expected.size:
            raise changed(expected, f"has shrunk to {stat.st_size} bytes")
        if stat.st_size > expected.size:
            raise changed(expected, f"has grown to {stat.st_size} bytes")
        if str(stat.st_mtime_ns) != expected.etag:
            raise changed(expected, "was written to")


class _LocalStagedFile:
    """A hidden file beside its target: on the same volume, so that the rename is atomic."""

    def __init__(self, url: str, prefix: str = _STAGING) -> None:
        self._url = url
        self._target = Path(_split(url)[1])
        name = f"{prefix}{self._target.name}-{uuid.uuid4().hex}"
        self._temporary = self._target.with_name(name)
        with _explained(url, "write"):
            _make_folder(self._target.parent)
            self._file = self._temporary.open("xb", buffering=_BUFFER)

    def write(self, data: bytes) -> None:
        with _explained(self._url, "write"):
            self._file.write(data)

    def close(self) -> str:
        with _explained(self._url, "write"):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            identity = _identity(self._temporary)
        return json.dumps({"target": str(self._target), "temporary": str(self._temporary), "identity": identity})

    def abort(self) -> None:
        with suppress(OSError):  # a full disk says so again when the buffer is flushed
            self._file.close()
        with _explained(self._url, "abort"):
            self._temporary.unlink(missing_ok=True)


def _split(url: str) -> tuple[str, str]:
    """(prefix to put before paths in urls, absolute path); ``file:/x``, ``file:///x`` and ``x`` are understood."""
    if url[:5].lower() == "file:":
        path = url[5:]
        if path.startswith("//"):
            path = "/" + path[2:].partition("/")[2]
        return "file://", os.path.abspath(path)  # noqa: PTH100 (Path.absolute keeps "..")
    return "", os.path.abspath(url)  # noqa: PTH100


class _Found(NamedTuple):
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


class _Names:
    """The files of several sorted listings, which can be gone through again."""

    def __init__(self, listings: Sequence[Callable[[], Iterator[_Found]]]) -> None:
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
                yield _info(prefix, found)
            last = found.path

    def _all(self) -> Iterator[_Found]:
        if len(self._listings) == 1:
            return self._listings[0]()
        return heapq.merge(*(listing() for listing in self._listings), key=attrgetter("path"))


def _below(path: str, linked: bool = False) -> Iterator[_Found]:
    """The file ``path``, or all below the folder. ``linked``: whether a link led there."""
    if Path(path).is_dir():
        yield from _walk(path, linked)
    else:
        found = _look(path, linked)
        if found is not None:
            yield found


def _walk(folder: str, linked: bool = False, above: tuple[str, ...] = ()) -> Iterator[_Found]:
    """All files below ``folder``, sorted, hidden names left out. A link back to a folder above is not followed."""
    here = os.path.realpath(folder)
    if here in above:
        _log.warning("%s is a link to a folder above it; it is left out", folder)
        return
    with os.scandir(folder) as entries:
        shown = [(entry.name + "/" * _is_folder(entry), entry) for entry in entries if not is_hidden(entry.name)]
    shown.sort(key=itemgetter(0))
    for name, entry in shown:
        through = linked or entry.is_symlink()
        if name.endswith("/"):
            yield from _walk(entry.path, through, (*above, here))
            continue
        found = (
            _look(entry.path, through) if entry.is_symlink() else _stated(entry, f"{here.rstrip('/')}/{name}", linked)
        )
        if found is not None:
            yield found


def _stated(entry: os.DirEntry[str], real: str, linked: bool) -> _Found | None:
    try:
        return _Found(entry.path, real, entry.stat(follow_symlinks=False), linked)
    except FileNotFoundError:  # deleted while we looked
        return None


def _look(path: str, linked: bool) -> _Found | None:
    """A file by its path; ``None`` for a link that leads nowhere, and what was deleted while we looked."""
    try:
        return _Found(path, os.path.realpath(path), os.stat(path), linked)  # noqa: PTH116
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        _log.warning("%s is a link to itself; it is left out", path)
        return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is, or leads to, a folder; a link to itself is none, and is left out with what is not there."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return False


def _matched(glob: Glob) -> Iterator[_Found]:
    return _match(glob.base or "/", list(glob.levels))


def _match(folder: str, levels: list, linked: bool = False) -> Iterator[_Found]:  # type: ignore[type-arg]
    """Files that ``levels`` match below ``folder``, whole folders included, sorted."""
    if not levels:
        if Path(folder).exists():
            yield from _below(folder, linked)
        return
    try:
        with os.scandir(folder) as entries:
            named = sorted((entry.name + "/" * _is_folder(entry), entry.is_symlink()) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name, is_link in named:
        name = name.rstrip("/")
        if levels[0].fullmatch(name):
            yield from _match(f"{folder.rstrip('/')}/{name}", levels[1:], linked or is_link)


def _info(prefix: str, found: _Found) -> FileInfo:
    stat = found.info
    return FileInfo(prefix + found.path, stat.st_size, str(stat.st_mtime_ns), stat.st_mtime_ns // 1_000_000)


def _identity(path: Path) -> list[int] | None:
    """What stays the same when a file is renamed."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]


def _create_empty(url: str, target: Path) -> bool:
    with _explained(url, "create"):
        _make_folder(target.parent)
        try:
            target.open("xb").close()
        except FileExistsError:
            return False
        _sync_folder(target.parent)
        return True


def _make_folder(folder: Path) -> None:
    """Make the folder and those above it that are missing; a power cut does not take their names away again."""
    missing, above = [], folder
    while not above.exists():
        missing.append(above)
        above = above.parent
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync_folder(made.parent)


def _sync_folder(folder: str | Path) -> None:
    """Make a rename durable, where the platform can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""What file systems without hard links say."""

_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run again",
    errno.EDQUOT: "the disk quota is used up; free some space and run again",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "permission denied; check owner and mode of the file and of its folders",
    errno.EPERM: "not permitted; check owner and mode of the file and of its folders",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


@contextmanager
def _explained(url: str, verb: str) -> Iterator[None]:
    """Turn an ``OSError`` into one of our errors: what, where, what to do."""
    try:
        yield
    except SnowetlError:
        raise
    except FileNotFoundError:
        raise UsageError(f"cannot {verb} {url}: no such file or folder; check the path") from None
    except IsADirectoryError:
        raise UsageError(f"cannot {verb} {url}: it is a folder; name a file") from None
    except (NotADirectoryError, FileExistsError):
        raise UsageError(f"cannot {verb} {url}: a part of its path is a file, not a folder; check the path") from None
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, f"{error.strerror or error}; check the disk and run again")
        raise StorageError(f"cannot {verb} {url}: {remedy}") from error
