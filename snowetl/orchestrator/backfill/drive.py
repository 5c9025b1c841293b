"""Plans a backfill, and works off its runs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any

from snowetl.errors import NothingToDo, OutputExists, SnowetlError, UsageError
from snowetl.orchestrator import driver
from snowetl.orchestrator.backfill.child import Child
from snowetl.orchestrator.backfill.pieces import cut, is_in_sample, time_in
from snowetl.orchestrator.backfill.record import Backfill, Piece, Record
from snowetl.orchestrator.backfill.settings import BY_MODIFIED, BackfillSettings
from snowetl.orchestrator.backfill.swap import swap
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.inventory import Window
from snowetl.orchestrator.ledger import Ledger
from snowetl.orchestrator.prices import Price, Usage
from snowetl.orchestrator.sources import input_of
from snowetl.orchestrator.sources.present import Found
from snowetl.reporting.json_form import from_json
from snowetl.runs.lease import Lease
from snowetl.runs.run import run_id, run_start
from snowetl.runs.writable import check_writable
from snowetl.settings import Fingerprint
from snowetl.settings.words import count, duration_text, size
from snowetl.spool import Spool, sorted_spool
from snowetl.steps.base import Watch, World
from snowetl.storage import FileInfo, filesystem

_NAMED = 3
Timed = tuple[int, FileInfo]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a backfill is. ``seconds`` are those of all runs that are done, one after the other, ``usage`` what EMR
    Serverless billed for them."""

    runs: int
    done: int
    bytes: int
    bytes_done: int
    seconds: float
    at_once: int = 1
    usage: Usage | None = None
    price: Price | None = None
    failed: tuple[str, ...] = ()

    @property
    def seconds_left(self) -> float | None:
        if not self.bytes_done:
            return None
        return self.seconds / self.bytes_done * (self.bytes - self.bytes_done) / self.at_once

    @property
    def text(self) -> str:
        told = f"{self.done:,} of {count(self.runs, 'run')} done, {size(self.bytes_done)} of {size(self.bytes)}"
        left = self.seconds_left
        if left:
            told += f", about {duration_text(left)} left"
        cost, whole = self._cost(), self._cost_of_all
        if cost is not None:
            told += f", cost {cost:,.2f}"
            told += "" if whole is None else f" of about {whole:,.2f}"
        return told

    def _cost(self, factor: float = 1.0) -> float | None:
        """What ``factor`` times as much as was done costs."""
        usage = None if self.usage is None else self.usage.times(factor)
        return None if self.price is None else self.price.of(self.seconds * factor, usage)

    @property
    def _cost_of_all(self) -> float | None:
        return self._cost(self.bytes / self.bytes_done) if self.bytes_done else None

    @property
    def estimate(self) -> str:
        """What the whole will take, by what the sample took."""
        whole = self.seconds / self.bytes_done * self.bytes if self.bytes_done else 0.0
        told = f"{size(self.bytes)} in {count(self.runs, 'run')}: {duration_text(whole)} of work"
        if self.at_once > 1:
            told += f", {duration_text(whole / self.at_once)} with {self.at_once} at once"
        cost = self._cost_of_all
        return told if cost is None else f"{told}, cost {cost:,.2f}"


def run(settings: BackfillSettings, watch: Watch) -> Progress:
    """Do what is left of a backfill. With ``sample``, a share of it in its own place, for an estimate.

    Raises ``UsageError``, ``NothingToDo`` where no file is of that time, ``LeaseHeld``, ``SnowetlError`` where runs
    failed: those that are done stay done, the next call continues the others.
    """
    settings.check()
    if settings.only_bad:
        _check_sources(settings)
        settings = settings.of_bad_rows()
        if not filesystem(settings.input_folder[0]).exists(settings.input_folder[0]):
            raise NothingToDo(f"there are no bad rows: {settings.input_folder[0]} is not there")
    if settings.duplicate_storage is not None:
        watch.warn(
            "--duplicate-storage is not used: it holds these events already. Duplicates are found within each run only"
        )
    if settings.sample is not None:
        return _sample(settings, watch)
    runs = settings.run_settings()
    check_writable([settings.folder, *runs.written_folders])
    with Lease(f"{settings.folder}/_lease.json", "this backfill"):
        record = _planned(settings, watch)
        if record.backfill is None:
            raise AssertionError("a plan is made or read")
        progress = _work_off(settings, record.backfill, watch)
        if progress.failed:
            some = ", ".join(progress.failed[:_NAMED]) + (", …" if len(progress.failed) > _NAMED else "")
            raise SnowetlError(
                f"{len(progress.failed):,} of {count(progress.runs, 'run')} failed ({some}): run the same command "
                f"again to go on, or look at them: snowetl status -o {settings.folder}"
            )
        if settings.swap:
            swap(settings, record, watch)
    return progress


