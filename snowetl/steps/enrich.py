"""The enrich job: raw collector logs in, one run of enriched events and bad rows out.

:func:`prepare` checks everything and writes nothing; :func:`execute` runs what was prepared. Between them nothing is
left to go wrong by mistake: only storage, registries and machines can still fail, and then nothing is published.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowetl.enrich.config import EnrichConfig
from snowetl.errors import NothingToDo, OutputExists, SnowetlError, UsageError
from snowetl.reporting.enrich import enrich_report
from snowetl.runs.lease import Lease
from snowetl.runs.parts import part_name
from snowetl.runs.run import Run, absolute, run_id, run_start, split_run_folder
from snowetl.settings.kinds import canonical_location
from snowetl.settings.words import count
from snowetl.steps import assets
from snowetl.steps.enrich_split import Output, SplitReport
from snowetl.steps.enrich_task import EnrichTask
from snowetl.steps.input_format import check_format
from snowetl.steps.settings import EnrichSettings
from snowetl.storage import FileInfo, filesystem, splits
from snowetl.storage.splits import Ignored
from snowetl.version import __version__
from snowetl.workers import Advance, Work, WorkerPool

PROCESSOR = ("snowetl", __version__)
_COMMIT_THREADS = 16


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that is ready to run. ``done`` is the report of an earlier run of the same, ``work`` is empty then."""

    settings: EnrichSettings
    config: EnrichConfig
    run: Run
    about: dict[str, Any]
    """What the run is made from: kept in its report, compared when it is run again."""
    files: list[FileInfo]
    """Those that are read: not empty, no indexes, not ignored."""
    work: list[Work]
    ignored: list[Ignored]
    done: dict[str, Any] | None = None

    @property
    def bytes(self) -> int:
        return sum(work.bytes for work in self.work)


def prepare(settings: EnrichSettings) -> Prepared:
    """Check the settings, list the input, cut it into splits.

    Raises :class:`UsageError` (``ConfigError``, ``OutputExists``), :class:`NothingToDo` or :class:`StorageError`.
    """
    run, etl_tstamp = _name_run(settings)
    part_name(0, run.id, settings.compression)
    config = settings.enrich_config(etl_tstamp)
    about: dict[str, Any] = {
        "inputFolder": [absolute(folder) for folder in settings.input_folder],
        "inputFormat": settings.input_format,
        "outputFolder": run.folders[0],
        "badFolder": run.folders[1],
        "etlTimestamp": etl_tstamp,
    }
    done = _done(run, about)
    if done is not None:
        return Prepared(settings, config, run, about, [], [], [], done)
    files = _list(settings)
    plan = splits.plan(files, binary=settings.input_format == "thrift", target_bytes=settings.split_size)
    if not plan:
        raise _nothing_to_do(settings, plan.ignored)
    check_format(plan, config)
    work = _work(plan, files)
    read = {part.url for item in work for part in item.split.parts}
    return Prepared(settings, config, run, about, [file for file in files if file.url in read], work, plan.ignored)


def rehearse(prepared: Prepared) -> None:
    """What :func:`execute` does before it writes: fetch what enrichments read, build an enricher.

    Raises ``ConfigError`` or ``AssetError``.
    """
    with tempfile.TemporaryDirectory(prefix="snowetl-") as folder:
        _task(prepared, Path(folder))


def execute(
    prepared: Prepared, open_workers: Callable[[], AbstractContextManager[WorkerPool]], advance: Advance
) -> dict[str, Any]:
    """Run a prepared job and return its report.

    Whatever fails on the way (any exception) publishes nothing and leaves nothing behind. Raises
    ``RegistryUnavailable``, ``AssetError``, ``OutputExists`` (another job has the run), ``StorageError``.
    """
    run, started = prepared.run, _now()
    with tempfile.TemporaryDirectory(prefix="snowetl-") as folder:
        task = _task(prepared, Path(folder))
        with Lease(run.lock_url) as lease:
            done = _done(run, prepared.about)  # another job may have done it since we looked
            if done is not None:
                return done
            run.wipe()
            try:
                with open_workers() as workers:
                    reports = list(workers.run(task, prepared.work, advance))
                    lease.check()
                    _publish(reports)
                    report = _report(prepared, reports, started)
                    run.finish(report)
            except BaseException:
                with suppress(SnowetlError):  # what stopped the job says more than what stops the cleaning
                    if lease.is_ours():
                        run.wipe()
                raise
            with suppress(SnowetlError):  # the run is done; leftovers are invisible
                run.sweep()
            return report


