"""HDFS through ``hdfs-native``: one wheel that speaks the protocol itself, without Java or Hadoop's libraries."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from snowetl.errors import SnowetlError, StorageError, UsageError
from snowetl.storage.base import FileInfo, StagedFile, at_once, changed, each_once, put_staged, replace_by_marker
from snowetl.storage.globs import compile_globs, has_magic, is_hidden

if TYPE_CHECKING:
    from hdfs_native import Client, FileStatus

_STAGING = "._staging-"
_NEW_STAGING = f"{_STAGING}new-"
"""Of a file that must not be there yet: another process that deletes the one in its way leaves this one alone."""
_BUFFER = 1 << 20
_ATTEMPTS = 7
"""Tries to reach a name node: half a minute with the pauses between them."""


def connect_hdfs(authority: str, attempts: int = _ATTEMPTS) -> Client:
    """The client of ``host:port`` or of a name service; of the configured default one where that is empty.

    Hadoop's configuration is found by ``HADOOP_CONF_DIR`` or ``HADOOP_HOME``, as on every node of a cluster.
    """
    try:
        from hdfs_native import Client
    except ImportError:
        raise UsageError("hdfs:// needs pip install 'snowetl[hdfs]'") from None
    with _explained(f"hdfs://{authority}", "connect to"):
        return Client(f"hdfs://{authority}" if authority else None, {"dfs.client.failover.max.attempts": str(attempts)})


class HdfsFileSystem:
    """Files of all HDFS clusters. Staged files are hidden neighbours of their target, renamed over it on commit.

    ``connect`` gives the client of an authority.
    """

    def __init__(self, connect: Callable[[str], Client] = connect_hdfs) -> None:
        self._connect = connect
        self._clients: dict[tuple[int, str], Client] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_connect": self._connect, "_clients": {}}  # clients stay in their process

    def list(self, pattern: str) -> list[FileInfo]:
        return [*self.walk(pattern)]

    def walk(self, pattern: str) -> Iterator[FileInfo]:
        prefix, path, client = self._locate(pattern)
        with _explained(pattern, "list"):
            status = _status(client, path)
            if status is not None:
                yield from (_info(prefix, file) for file in _walk(client, status))
            elif has_magic(path):
                globs = compile_globs(path)
                found = (_match(client, glob.base or "/", list(glob.levels)) for glob in globs)
                yield from each_once([map(partial(_info, prefix), files) for files in found])
            else:
                raise UsageError(f"there is no file or folder {pattern}; check the spelling, or list the folder above")

    def folders(self, url: str) -> Iterator[str]:
        _, path, client = self._locate(url)
        with _explained(url, "list"):
            yield from sorted(_name(child) for child in _children(client, path) if child.isdir)

    def open(self, url: str, start: int = 0, end: int | None = None, *, expected: FileInfo | None = None) -> BinaryIO:
        _, path, client = self._locate(url)
        with _explained(url, "read"):
            if expected is not None:
                _check_unchanged(_status(client, path), expected)
            file = client.read(path)
            size = file.inner.file_length()
        stop = size if end is None else min(end, size)
        chunks = file.read_range_stream(start, stop - start) if start < stop else iter(())
        return cast(BinaryIO, BufferedReader(_Chunks(url, chunks), _BUFFER))

    def stage(self, url: str) -> StagedFile:
        _, path, client = self._locate(url)
        return _HdfsStagedFile(client, url, path)

    def commit(self, token: str) -> None:
        staged = json.loads(token)
        _, path, client = self._locate(staged["url"])
        with _explained(staged["url"], "publish"):
            if _status(client, staged["temporary"]) is not None:
                client.rename(staged["temporary"], path, overwrite=True)
                return
            status = _status(client, path)
        if status is None or status.isdir or status.length != staged["size"]:
            raise StorageError(
                f"the staged file of {staged['url']} is gone, so it cannot be published; run the step again"
            )

    def commit_all(self, tokens: Sequence[str]) -> None:
        at_once(self.commit, tokens)

    def abort(self, token: str) -> None:
        staged = json.loads(token)
        _, _, client = self._locate(staged["url"])
        with _explained(staged["url"], "abort"):
            _delete(client, staged["temporary"])

    def put(self, url: str, data: bytes) -> None:
        put_staged(self, url, data)

    def get(self, url: str) -> bytes:
        with self.open(url) as stream:
            return stream.read()

    def info(self, url: str) -> FileInfo | None:
        prefix, path, client = self._locate(url)
        with _explained(url, "look at"):
            status = _status(client, path)
        return None if status is None or status.isdir else _info(prefix, status)

    def exists(self, url: str) -> bool:
        _, path, client = self._locate(url)
        with _explained(url, "look at"):
            status = _status(client, path)
            return status is not None and (not status.isdir or bool(_children(client, path)))

    def delete_tree(self, url_prefix: str) -> None:
        _, path, client = self._locate(url_prefix)
        folder, _, name = path.rpartition("/")
        with _explained(url_prefix, "delete"):
            status = _status(client, path)
            _delete(client, path)
            if status is None or not status.isdir:
                for stale in _children(client, folder or "/"):
                    if _name(stale).startswith(f"{_STAGING}{name}-"):
                        _delete(client, stale.path)

    def sweep(self, folder: str) -> None:
        _, path, client = self._locate(folder)
        with _explained(folder, "sweep"):
            for stale in _staged(client, path):
                _delete(client, stale.path)

    def replace(self, url: str, data: bytes, expected: bytes) -> bool:
        return replace_by_marker(self, url, data, expected)

    def create_exclusive(self, url: str, data: bytes) -> bool:
        """Rename the staged file; HDFS refuses that if the target exists, as the contract asks."""
        _, path, client = self._locate(url)
        staged = _HdfsStagedFile(client, url, path, _NEW_STAGING)
        try:
            staged.write(data)
            temporary = json.loads(staged.close())["temporary"]
            with _explained(url, "create"):
                try:
                    client.rename(temporary, path, overwrite=False)
                except FileExistsError:
                    return False
            return True
        finally:
            staged.abort()

    def _locate(self, url: str) -> tuple[str, str, Client]:
        """(what urls begin with, path, client) of ``hdfs://host:port/path`` or ``hdfs:///path``."""
        rest = url.partition(":")[2]
        authority, path = "", rest
        if rest.startswith("//"):
            authority, _, path = rest[2:].partition("/")
        place = (os.getpid(), authority)  # a forked process gets its own, for connections cannot be shared
        if place not in self._clients:
            self._clients[place] = self._connect(authority)
        return f"hdfs://{authority}", "/" + path.strip("/"), self._clients[place]


