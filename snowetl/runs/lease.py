"""The lease that keeps two jobs off one run, or off one folder.

A lease is a small file: who holds it (see ``holder.py``), since when, and when they last said so. Whoever finds one
takes it over if its holder is dead, and leaves otherwise. On local disks the holder also keeps the file locked
(``flock``): the system frees it with the process, however that ends, in whatever container it ran. Elsewhere the file
is replaced only if it still is what was read (S3: conditional writes). A holder that cannot be judged from here is
watched: if it lives its heartbeat shows, whatever the clocks say. A holder whose lease was taken (a laptop that slept)
notices before it publishes. No interrupt keeps a lease from being given back.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Protocol

from snowetl.errors import LeaseHeld, SnowetlError, UsageError
from snowetl.runs.holder import EXPIRES_SECONDS, Holder
from snowetl.runs.interrupts import deferred
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of

HEARTBEAT_SECONDS = 5.0
_BEATS = {"unseen": 2.2, "silent": 6.0}
"""For how many heartbeats a holder of such a fate is watched before it counts as dead."""
_TRIES = 5
_PAUSE_SECONDS = 0.1
"""How often, and after what pause, a lease that changes under our eyes is looked at again."""


class Lease:
    """Held inside ``with``. Raises :class:`LeaseHeld` on entering where another process holds it.

    ``what`` is held, in words for messages.
    """

    def __init__(self, url: str, what: str = "this run") -> None:
        self.url = url
        self.what = what
        self._me = Holder.this_process()
        self._place = _place_of(url)
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        try:
            self._acquire()
            self._heart.start()
        except LeaseHeld:
            raise
        except BaseException:  # an interrupt: maybe the lease is written
            self._give_back()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._give_back()

    def _give_back(self) -> None:
        with deferred():
            self._stop.set()
            if self._heart.is_alive():
                self._heart.join()
            with suppress(SnowetlError):  # a lease that stays behind is dead as soon as this process has ended
                self._place.release(self._me)

    def is_ours(self) -> bool:
        """Whether no other process has taken the lease."""
        holder = self._place.holder()
        return holder is not None and holder.token == self._me.token

    def check(self) -> None:
        """Raises :class:`SnowetlError` when another process has taken the lease in the meantime."""
        if not self.is_ours():
            raise SnowetlError(
                f"another job has taken over {self.what} ({self.url}), because this one gave no sign of life for over "
                f"{EXPIRES_SECONDS // 60} minutes: this one publishes nothing"
            )

    def _acquire(self) -> None:
        holder = dead = None
        for _ in range(_TRIES):
            with deferred():
                answer = self._place.take(self._me, dead)
            if answer == "taken":
                return
            holder = self._place.holder()
            if holder is None or holder == dead:
                time.sleep(_PAUSE_SECONDS)
            elif answer == "held" or not _is_dead(self._place, holder):
                raise self._held_by(holder)
            else:
                dead = holder
        raise self._held_by(holder)

    def _held_by(self, holder: Holder | None) -> LeaseHeld:
        if holder is None:
            return LeaseHeld(f"another job has just taken over {self.what} ({self.url}). Wait for it")
        return LeaseHeld(
            f"another job works on {self.what}: {holder}. Wait for it; if you are sure that it has "
            f"died, delete {self.url}"
        )

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            renewed = replace(self._me, renewed=time.time_ns() // 1_000_000)
            with suppress(SnowetlError):  # storage that fails for a moment; the next beat tries again
                if not self._place.renew(renewed):
                    return


_Answer = Literal["taken", "held", "unknown"]
"""``held``: its holder lives, for sure; ``unknown``: there is a holder, or there was one a moment ago."""


class _Place(Protocol):
    """Where a lease is kept."""

    def holder(self) -> Holder | None:
        """Who holds it; ``None`` where nobody does."""

    def take(self, me: Holder, dead: Holder | None) -> _Answer:
        """Get hold of it, if nobody holds it, or one who is dead for sure, or still ``dead``, who was found so."""

    def renew(self, me: Holder) -> bool:
        """Say that the holder lives; ``False`` where the lease is another's."""

    def release(self, me: Holder) -> None:
        """Give it back, if it still is ours."""


