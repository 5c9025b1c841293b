"""Who holds a lease: a process, told from all others by more than its number.

In a container that was restarted host name and process number are those of the process that died. So a holder also
says when its process started, in which process namespace, and since which boot of the machine. The driver of a YARN
application is known by its attempt, too: YARN starts another one when it takes the last for dead, on whatever host.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from snowetl.jvm import jsontext, timestamps

EXPIRES_SECONDS = 300
"""A holder that seems to have been silent for so long is watched, wherever it is: two clocks may differ by as much."""

Fate = Literal["alive", "dead", "unseen", "silent"]
"""``unseen``: on this host by name, but no process that can be looked at from here; or an earlier attempt at the YARN
application of this process, on whatever host. ``silent``: its last sign of life is far away by our clock. If either
lives, its heartbeat shows within seconds.
"""

_CONTAINER = re.compile(r"container_(?:e\d+_)?(\d+_\d+)_(\d+)_\d+")
"""What YARN calls a container: application (start of the cluster, number), attempt, number."""

_START_TIME = 19
"""Place of ``starttime`` in ``/proc/<pid>/stat``, after the process name in parentheses."""

_DEFAULTS: tuple[tuple[str, Any], ...] = (
    *(("host", ""), ("pid", 0), ("user", ""), ("since", ""), ("renewed", 0)),
    *(("boot", ""), ("started", ""), ("namespace", ""), ("application", ""), ("attempt", 0)),
)
"""What stands for a field that a lease file lacks, or has of another type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """``started`` counts clock ticks since ``boot``. These and ``namespace`` are empty on a system without /proc."""

    token: str
    host: str
    pid: int
    user: str
    since: str
    renewed: int = 0
    """Epoch milliseconds of the last heartbeat."""
    boot: str = ""
    started: str = ""
    namespace: str = ""
    application: str = ""
    """The YARN application whose driver it is."""
    attempt: int = 0
    """Which attempt at it, from 1 on."""

    @classmethod
    def this_process(cls) -> Holder:
        """A new holder: this process."""
        application, attempt = _yarn_attempt()
        return cls(
            token=uuid.uuid4().hex,
            host=socket.gethostname(),
            pid=os.getpid(),
            user=_user(),
            since=timestamps.to_instant(_now()),
            renewed=_now(),
            boot=_boot(),
            started=start_of_process(os.getpid()),
            namespace=namespace_of_this_process(),
            application=application,
            attempt=attempt,
        )

    @classmethod
    def parse(cls, content: bytes) -> Holder | None:
        """The holder a lease file names; ``None`` for a file that was not written by this code."""
        try:
            document = jsontext.loads(content.decode("utf-8"))
        except ValueError:
            return None
        if not isinstance(document, dict) or not isinstance(document.get("token"), str):
            return None
        known: dict[str, Any] = {name: document[name] for name in cls.__slots__ if name in document}
        for name, default in _DEFAULTS:
            if not isinstance(known.get(name), type(default)):
                known[name] = default
        return cls(**known)

    def content(self) -> bytes:
        return jsontext.dumps(asdict(self)).encode("utf-8")

    def fate(self) -> Fate:
        """What can be known of the holder from this process, now."""
        here = self.host == socket.gethostname()
        seen = here and self.boot == _boot() and self.namespace == namespace_of_this_process()
        if seen and not (process_exists(self.pid) and self.started == start_of_process(self.pid)):
            return "dead"
        if self._is_earlier_attempt():
            return "unseen"
        if abs(_now() - self.renewed) > EXPIRES_SECONDS * 1000:
            return "silent"
        return "alive" if seen or not here else "unseen"

    def _is_earlier_attempt(self) -> bool:
        application, attempt = _yarn_attempt()
        return bool(application) and self.application == application and self.attempt < attempt

    def seems_alive(self) -> bool:
        """A guess at once, by our clock: for a view. Whoever takes a lease watches first those who were silent."""
        return self.fate() in ("alive", "unseen")

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}, since {self.since}"


def process_exists(pid: int) -> bool:
    """Whether a process of that number is there, ours or not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # there, but not ours
        return True
    return True


def _yarn_attempt() -> tuple[str, int]:
    """The YARN application this process belongs to, and the attempt at it; empty and 0 elsewhere."""
    match = _CONTAINER.fullmatch(os.environ.get("CONTAINER_ID", ""))
    return (match[1], int(match[2])) if match else ("", 0)


def _boot() -> str:
    return _read("/proc/sys/kernel/random/boot_id").strip()


def start_of_process(pid: int) -> str:
    """When a process started. Empty where that is not known."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[_START_TIME] if len(fields) > _START_TIME else ""


def namespace_of_this_process() -> str:
    """The process namespace: numbers of processes mean the same in one only. Empty where that is not known."""
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        return str(os.getuid())


def _now() -> int:
    return time.time_ns() // 1_000_000
