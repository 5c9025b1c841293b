"""Copies the raw files of runs into the archive, and makes up for what could not be copied before."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from snowetl.errors import SnowetlError, UsageError
from snowetl.orchestrator.archive import record
from snowetl.orchestrator.archive.layout import Layout
from snowetl.orchestrator.archive.record import Archived
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.settings import RunSettings
from snowetl.runs.run import absolute
from snowetl.steps.base import Watch, World
from snowetl.storage import FileInfo
from snowetl.storage.base import at_once
from snowetl.storage.copies import copy_verified

_NAMED = 3


def check(settings: RunSettings) -> None:
    """Raises ``UsageError`` for an archive that the next run would read as its input."""
    if settings.archive is None:
        return
    archive = absolute(settings.archive).rstrip("/") + "/"
    for given in settings.input_folder:
        if archive.startswith(absolute(given).rstrip("/") + "/"):
            raise UsageError(
                f"--archive {settings.archive} lies in the input folder {given}: the next run would read it. Give "
                "another folder"
            )


def archive(entry: Entry, folder: str, watch: Watch) -> Archived:
    """Copy every file that a run took into ``folder``, and verify it. What is there is not copied again.

    Whatever fails is in what is returned, and is tried again by :func:`catch_up`: nothing is raised for it.
    """
    started = time.monotonic()
    state = Archived(folder=absolute(folder).rstrip("/"), at=World.of_now().now)
    try:
        record.begun(entry, state)
        state = _copy(entry, state, watch)
        state = replace(state, done=not state.failed, seconds=round(time.monotonic() - started, 3))
        (record.finished if state.done else record.begun)(entry, state)
    except SnowetlError as error:
        state = replace(state, done=False, failed=max(state.failed, 1), why=state.why or (str(error),))
    if state.done:
        watch.say(f"archive: {state.text}")
    else:
        watch.warn(f"archive of run={entry.id}: {state.text}. The next run tries again; the raw files stay")
    return state


def _copy(entry: Entry, state: Archived, watch: Watch) -> Archived:
    plan = entry.plan() or {}
    inputs = (plan.get("about") or {}).get("inputFolder") or []
    layout = Layout.of(state.folder, entry.id, inputs)
    lock = threading.Lock()
    files = size = copied = failed = 0
    why: list[str] = []
    with watch.progress(plan.get("bytes") or 0, "archive") as advance:

        def one(file: FileInfo) -> None:
            nonlocal files, size, copied, failed
            try:
                is_new = not layout.has(file.url) and copy_verified(file, layout.url(file.url))
            except SnowetlError as error:
                with lock:
                    failed += 1
                    why.extend([str(error)] if len(why) < _NAMED else [])
                return
            with lock:
                files, size, copied = files + 1, size + file.size, copied + is_new
                advance(0, file.size)

        at_once(one, entry.inputs())
    return replace(state, files=files, bytes=size, copied=copied, failed=failed, why=tuple(why))


def catch_up(settings: RunSettings, watch: Watch, before: int) -> None:
    """Go on with the archives of earlier runs that are not complete, and were not tried since ``before`` (epoch ms)."""
    if settings.archive is None:
        return
    for entry in record.waiting(settings.runs_folder):
        known = record.of(entry)
        if known is None or entry.plan() is None:
            record.forget(entry)  # it is complete, or the run was cancelled
        elif known.done:
            record.forget(entry)
        elif known.at < before and entry.is_done():
            archive(entry, known.folder, watch)
