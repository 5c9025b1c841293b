"""The lock that keeps two jobs off one run.

The lock is a small JSON file beside the run folder: who holds it (host, process, user), since when, and when they last
said so (every minute). It is *stale*, and taken over, when its process is known to be dead (same host), or when it has
not been renewed for ten minutes. A holder whose lock was taken (a laptop that slept) notices before it publishes.
"""

from __future__ import annotations

import getpass
import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from types import TracebackType
from typing import Any

from snowetl.errors import OutputExists, SnowetlError, UsageError
from snowetl.jvm import jsontext, timestamps
from snowetl.storage import filesystem

RENEW_SECONDS = 60
STALE_SECONDS = 600
_SETTLE_SECONDS = 1.0


class RunLock:
    """Held inside ``with``. Raises :class:`OutputExists` on entering where another job holds it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._fs = filesystem(url)
        self._stop = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="run-lock", daemon=True)
        self._claim = {
            "token": uuid.uuid4().hex,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "user": _user(),
            "since": timestamps.to_instant(_now()),
        }

    def __enter__(self) -> RunLock:
        if not self._create():
            self._take_over()
        self._renewer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stop.set()
        self._renewer.join()
        with suppress(SnowetlError):  # a lock that stays behind is stale as soon as this process has ended
            if self.is_ours():
                self._fs.delete_tree(self.url)

    def is_ours(self) -> bool:
        """Whether no other job has taken the lock."""
        holder = self._holder()
        return holder is not None and holder.get("token") == self._claim["token"]

    def check(self) -> None:
        """Raises :class:`SnowetlError` when another job has taken the lock in the meantime."""
        if not self.is_ours():
            raise SnowetlError(
                f"another job has taken over this run ({self.url}), because this one gave no sign of life for over "
                f"{STALE_SECONDS // 60} minutes: this one publishes nothing"
            )

    def _create(self) -> bool:
        return self._fs.create_exclusive(self.url, self._content())

    def _take_over(self) -> None:
        """Replace a stale lock. Two jobs that find the same one stale: the last to write it wins, the other leaves."""
        holder = self._holder()
        if holder is not None and not is_stale(holder):
            raise OutputExists(
                f"another job works on this run: {_describe(holder)}. Wait for it, or, if it is surely dead, "
                f"delete {self.url}"
            )
        self._fs.put(self.url, self._content())
        time.sleep(_SETTLE_SECONDS)
        if not self.is_ours():
            raise OutputExists(f"another job has just taken over this run ({self.url}). Wait for it")

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            try:
                if not self.is_ours():
                    return
                self._fs.put(self.url, self._content())
            except SnowetlError:
                continue  # storage that fails for a moment; the next minute tries again

    def _content(self) -> bytes:
        return jsontext.dumps(self._claim | {"renewed": _now()}).encode("utf-8")

    def _holder(self) -> dict[str, Any] | None:
        """Who holds the lock; ``None`` where it has gone or cannot be read."""
        try:
            holder = jsontext.loads(self._fs.get(self.url).decode("utf-8"))
        except (UsageError, ValueError):
            return None
        return holder if isinstance(holder, dict) else None


def is_stale(holder: dict[str, Any]) -> bool:
    """Whether the holder's process is known to be dead, or has been silent for too long."""
    renewed, pid = holder.get("renewed"), holder.get("pid")
    if not isinstance(renewed, int) or _now() - renewed > STALE_SECONDS * 1000:
        return True
    return holder.get("host") == socket.gethostname() and isinstance(pid, int) and not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # there, but not ours
        return True
    return True


def _describe(holder: dict[str, Any]) -> str:
    return f"process {holder.get('pid')} of {holder.get('user')} on {holder.get('host')}, since {holder.get('since')}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        return str(os.getuid())


def _now() -> int:
    return time.time_ns() // 1_000_000
