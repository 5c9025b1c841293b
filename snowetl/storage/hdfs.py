"""HDFS through pyarrow's libhdfs binding (needs a JVM and Hadoop's ``CLASSPATH``, as on every EMR node)."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from typing import Any, BinaryIO, cast

from snowetl.errors import SnowetlError, StorageError, UsageError
from snowetl.storage.base import FileInfo, StagedFile, changed, put_staged, replace_by_marker
from snowetl.storage.globs import compile_globs, has_magic, is_hidden
from snowetl.storage.ranges import RangeReader

_STAGING = "._staging-"
_CLAIM = "._claim-"
_STALE_CLAIM_SECONDS = 60
_BUFFER = 1 << 20


def connect_hdfs(authority: str) -> Any:
    """The pyarrow file system of ``host:port``; the cluster's default one where that is empty."""
    from pyarrow import fs

    host, _, port = authority.partition(":")
    try:
        return fs.HadoopFileSystem(host or "default", int(port or 0))
    except (OSError, ValueError) as error:
        raise StorageError(
            f"cannot connect to hdfs://{authority}: {str(error).splitlines()[0]}; run on a cluster node with Java, "
            "HADOOP_HOME and CLASSPATH=$(hadoop classpath --glob) set, or use s3:// or a local folder"
        ) from error


class HdfsFileSystem:
    """Files of all HDFS clusters. Staged files are hidden neighbours of their target, renamed over it on commit.

    ``connect`` gives the pyarrow file system of an authority.
    """

    def __init__(self, connect: Callable[[str], Any] = connect_hdfs) -> None:
        self._connect = connect
        self._connections: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_connect": self._connect, "_connections": {}}  # connections stay in their process

    def list(self, pattern: str) -> list[FileInfo]:
        prefix, path, files = self._locate(pattern)
        with _explained(pattern, "list"):
            info = files.get_file_info(path)
            if info.type.name != "NotFound":
                found = list(_walk(files, info))
            elif has_magic(path):
                globs = compile_globs(path)
                found = [file for glob in globs for file in _match(files, glob.base or "/", list(glob.levels))]
            else:
                raise UsageError(f"there is no file or folder {pattern}; check the spelling, or list the folder above")
        return sorted({FileInfo(f"{prefix}/{file.path.lstrip('/')}", file.size, str(file.mtime_ns)) for file in found})

    def open(self, url: str, start: int = 0, end: int | None = None, *, expected: FileInfo | None = None) -> BinaryIO:
        _, path, files = self._locate(url)
        with _explained(url, "read"):
            if expected is not None:
                _check_unchanged(files.get_file_info(path), expected)
            file = files.open_input_file(path)
            size = file.size()
            file.seek(min(start, size))
        stop = size if end is None else min(end, size)
        return cast(BinaryIO, BufferedReader(RangeReader(file, stop - start), _BUFFER))

    def stage(self, url: str) -> StagedFile:
        _, path, files = self._locate(url)
        return _HdfsStagedFile(files, url, path)

    def commit(self, token: str) -> None:
        staged = json.loads(token)
        _, path, files = self._locate(staged["url"])
        with _explained(staged["url"], "publish"):
            if files.get_file_info(staged["temporary"]).type.name == "File":
                files.move(staged["temporary"], path)
                return
            info = files.get_file_info(path)
        if info.type.name != "File" or info.size != staged["size"]:
            raise StorageError(
                f"the staged file of {staged['url']} is gone, so it cannot be published; run the step again"
            )

    def abort(self, token: str) -> None:
        staged = json.loads(token)
        _, _, files = self._locate(staged["url"])
        with _explained(staged["url"], "abort"):
            _delete_file(files, staged["temporary"])

    def put(self, url: str, data: bytes) -> None:
        put_staged(self, url, data)

    def get(self, url: str) -> bytes:
        with self.open(url) as stream:
            return stream.read()

    def exists(self, url: str) -> bool:
        _, path, files = self._locate(url)
        with _explained(url, "look at"):
            info = files.get_file_info(path)
            return info.type.name == "File" or (info.type.name == "Directory" and bool(_children(files, path)))

    def delete_tree(self, url_prefix: str) -> None:
        _, path, files = self._locate(url_prefix)
        folder, _, name = path.rpartition("/")
        with _explained(url_prefix, "delete"):
            if files.get_file_info(path).type.name == "Directory":
                files.delete_dir(path)
            else:
                _delete_file(files, path)
                for stale in _children(files, folder or "/"):
                    if stale.base_name.startswith(f"{_STAGING}{name}-"):
                        _delete_file(files, stale.path)
            _delete_folder(files, f"{folder}/{_CLAIM}{name}")

    def sweep(self, folder: str) -> None:
        _, path, files = self._locate(folder)
        with _explained(folder, "sweep"):
            for stale in _staged(files, path):
                _delete_file(files, stale.path)

    def replace(self, url: str, data: bytes, expected: bytes) -> bool:
        return replace_by_marker(self, url, data, expected)

    def create_exclusive(self, url: str, data: bytes) -> bool:
        """As in the contract. Renaming a file on HDFS may replace another one, renaming a folder never does: so the
        right to write ``url`` is a folder beside it that only one process can rename into place.
        """
        _, path, files = self._locate(url)
        folder, _, name = path.rpartition("/")
        nonce = uuid.uuid4().hex
        claim, ours = f"{folder}/{_CLAIM}{name}", f"{_CLAIM}{name}-{nonce}"
        with _explained(url, "create"):
            if files.get_file_info(path).type.name != "NotFound":
                return False
            info = files.get_file_info(claim)
            if info.type.name == "Directory" and info.mtime_ns < (time.time() - _STALE_CLAIM_SECONDS) * 1e9:
                _delete_folder(files, claim)  # its owner died before it wrote the file
            files.create_dir(f"{folder}/{ours}/{nonce}", recursive=True)
            with suppress(OSError):  # another one's claim is there
                files.move(f"{folder}/{ours}", claim)
            won = bool(files.get_file_info(f"{claim}/{nonce}").type.name == "Directory")
            if not won:
                _delete_folder(files, f"{folder}/{ours}")
                _delete_folder(files, f"{claim}/{ours}")  # HDFS moves a folder into one that is there
                return False
        self.put(url, data)
        return True

    def _locate(self, url: str) -> tuple[str, str, Any]:
        """(what urls begin with, path, pyarrow file system) of ``hdfs://host:port/path`` or ``hdfs:///path``."""
        rest = url.partition(":")[2]
        authority, path = "", rest
        if rest.startswith("//"):
            authority, _, path = rest[2:].partition("/")
        if authority not in self._connections:
            self._connections[authority] = self._connect(authority)
        return f"hdfs://{authority}", "/" + path.strip("/"), self._connections[authority]