def _check_sources(settings: BackfillSettings) -> None:
    """Raises ``UsageError`` where a run of that time is not done: its bad rows may be thrown away and made anew."""
    waits = [
        entry.id
        for entry in Ledger.of(settings.runs_folder).unfinished()
        if settings.by == BY_MODIFIED or settings.start <= run_start(entry.id) < settings.end
    ]
    if waits:
        some = ", ".join(waits[:_NAMED]) + (", …" if len(waits) > _NAMED else "")
        raise UsageError(
            f"--only-bad: {count(len(waits), 'run')} of that time {'is' if len(waits) == 1 else 'are'} not done "
            f"({some}): their bad rows may change yet. Finish them with `snowetl resume`, or stop them with "
            "`snowetl cancel`, then run this command again"
        )


# --- the plan ---------------------------------------------------------------------------------------------------------


def _planned(settings: BackfillSettings, watch: Watch) -> Record:
    """The record with its pieces. What was planned before stays: files that came since are not in it."""
    record = Record.read(settings.folder)
    runs = settings.run_settings()
    if record.backfill is None:
        begun = Backfill(
            base=World.of_now().now // 1000 * 1000,
            run_bytes=settings.run_bytes,
            by=settings.by,
            fingerprint=runs.fingerprint().to_json(),
        )
        record = record.put(begun)
    backfill = record.backfill
    if backfill is None:
        raise AssertionError("it was put there")
    changed = runs.fingerprint().differences(Fingerprint.from_json(backfill.fingerprint))
    if changed:
        raise OutputExists(
            f"this backfill was begun with other settings: {', '.join(changed)}. Go on with those "
            f"({record.url}), or delete {settings.folder} and the schema {settings.backfill_schema}"
        )
    if backfill.pieces:
        return record
    filesystem(runs.runs_folder).delete_tree(runs.runs_folder)  # of a plan that was interrupted: no run was started
    pieces = tuple(_begin(settings, backfill, watch))
    watch.say(f"{count(len(pieces), 'run')} planned, {size(sum(piece.bytes for piece in pieces))}")
    return record.put(replace(backfill, pieces=pieces))


def _begin(settings: BackfillSettings, backfill: Backfill, watch: Watch) -> Iterator[Piece]:
    """Begin every run with its files: from then on, each is a run that waits to be finished."""
    runs = settings.run_settings()
    files = _files(settings, watch)
    times = iter(time for time, _ in files)
    for number, piece in enumerate(cut((file for _, file in files), backfill.run_bytes)):
        id_ = run_id(backfill.base + number * 1000)
        Entry(id_, runs.runs_folder).begin(replace(runs, run_id=id_), sorted(piece))
        of = [next(times) for _ in piece]
        yield Piece(run=id_, files=len(piece), bytes=sum(file.size for file in piece), first=of[0], last=of[-1])


def _files(settings: BackfillSettings, watch: Watch) -> Spool[Timed]:
    """The files of the stretch of time, in its order. Raises ``NothingToDo``, and ``UsageError`` for a file without
    a time.
    """
    without: list[str] = []
    told = input_of(replace(settings, input_queue=None), times=settings.by == BY_MODIFIED)

    def meant() -> Iterator[Found]:
        for file in told.files():
            time = _time_of(file, settings)
            if time is None:
                without.append(file.url)
            elif settings.start <= time < settings.end:
                yield "new", file

    there = (file for kind, file in told.now(meant(), Window()) if kind == "new" and isinstance(file, FileInfo))
    found = sorted_spool(_once(sorted_spool((_time_of(file, settings) or 0, file) for file in there)))
    if without:
        raise UsageError(
            f"{count(len(without), 'file')} of the input name no day, such as {without[0]}: give --by modified, or an "
            "--input-folder that leaves them out"
        )
    if not found:
        raise NothingToDo(f"no file of {' and '.join(settings.input_folder)} is of {settings.from_} to {settings.to}")
    watch.say(f"{count(len(found), 'file')} from {settings.from_} to {settings.to}")
    return found


