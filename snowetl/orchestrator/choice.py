"""Which run is meant: the one named, one that waits to be finished, one that has done these files, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from snowetl.errors import NothingToDo, OutputExists
from snowetl.orchestrator import entries, inventory, step_choice
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.inventory import Inventory, Window
from snowetl.orchestrator.ledger import Ledger
from snowetl.orchestrator.places import Within, place
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.sources import Input, opened
from snowetl.runs.run import PLAN, Run, run_id
from snowetl.settings.times import millis
from snowetl.settings.words import count
from snowetl.spool import Spool
from snowetl.steps.base import World
from snowetl.steps.cut import Cut
from snowetl.storage import FileInfo, filesystem


@dataclass(frozen=True, slots=True)
class Choice:
    """A run, and what is known of its input: what lies there (``found``), and the files it takes (``files``) if it is
    new. ``others`` are runs with other folders that were begun and are not done.
    """

    entry: Entry
    found: Inventory | None = None
    files: Sequence[FileInfo] | None = None
    others: Sequence[Entry] = ()


def choose(settings: RunSettings, world: World, given: Input | None = None) -> Choice:
    """Find the run that the settings mean; write nothing. ``given`` is the input, where it is opened already.

    Raises :class:`OutputExists` if it was begun or done with other settings (unless ``redo_from`` is given), and
    :class:`NothingToDo` where no file is new.
    """
    step_choice.check(settings)
    if given is None:
        with opened(settings) as given:
            return choose(settings, world, given)
    choice = _choose(settings, world, given)
    if settings.redo_from is None:
        choice.entry.check(settings)
    return choice


def _choose(settings: RunSettings, world: World, given: Input) -> Choice:
    if settings.given_id is not None:
        entry = Entry(settings.given_id, settings.runs_folder)
        if entry.plan() is not None:
            return Choice(entry)
        if settings.resume_from is not None:
            raise OutputExists(f"--resume-from: run={entry.id} was never begun in {settings.runs_folder}")
        found, files = _take(settings, world, entry.id, given)
        if not files:
            raise _nothing_new(settings, found)
        return Choice(entry, found, files)
    if settings.redo_from is not None:
        raise OutputExists("--redo-from needs to know the run: give its --run-id")
    waits, others = waiting(settings)
    if waits is not None:
        return Choice(waits)
    if settings.resume_from is not None:
        raise NothingToDo(
            "--resume-from: no run waits to be finished. To continue a run that is done, give its --run-id"
        )
    entry = Entry(_free_id(settings, world), settings.runs_folder)
    found, files = _take(settings, world, entry.id, given)
    if files:
        return Choice(entry, found, files, others)
    odd = found.replaced or found.too_young or found.too_old or found.vanished
    if given.complete and len(found.runs) == 1 and not odd:
        only = Entry(next(iter(found.runs)), settings.runs_folder)
        if only.plan() is not None:  # its folder may be gone: then only the ledger knows what it took
            return Choice(only, found)
    raise _nothing_new(settings, found)


def waiting(settings: RunSettings) -> tuple[Entry | None, list[Entry]]:
    """The latest run with the same input and output folders that is not done (other settings may differ), and all
    runs with other folders that are not done.
    """
    about = settings.about()
    plans = [(entry, entry.plan()) for entry in Ledger.of(settings.runs_folder).unfinished()]
    ours = next((entry for entry, plan in plans if plan is not None and plan.get("about") == about), None)
    return ours, [entry for entry, plan in plans if plan is not None and plan.get("about") != about]


def _free_id(settings: RunSettings, world: World) -> str:
    """The time now; a second later for each run that has that name already."""
    now = world.now
    while filesystem(settings.runs_folder).exists(Entry(run_id(now), settings.runs_folder).folder):
        now += 1000
    return run_id(now)


def _take(settings: RunSettings, world: World, id_: str, given: Input) -> tuple[Inventory, Sequence[FileInfo]]:
    """What lies in the input, and which of it a new run takes."""
    done = _enriched_from(settings, id_)
    if done is not None:
        return Inventory(), done
    told, window = given.files(), _window(settings, world)
    within = Within.of(settings.input_folder) if given.complete else _nowhere
    taken = Ledger.of(settings.runs_folder).taken(but=id_)
    compared = inventory.compare(told, taken, window, within, again=settings.all_files)
    found = Inventory()
    files = Spool(inventory.count(given.now(compared, window), found))
    return found, files


def _nowhere(url: str) -> bool:
    """Nothing is missed in an input that is not listed whole."""
    return False


def _enriched_from(settings: RunSettings, id_: str) -> Sequence[FileInfo] | None:
    """The files of a run that is enriched, but whose own folder was lost."""
    about = settings.about()
    run = Run(id_, (about["enrichedFolder"], about["badFolder"]))
    if run.report() is None:
        return None
    if filesystem(run.work_url).exists(run.work_url):
        return Cut.read(run.work_url).files
    plan = entries.read_document(f"{run.folders[0]}/{PLAN}") or {}  # of an earlier release
    return sorted(FileInfo(place(file[0]), *file[1:3]) for file in plan.get("inputs", ()))


def _window(settings: RunSettings, world: World) -> Window:
    until = [] if settings.until is None else [millis(settings.until)]
    if settings.settle:
        until.append(world.now - settings.settle * 1000)
    return Window(
        since=None if settings.since is None else millis(settings.since),
        until=min(until, default=None),
        max_bytes=settings.max_bytes,
    )


def _nothing_new(settings: RunSettings, found: Inventory) -> NothingToDo:
    folders = " and ".join(settings.input_folder)
    reasons = [
        f"{count(some.files, 'file')} {words}"
        for some, words in (
            (found.taken, "taken by earlier runs"),
            (found.replaced, "changed since a run took them (--all-files takes them again, with their events)"),
            (found.too_young, "too young (--settle, --until)"),
            (found.too_old, "too old (--since)"),
        )
        if some
    ]
    last = f". The last run is run={max(found.runs)}" if found.runs else ""
    return NothingToDo(f"there is nothing new in {folders}: {', '.join(reasons) or 'no file'}{last}")