class _HdfsStagedFile:
    def __init__(self, client: Client, url: str, path: str, prefix: str = _STAGING) -> None:
        folder, _, name = path.rpartition("/")
        self._client = client
        self._url = url
        self._temporary = f"{folder}/{prefix}{name}-{uuid.uuid4().hex}"
        self._size = 0
        with _explained(url, "write"):
            client.mkdirs(folder or "/", create_parent=True)
            self._stream = client.create(self._temporary)

    def write(self, data: bytes) -> None:
        with _explained(self._url, "write"):
            self._stream.write(data)
        self._size += len(data)

    def close(self) -> str:
        with _explained(self._url, "write"):
            self._stream.close()
        return json.dumps({"url": self._url, "temporary": self._temporary, "size": self._size})

    def abort(self) -> None:
        with suppress(Exception):  # what is closed already, or cannot be, is deleted all the same
            self._stream.close()
        with _explained(self._url, "abort"):
            _delete(self._client, self._temporary)


class _Chunks(RawIOBase):
    """A stream of the chunks that the client reads ahead."""

    def __init__(self, url: str, chunks: Iterator[bytes]) -> None:
        self._url = url
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _explained(self._url, "read"):
            while not self._left:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return 0
                self._left = bytes(chunk)
        data, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _check_unchanged(status: FileStatus | None, expected: FileInfo) -> None:
    """Raises :class:`StorageError` for a file that is not the listed one: HDFS replaces files whole, or appends."""
    if status is None:
        raise changed(expected, "has vanished")
    if (status.length, str(status.modification_time)) != (expected.size, expected.etag):
        raise changed(expected, f"was replaced (by one of {status.length} bytes)")


def _status(client: Client, path: str) -> FileStatus | None:
    try:
        return client.get_file_info(path)
    except FileNotFoundError:
        return None


def _children(client: Client, folder: str) -> list[FileStatus]:
    """What lies in a folder, in the order of the addresses of all files below."""
    try:
        return sorted(client.list_status(folder), key=lambda child: child.path + "/" * child.isdir)
    except FileNotFoundError:
        return []


def _name(status: FileStatus) -> str:
    return status.path.rpartition("/")[2]


def _info(prefix: str, status: FileStatus) -> FileInfo:
    modified = status.modification_time
    return FileInfo(f"{prefix}/{status.path.lstrip('/')}", status.length, str(modified), int(modified))


def _walk(client: Client, status: FileStatus) -> Iterator[FileStatus]:
    """The file, or all files below the folder, hidden names left out."""
    if not status.isdir:
        yield status
        return
    for child in _children(client, status.path):
        if not is_hidden(_name(child)):
            yield from _walk(client, child)


def _staged(client: Client, folder: str) -> Iterator[FileStatus]:
    """All staged files below ``folder``."""
    for child in _children(client, folder):
        if child.isdir:
            yield from _staged(client, child.path)
        elif _name(child).startswith(_STAGING):
            yield child


def _match(client: Client, folder: str, levels: list[Any]) -> Iterator[FileStatus]:
    """Files that ``levels`` match below ``folder``, whole folders included."""
    for child in _children(client, folder):
        if levels[0].fullmatch(_name(child)):
            if len(levels) == 1:
                yield from _walk(client, child)
            elif child.isdir:
                yield from _match(client, child.path, levels[1:])


def _delete(client: Client, path: str) -> None:
    with suppress(FileNotFoundError):
        client.delete(path, recursive=True)


@contextmanager
def _explained(url: str, verb: str) -> Iterator[None]:
    """Turn errors of the client into ours."""
    try:
        yield
    except SnowetlError:
        raise
    except FileNotFoundError:
        raise UsageError(f"cannot {verb} {url}: no such file or folder; check the path") from None
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"cannot {verb} {url}: a part of its path is a file, not a folder; check the path") from None
    except PermissionError as error:
        raise StorageError(f"cannot {verb} {url}: permission denied; check owner and mode in HDFS") from error
    except (OSError, RuntimeError, ValueError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        remedy = "check that the name node answers (hdfs dfs -ls /), HADOOP_CONF_DIR, space and permissions"
        raise StorageError(f"cannot {verb} {url}: {said}; {remedy}, and run again") from error
