"""Files that earlier runs downloaded, kept on this machine so that a run fetches only what changed.

A folder of contents, each named by its SHA-256, and of notes, one for each address: which content it had, and which
version (ETag) that was. Contents and notes appear by renaming and are never written to, so processes need no lock: two
that fetch the same file at once keep one of two equal copies.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from snowetl.http import redacted

FOLDER_VARIABLE = "SNOWETL_ASSET_CACHE"
"""Names the folder; ``off`` keeps nothing."""

MAX_BYTES = 4 << 30
_STALE = 86_400.0
_NEW = ".new-"
_NOTE = ".json"


class Kept(NamedTuple):
    """A content that was kept: which version of its address it was, where it lies, its SHA-256."""

    version: str
    path: Path
    sha256: str


class AssetCache:
    """The cache in ``folder``; with ``None`` nothing is known and nothing kept.

    It never fails: what cannot be read or written (a full disk, another user's folder) is not kept.
    """

    def __init__(self, folder: Path | None, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    @classmethod
    def of_environment(cls) -> AssetCache:
        """In ``SNOWETL_ASSET_CACHE``, by default ``~/.cache/snowetl/assets`` (``XDG_CACHE_HOME`` counts)."""
        named = os.environ.get(FOLDER_VARIABLE, "")
        if named.lower() == "off":
            return cls(None)
        try:
            base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
            return cls(Path(named).expanduser() if named else base.expanduser() / "snowetl" / "assets")
        except RuntimeError:  # a user without home
            return cls(None)

    def known(self, uri: str) -> Kept | None:
        """What was kept of an address, if its content is still there."""
        if self._folder is None:
            return None
        try:
            note = json.loads((self._folder / _note_of(uri)).read_bytes())
            kept = Kept(note["version"], self._folder / note["sha256"], note["sha256"])
            return kept if kept.version and kept.path.stat().st_size == note["size"] else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def give(self, kept: Kept, target: Path) -> bool:
        """Put a kept content at ``target``; ``False`` if it is damaged or gone (it is forgotten then)."""
        try:
            shutil.copyfile(kept.path, target)
            if sha256_of(target) == kept.sha256:
                os.utime(kept.path)  # what was used last is evicted last
                return True
        except OSError:
            pass
        with suppress(OSError):
            kept.path.unlink()
        return False

    def keep(self, uri: str, version: str, source: Path) -> None:
        """Keep a copy of ``source`` as the content of that version of the address, and what fits beside it."""
        if self._folder is None or not version:
            return
        size = source.stat().st_size
        if size > self._max_bytes:
            return
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sha256 = self._put(source)
            note = {"uri": redacted(uri), "version": version, "sha256": sha256, "size": size}
            self._write(_note_of(uri), json.dumps(note).encode())
            self._evict(sha256)

    def _put(self, source: Path) -> str:
        assert self._folder is not None
        handle, new = tempfile.mkstemp(prefix=_NEW, dir=self._folder)
        os.close(handle)
        try:
            shutil.copyfile(source, new)
            sha256 = sha256_of(Path(new))
            Path(new).replace(self._folder / sha256)
        except OSError:
            Path(new).unlink(missing_ok=True)
            raise
        return sha256

    def _write(self, name: str, content: bytes) -> None:
        assert self._folder is not None
        handle, new = tempfile.mkstemp(prefix=_NEW, dir=self._folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(new).replace(self._folder / name)

    def _evict(self, newest: str) -> None:
        """Delete contents, those used longest ago first, until the rest fits; and what killed processes left."""
        assert self._folder is not None
        contents = []
        for path in self._folder.iterdir():
            with suppress(OSError):
                status = path.stat()
                if path.name.startswith(_NEW):
                    if status.st_mtime < time.time() - _STALE:
                        path.unlink()
                elif path.suffix != _NOTE:
                    contents.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in contents)
        for _, size, path in sorted(contents):
            if total <= self._max_bytes:
                break
            if path.name != newest:
                with suppress(OSError):
                    path.unlink()
                total -= size


def sha256_of(path: Path) -> str:
    """Of a file's content, in hexadecimal digits. Raises ``OSError``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_of(uri: str) -> str:
    return f"{hashlib.sha256(uri.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}{_NOTE}"
