"""Python imports this in every process of a crashing run: it numbers what a process does to files, ends it at one of
these operations, and notes what was made durable (``fsync``).

``SNOWETL_CRASH_PLACE``: only what happens below this folder counts. ``SNOWETL_CRASH_JOURNAL``: where it is noted, a
JSON array a line. ``SNOWETL_CRASH_PARENT``: the process that started the verb. ``SNOWETL_CRASH_AT``: the number of the
operation of the verb's own process before which it ends; ``SNOWETL_CRASH_HOW``: how.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import stat
import sys

PLACE = os.environ.get("SNOWETL_CRASH_PLACE", "")
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def install() -> None:
    journal = os.open(os.environ["SNOWETL_CRASH_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)
    parent, how = int(os.environ["SNOWETL_CRASH_PARENT"]), os.environ.get("SNOWETL_CRASH_HOW", "")
    last = int(os.environ.get("SNOWETL_CRASH_AT", "0"))
    main = os.getpid() if os.getppid() == parent else 0
    done = 0

    def note(*what: object) -> None:
        os.write(journal, json.dumps(what).encode() + b"\n")

    def operation(name: str, path: object) -> None:
        nonlocal done
        if os.getpid() != main:
            return
        done += 1
        note("operation", done, name, str(path))
        if done == last:
            end(how)

    def watch(event: str, args: tuple) -> None:  # type: ignore[type-arg]
        if event == "open":
            path, _, flags = args
            if isinstance(path, (str, bytes)) and flags & WRITES and os.fsdecode(path).startswith(PLACE):
                operation(event, os.fsdecode(path))
        elif event in CHANGES and isinstance(args[0], (str, bytes, os.PathLike)):
            path = os.fsdecode(args[0])
            if path.startswith(PLACE):
                operation(event, path)

    fsync = os.fsync

    def noting_fsync(file: int) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 (keeps " (deleted)")
        if path.startswith(PLACE):
            operation("fsync", path)
        fsync(descriptor)
        if not path.startswith(PLACE):
            return
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(path) as entries:
                note("folder", path, [[entry.name, entry.inode()] for entry in entries])
        else:
            note("file", status.st_ino, status.st_size, status.st_mtime_ns)

    os.fsync = noting_fsync  # type: ignore[assignment]
    sys.addaudithook(watch)


def end(how: str) -> None:
    if how == "term":
        os.kill(os.getpid(), signal.SIGTERM)
    elif how == "orphan":
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        os.killpg(os.getpgid(0), signal.SIGKILL)


if PLACE:
    install()
    faulthandler.register(signal.SIGUSR1)  # all threads say where they are