def _task(prepared: Prepared, folder: Path) -> EnrichTask:
    """What workers get. An enricher is built here first: a file it cannot read stops the job before Spark starts."""
    run, settings, config = prepared.run, prepared.settings, prepared.config
    wanted = config.assets()
    files = assets.in_working_folder(wanted) if settings.local else assets.fetch_all(wanted, folder)
    task = EnrichTask.create(config, files, Output(run.folders[0], run.folders[1], run.id, settings.compression))
    task.prepare()
    return task


def _report(prepared: Prepared, reports: Sequence[SplitReport], started: int) -> dict[str, Any]:
    return enrich_report(
        sorted(reports, key=lambda split: split.index),
        run=prepared.run.id,
        version=__version__,
        settings=prepared.about,
        inputs={"files": len(prepared.files), "ignored": len(prepared.ignored), "bytes": prepared.bytes},
        started=started,
        finished=_now(),
    )


def _name_run(settings: EnrichSettings) -> tuple[Run, int]:
    """The run, and its ETL timestamp in epoch ms."""
    good, good_id = split_run_folder(absolute(settings.output_folder))
    bad, bad_id = split_run_folder(absolute(settings.bad_folder))
    named = {id_ for id_ in (settings.run_id, good_id, bad_id) if id_ is not None}
    if len(named) > 1:
        raise UsageError(f"the run is named in two ways: {' and '.join(sorted(named))}. Name it once")
    start = named.pop() if named else None
    etl_tstamp = settings.etl_timestamp
    if start is None:
        start = run_id(_now() if etl_tstamp is None else etl_tstamp)
    if etl_tstamp is None:
        etl_tstamp = run_start(start)
    run_start(start)
    for folder in settings.input_folder:
        _check_folders(absolute(folder), good, bad)
    return Run(start, (good, bad)), etl_tstamp


def _check_folders(source: str, good: str, bad: str) -> None:
    if good == bad:
        raise UsageError(f"the output folder and the bad folder are the same: {good}. Give two folders")
    base = source.rstrip("/") + "/"
    for name, folder in (("output", good), ("bad", bad)):
        if (folder + "/").startswith(base):
            raise UsageError(
                f"the {name} folder {folder} lies in the input folder {source}: the next run would read it. "
                f"Give another folder"
            )


def _done(run: Run, about: dict[str, Any]) -> dict[str, Any] | None:
    """The report of an earlier run of the same. Raises :class:`OutputExists` where the run is another one."""
    report = run.report()
    if report is None:
        return None
    before = report.get("settings")
    if before != about:
        changed = sorted(key for key in about if not isinstance(before, dict) or before.get(key) != about[key])
        raise OutputExists(
            f"{run.folders[0]} is the output of another run (differs in: {', '.join(changed)}). "
            f"Give another --run-id, or delete that folder"
        )
    return report


def _list(settings: EnrichSettings) -> list[FileInfo]:
    """The files of all inputs, sorted by address: each once, also where inputs overlap or are spelled in two ways."""
    listed = [file for folder in map(absolute, settings.input_folder) for file in filesystem(folder).list(folder)]
    if len(settings.input_folder) == 1:
        return listed
    return sorted({canonical_location(file.url): file for file in listed}.values())


def _nothing_to_do(settings: EnrichSettings, ignored: list[Ignored]) -> Exception:
    folders = " and ".join(settings.input_folder)
    if not ignored:
        return NothingToDo(f"there is nothing to do: no file with content in {folders}")
    first = ignored[0]
    return UsageError(
        f"none of the {count(len(ignored), 'file')} in {folders} can be read as '{settings.input_format}' "
        f"(such as {first.url}, {first.reason}). Is it the right folder, and the right --input-format?"
    )


def _work(plan: Sequence[splits.Split], files: list[FileInfo]) -> list[Work]:
    """Splits with their sizes, the largest first: the last task to start is a short one."""
    sizes = {file.url: file.size for file in files}
    work = [
        Work(split, sum((sizes[part.url] if part.end is None else part.end) - part.start for part in split.parts))
        for split in plan
    ]
    return sorted(work, key=lambda item: -item.bytes)


def _publish(reports: Sequence[SplitReport]) -> None:
    """Commit the parts of the attempts that count. A part of any other attempt stays invisible, and is swept."""
    parts = [part for report in reports for part in (report.good, report.bad) if part is not None]
    with ThreadPoolExecutor(_COMMIT_THREADS) as pool:
        for _ in pool.map(lambda part: filesystem(part.url).commit(part.token), parts):
            pass


def _now() -> int:
    return time.time_ns() // 1_000_000