def _is_dead(place: _Place, holder: Holder) -> bool:
    """Whether a holder is dead, as far as can be seen. One whose lease is given back in the meantime counts as dead."""
    fate = holder.fate()
    if fate not in _BEATS:
        return fate == "dead"
    time.sleep(_BEATS[fate] * HEARTBEAT_SECONDS)
    return place.holder() in (holder, None)


class _LocalFile:
    """A locked file. Its content is for people, and for machines that do not share the lock (NFS without locks)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._path = Path(url.partition(":")[2].removeprefix("//") if url[:5].lower() == "file:" else url)
        self._file: BinaryIO | None = None

    def holder(self) -> Holder | None:
        try:
            return Holder.parse(self._path.read_bytes())
        except OSError:
            return None

    def take(self, me: Holder, dead: Holder | None) -> _Answer:
        filesystem(self._url).create_exclusive(self._url, b"")
        try:
            file = self._path.open("r+b", buffering=0)
        except FileNotFoundError:  # given back a moment ago
            return "unknown"
        locked = _lock(file)
        if locked is False:
            file.close()
            return "held"
        holder = Holder.parse(file.read())
        free = holder is None or holder == dead or self._is_dead(holder, me, locked is True)
        if not free or not self._is(file):
            file.close()
            return "unknown"
        self._file = file
        self._write(me)
        return "taken"

    def _is_dead(self, holder: Holder, me: Holder, locked: bool) -> bool:
        """That its lock is free tells, if the holder was on this machine."""
        return (locked and (holder.host == me.host or holder.boot == me.boot)) or holder.fate() == "dead"

    def renew(self, me: Holder) -> bool:
        if self._file is None or not self._is(self._file):
            return False
        found = self.holder()
        if found is None or found.token != me.token:
            return False
        self._write(me)
        return True

    def release(self, me: Holder) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        found = self.holder()
        if self._is(file) and found is not None and found.token == me.token:
            with suppress(OSError):
                self._path.unlink()
        file.close()

    def _is(self, file: BinaryIO) -> bool:
        """Whether the open file still is the one at the path: another may have deleted it."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def _write(self, me: Holder) -> None:
        assert self._file is not None
        content = me.content()
        with suppress(OSError):  # a full disk: the lock holds without
            os.pwrite(self._file.fileno(), content, 0)
            os.ftruncate(self._file.fileno(), len(content))


def _lock(file: BinaryIO) -> bool | None:
    """Whether we have the lock of the file; ``None`` on a file system that knows no locks."""
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


class _Object:
    """An object of a store that knows no locks: replaced only if it still is what was read."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._fs = filesystem(url)
        self._content = b""

    def holder(self) -> Holder | None:
        return Holder.parse(self._read())

    def take(self, me: Holder, dead: Holder | None) -> _Answer:
        content = me.content()
        if self._fs.create_exclusive(self._url, content):
            self._content = content
            return "taken"
        found = self._read()
        holder = Holder.parse(found)
        free = holder is None or holder == dead or holder.fate() == "dead"
        return "taken" if free and self._replace(content, found) else "unknown"

    def renew(self, me: Holder) -> bool:
        return self._replace(me.content(), self._content)

    def release(self, me: Holder) -> None:
        holder = self.holder()
        if holder is not None and holder.token == me.token:
            self._fs.delete_tree(self._url)

    def _replace(self, content: bytes, expected: bytes) -> bool:
        if not self._fs.replace(self._url, content, expected):
            return False
        self._content = content
        return True

    def _read(self) -> bytes:
        try:
            return self._fs.get(self._url)
        except UsageError:  # given back
            return b""


def _place_of(url: str) -> _Place:
    return _LocalFile(url) if scheme_of(url) == "file" else _Object(url)


def holder_of(url: str) -> Holder | None:
    """Who holds the lease ``url``, alive or dead; ``None`` where nobody does. Raises ``StorageError``."""
    return _place_of(url).holder()


def living(url: str) -> Holder | None:
    """Who holds the lease at ``url`` and lives, as far as can be seen; it may take some heartbeats to see."""
    place = _place_of(url)
    holder = place.holder()
    return None if holder is None or _is_dead(place, holder) else place.holder()
