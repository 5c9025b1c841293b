"""The taking of files for a run: one process at a time, and what it tells of the files that it finds."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from snowetl.errors import LeaseHeld
from snowetl.orchestrator.choice import Choice, choose
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.ledger import Ledger
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.sources import Input
from snowetl.runs.lease import Lease, holder_of
from snowetl.settings.words import count, size
from snowetl.steps.base import Watch, World

LEASE = "_lease.json"
_PATIENCE_SECONDS = 120.0
"""How long another process is waited for that takes files."""


def claim(settings: RunSettings, watch: Watch, given: Input) -> Entry:
    """Take the files that are new for a run, while nobody else takes any."""
    with ledger_lease(settings):
        chosen = choose(settings, World.of_now(), given)  # another process may have taken them since we looked
        if chosen.files is not None:
            _tell(chosen, watch)
            Ledger.of(settings.runs_folder).leave_out(chosen.entry.id)
            chosen.entry.begin(settings, chosen.files)
            given.recorded()
            Ledger.of(settings.runs_folder).merge()
        return chosen.entry


@contextmanager
def ledger_lease(settings: RunSettings) -> Iterator[None]:
    """Held inside ``with``. Another pipeline of the same output folder holds it while it lists its input: waited for.

    Raises :class:`LeaseHeld` where that takes too long.
    """
    with ExitStack() as stack:
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                stack.enter_context(Lease(f"{settings.runs_folder}/{LEASE}", "the ledger of this output folder"))
                break
            except LeaseHeld:
                if time.monotonic() > give_up:
                    raise
                time.sleep(random.uniform(0.5, 1.5))
        yield


def _tell(chosen: Choice, watch: Watch) -> None:
    for entry in chosen.others:
        if holder_of(entry.lock_url) is None:
            watch.warn(
                f"run={entry.id} took files of another input, or wrote to other folders, and is not done: "
                f"`snowetl resume {entry.id}` finishes it, `snowetl cancel {entry.id}` gives its files back"
            )
    found = chosen.found
    if found is None:
        return
    if found.taken:
        watch.say(f"{count(found.taken.files, 'file')} of the input taken by earlier runs")
    if found.late:
        watch.say(f"late: {count(found.late.files, 'file')}, such as {found.late.names[0]}")
    if found.replaced:
        watch.warn(
            f"{count(found.replaced.files, 'file')} changed since a run took them, such as {found.replaced.names[0]}: "
            "left alone, because their events would come twice (--settle waits for writers, --all-files takes them "
            "again)"
        )
    if found.vanished:
        watch.say(
            f"gone since a run took them: {count(found.vanished.files, 'file')}, such as {found.vanished.names[0]}"
        )
    for some, why in (
        (found.too_young, "too young"),
        (found.too_old, "too old"),
        (found.too_many, "left for the next"),
    ):
        if some:
            watch.say(f"{count(some.files, 'file')} ({size(some.bytes)}) {why}")
