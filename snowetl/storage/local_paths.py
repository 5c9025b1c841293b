"""Paths of this machine: urls taken apart, folders made durable, errors of the system told in our words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from snowetl.errors import SnowetlError, StorageError, UsageError

_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run again",
    errno.EDQUOT: "the disk quota is used up; free some space and run again",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "permission denied; check owner and mode of the file and of its folders",
    errno.EPERM: "not permitted; check owner and mode of the file and of its folders",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def split(url: str) -> tuple[str, str]:
    """(prefix to put before paths in urls, absolute path); ``file:/x``, ``file:///x`` and ``x`` are understood."""
    if url[:5].lower() == "file:":
        path = url[5:]
        if path.startswith("//"):
            path = "/" + path[2:].partition("/")[2]
        return "file://", os.path.abspath(path)  # noqa: PTH100 (Path.absolute keeps "..")
    return "", os.path.abspath(url)  # noqa: PTH100


@contextmanager
def explained(url: str, verb: str) -> Iterator[None]:
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


def make_folder(folder: Path) -> None:
    """Make the folder and those above it that are missing; a power cut does not take their names away again."""
    missing, above = [], folder
    while not above.exists():
        missing.append(above)
        above = above.parent
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        sync_folder(made.parent)


def sync_folder(folder: str | Path) -> None:
    """Make a rename durable, where the platform can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def identity(path: Path) -> list[int] | None:
    """What stays the same when a file is renamed."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]
