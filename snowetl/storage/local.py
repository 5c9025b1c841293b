"""Local folders (and whatever is mounted into them): plain paths and ``file:`` urls."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from snowetl.errors import StorageError, UsageError
from snowetl.storage.base import FileInfo, StagedFile, at_once, changed, put_staged, replace_by_marker
from snowetl.storage.globs import compile_globs, has_magic
from snowetl.storage.local_files import BUFFER, STAGING, LocalStagedFile, UnchangedFile
from snowetl.storage.local_listing import Names, below, info_of, is_folder, look, matched
from snowetl.storage.local_paths import explained, identity, make_folder, split, sync_folder
from snowetl.storage.ranges import RangeReader

_NEW_STAGING = f"{STAGING}new-"
"""Of a file that must not be there yet: another process that deletes the one in its way leaves this one alone."""
_RENAMED = 50
"""So many staged files are published by one thread, one after the other: a rename costs less than a thread's turn."""
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""What file systems without hard links say."""


class LocalFileSystem:
    """Files of this machine. Staged files are hidden neighbours of their target, renamed over it on commit."""

    def list(self, pattern: str) -> list[FileInfo]:
        return [*self.walk(pattern)]

    def walk(self, pattern: str) -> Iterator[FileInfo]:
        """A file with several names (links) comes once: under its own name where that is among them, not a link's too.

        Of hard links, the first name. Folders in which there are links are gone through three times for that.
        """
        prefix, path = split(pattern)
        with explained(pattern, "list"):
            if Path(path).exists():
                names = Names([lambda: below(path)])
            elif has_magic(path):
                names = Names([partial(matched, glob) for glob in compile_globs(path)])
            else:
                raise UsageError(f"there is no file or folder {pattern}; check the spelling, or list the folder above")
            yield from names.once(prefix)

    def folders(self, url: str) -> Iterator[str]:
        path = split(url)[1]
        with explained(url, "list"):
            if Path(path).is_dir():
                with os.scandir(path) as entries:
                    yield from sorted(entry.name for entry in entries if is_folder(entry))

    def open(self, url: str, start: int = 0, end: int | None = None, *, expected: FileInfo | None = None) -> BinaryIO:
        path = Path(split(url)[1])
        with explained(url, "read"):
            try:
                file: BinaryIO = path.open("rb")
            except FileNotFoundError:
                if expected is not None:
                    raise changed(expected, "has vanished") from None
                raise
            if expected is not None:
                file = cast(BinaryIO, BufferedReader(UnchangedFile(file, expected), BUFFER))
            file.seek(start)
        if end is None:
            return file
        return cast(BinaryIO, BufferedReader(RangeReader(file, end - start), BUFFER))

    def stage(self, url: str) -> StagedFile:
        return LocalStagedFile(url)

    def commit(self, token: str) -> None:
        sync_folder(_publish(token))

    def commit_all(self, tokens: Sequence[str]) -> None:
        """Each folder is made durable once, not for each of its files."""
        folders: set[str] = set()
        at_once(
            lambda some: folders.update(map(_publish, some)),
            (tokens[start : start + _RENAMED] for start in range(0, len(tokens), _RENAMED)),
        )
        for folder in folders:
            sync_folder(folder)

    def abort(self, token: str) -> None:
        staged = json.loads(token)
        with explained(staged["target"], "abort"):
            Path(staged["temporary"]).unlink(missing_ok=True)

    def put(self, url: str, data: bytes) -> None:
        put_staged(self, url, data)

    def get(self, url: str) -> bytes:
        with explained(url, "read"):
            return Path(split(url)[1]).read_bytes()

    def info(self, url: str) -> FileInfo | None:
        prefix, path = split(url)
        with explained(url, "look at"):
            found = None if Path(path).is_dir() else look(path, linked=False)
        return None if found is None else info_of(prefix, found)

    def exists(self, url: str) -> bool:
        path = Path(split(url)[1])
        with explained(url, "read"):
            return any(path.iterdir()) if path.is_dir() else path.exists()

    def delete_tree(self, url_prefix: str) -> None:
        path = Path(split(url_prefix)[1])
        with explained(url_prefix, "delete"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
                for stale in path.parent.glob(f"{STAGING}{path.name}-*"):
                    stale.unlink(missing_ok=True)

    def sweep(self, folder: str) -> None:
        with explained(folder, "sweep"):
            for stale in Path(split(folder)[1]).rglob(f"{STAGING}*"):
                stale.unlink(missing_ok=True)

    def replace(self, url: str, data: bytes, expected: bytes) -> bool:
        """Under a lock on the folder, which the system frees with the process, however that ends."""
        folder = Path(split(url)[1]).parent
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
        target = Path(split(url)[1])
        if not data:  # nothing that could be there by half
            return _create_empty(url, target)
        staged = LocalStagedFile(url, _NEW_STAGING)
        try:
            staged.write(data)
            temporary = Path(json.loads(staged.close())["temporary"])
            with explained(url, "create"):
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
                sync_folder(target.parent)
                return True
        finally:
            staged.abort()


def _publish(token: str) -> str:
    """Rename a staged file to what it is for; its folder, which is not made durable yet."""
    staged = json.loads(token)
    temporary, target = str(staged["temporary"]), str(staged["target"])
    with explained(target, "publish"):
        try:
            os.replace(temporary, target)  # noqa: PTH105 (a path object costs as much as the rename)
        except FileNotFoundError:
            if identity(Path(target)) != staged["identity"]:
                raise StorageError(
                    f"the staged file of {target} is gone, so it cannot be published; run the step again"
                ) from None
    return os.path.dirname(target)  # noqa: PTH120


def _create_empty(url: str, target: Path) -> bool:
    with explained(url, "create"):
        make_folder(target.parent)
        try:
            target.open("xb").close()
        except FileExistsError:
            return False
        sync_folder(target.parent)
        return True