def _time_of(file: FileInfo, settings: BackfillSettings) -> int | None:
    return file.modified if settings.by == BY_MODIFIED else time_in(file.url)


def _once(files: Iterable[Timed]) -> Iterator[Timed]:
    """Each file once, however often the input lists it."""
    last = ""
    for timed in files:
        if timed[1].url != last:
            last = timed[1].url
            yield timed


# --- the work ---------------------------------------------------------------------------------------------------------


def _work_off(settings: BackfillSettings, backfill: Backfill, watch: Watch) -> Progress:
    """Every run that is not done, ``parallel`` at once, each as a process of its own. One that fails holds up none."""
    runs = settings.run_settings()
    reports = {piece.run: Entry(piece.run, runs.runs_folder).report() for piece in backfill.pieces}
    todo = [piece for piece in backfill.pieces if reports[piece.run] is None]
    failed: list[str] = []
    stop = threading.Event()

    def progress() -> Progress:
        done = [piece for piece in backfill.pieces if reports[piece.run] is not None]
        return Progress(
            runs=len(backfill.pieces),
            done=len(done),
            bytes=backfill.bytes,
            bytes_done=sum(piece.bytes for piece in done),
            seconds=sum(_seconds(reports[piece.run]) for piece in done),
            usage=_usage(reports[piece.run] for piece in done),
            at_once=settings.parallel,
            price=settings.price_per_hour,
            failed=tuple(failed),
        )

    def work(piece: Piece) -> tuple[Piece, str]:
        if stop.is_set():
            return piece, "it was not begun"
        return piece, Child(piece.run, runs, stop).finish()

    watch.say(progress().text)
    with ThreadPoolExecutor(settings.parallel) as pool:
        try:
            for future in as_completed([pool.submit(work, piece) for piece in todo]):
                piece, why = future.result()
                reports[piece.run] = Entry(piece.run, runs.runs_folder).report()
                if reports[piece.run] is None:
                    failed.append(f"run={piece.run}")
                    watch.warn(f"run={piece.run}: {why}")
                watch.say(progress().text)
        except BaseException:
            stop.set()  # the runs that are going on are told to end
            pool.shutdown(cancel_futures=True)
            raise
    return progress()


def _seconds(report: Any) -> float:
    return 0.0 if report is None else float(report.get("seconds", 0))


def _usage(reports: Iterable[Any]) -> Usage | None:
    """What EMR Serverless billed for runs, where it did."""
    found = [from_json(Usage, used) for report in reports for used in ((report or {}).get("usage") or {}).values()]
    return sum(found, Usage()) if found else None


# --- sample -----------------------------------------------------------------------------------------------------------


def _sample(settings: BackfillSettings, watch: Watch) -> Progress:
    """Run a share of the files into a place and a schema of their own; what the whole will take follows."""
    percent = settings.sample or 100
    files = _files(settings, watch)
    whole = sum(file.size for _, file in files)
    chosen = sorted(file for _, file in files if is_in_sample(file, percent)) or [files[0][1]]
    now = World.of_now().now
    runs = settings.run_settings(f"sample/{run_id(now)}", f"{settings.schema}_sample")
    runs = replace(runs, run_id=run_id(now))
    Entry(run_id(now), runs.runs_folder).begin(runs, chosen)
    report = driver.run(runs, watch)
    sampled = sum(file.size for file in chosen)
    watch.say(f"sample: {count(len(chosen), 'file')}, {size(sampled)}, into schema {runs.schema}, which may be dropped")
    return Progress(
        runs=max(1, round(whole / settings.run_bytes + 0.5)),
        done=0,
        bytes=whole,
        bytes_done=sampled,
        seconds=_seconds(report),
        usage=_usage([report]),
        at_once=settings.parallel,
        price=settings.price_per_hour,
    )