class _HdfsStagedFile:
    def __init__(self, files: Any, url: str, path: str) -> None:
        folder, _, name = path.rpartition("/")
        self._files = files
        self._url = url
        self._temporary = f"{folder}/{_STAGING}{name}-{uuid.uuid4().hex}"
        self._size = 0
        with _explained(url, "write"):
            files.create_dir(folder or "/", recursive=True)
            self._stream = files.open_output_stream(self._temporary, compression=None, buffer_size=_BUFFER)

    def write(self, data: bytes) -> None:
        with _explained(self._url, "write"):
            self._stream.write(data)
        self._size += len(data)

    def close(self) -> str:
        with _explained(self._url, "write"):
            self._stream.close()
        return json.dumps({"url": self._url, "temporary": self._temporary, "size": self._size})

    def abort(self) -> None:
        with suppress(OSError):
            self._stream.close()
        with _explained(self._url, "abort"):
            _delete_file(self._files, self._temporary)


def _check_unchanged(info: Any, expected: FileInfo) -> None:
    """Raises :class:`StorageError` for a file that is not the listed one: HDFS replaces files whole, or appends."""
    if info.type.name == "NotFound":
        raise changed(expected, "has vanished")
    if (info.size, str(info.mtime_ns)) != (expected.size, expected.etag):
        raise changed(expected, f"was replaced (by one of {info.size} bytes)")


def _children(files: Any, folder: str) -> list[Any]:
    from pyarrow import fs

    return cast("list[Any]", files.get_file_info(fs.FileSelector(folder, allow_not_found=True)))


def _walk(files: Any, info: Any) -> Iterator[Any]:
    """The file ``info``, or all files below it, hidden names left out."""
    if info.type.name == "File":
        yield info
    elif info.type.name == "Directory":
        for child in _children(files, info.path):
            if not is_hidden(child.base_name):
                yield from _walk(files, child)


def _staged(files: Any, folder: str) -> Iterator[Any]:
    """All staged files below ``folder``."""
    for child in _children(files, folder):
        if child.type.name == "Directory":
            yield from _staged(files, child.path)
        elif child.base_name.startswith(_STAGING):
            yield child


def _match(files: Any, folder: str, levels: list[Any]) -> Iterator[Any]:
    """Files that ``levels`` match below ``folder``, whole folders included."""
    for child in _children(files, folder):
        if levels[0].fullmatch(child.base_name):
            if len(levels) == 1:
                yield from _walk(files, child)
            elif child.type.name == "Directory":
                yield from _match(files, child.path, levels[1:])


def _delete_file(files: Any, path: str) -> None:
    if files.get_file_info(path).type.name == "File":
        files.delete_file(path)


def _delete_folder(files: Any, path: str) -> None:
    if files.get_file_info(path).type.name == "Directory":
        files.delete_dir(path)


@contextmanager
def _explained(url: str, verb: str) -> Iterator[None]:
    """Turn errors of pyarrow into ours."""
    try:
        yield
    except SnowetlError:
        raise
    except FileNotFoundError:
        raise UsageError(f"cannot {verb} {url}: no such file or folder; check the path") from None
    except PermissionError as error:
        raise StorageError(f"cannot {verb} {url}: permission denied; check owner and mode in HDFS") from error
    except OSError as error:
        remedy = "check that the name node answers (hdfs dfs -ls /), space and permissions, and run again"
        raise StorageError(f"cannot {verb} {url}: {str(error).splitlines()[0]}; {remedy}") from error
