"""Files of this machine while they are read and written: one that must not change, one that is not published yet."""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from snowetl.storage.base import FileInfo, changed
from snowetl.storage.local_paths import explained, identity, make_folder, split

STAGING = "._staging-"
BUFFER = 1 << 20


class UnchangedFile(RawIOBase):
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


class LocalStagedFile:
    """A hidden file beside its target: on the same volume, so that the rename is atomic."""

    def __init__(self, url: str, prefix: str = STAGING) -> None:
        self._url = url
        self._target = Path(split(url)[1])
        name = f"{prefix}{self._target.name}-{uuid.uuid4().hex}"
        self._temporary = self._target.with_name(name)
        with explained(url, "write"):
            make_folder(self._target.parent)
            self._file = self._temporary.open("xb", buffering=BUFFER)

    def write(self, data: bytes) -> None:
        with explained(self._url, "write"):
            self._file.write(data)

    def close(self) -> str:
        with explained(self._url, "write"):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            found = identity(self._temporary)
        return json.dumps({"target": str(self._target), "temporary": str(self._temporary), "identity": found})

    def abort(self) -> None:
        with suppress(OSError):  # a full disk says so again when the buffer is flushed
            self._file.close()
        with explained(self._url, "abort"):
            self._temporary.unlink(missing_ok=True)
