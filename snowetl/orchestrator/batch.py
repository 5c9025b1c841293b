"""One run, from raw logs to tables: enrich, transform, load, with one Spark session and one report.

Each step leaves its result under the run, then its own report: a step whose report is there is done and is not done
again, one without is wiped and redone; the load is one transaction that the warehouse remembers. So a run that was
killed at any moment is finished by running it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any, Protocol

from snowetl.errors import SnowetlError, StorageError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import timestamps
from snowetl.load.engine import Loader
from snowetl.load.preflight import check_target
from snowetl.load.report import LoadReport, TableLoad, save
from snowetl.load.run import read_run
from snowetl.load.schemas import RegistrySchemas
from snowetl.load.warehouse import Warehouse
from snowetl.orchestrator import counts, ledger
from snowetl.orchestrator.ledger import Entry
from snowetl.orchestrator.settings import RunSettings
from snowetl.runs.lease import Lease
from snowetl.runs.run import run_id
from snowetl.settings.words import count
from snowetl.steps import enrich as enrich_job
from snowetl.steps import transform as transform_job
from snowetl.storage import FileInfo, filesystem
from snowetl.version import __version__
from snowetl.workers import Advance, WorkerPool, open_pool

FORMAT = "snowetl-run-report/1"

OpenExecutor = Callable[[], AbstractContextManager[WorkerPool]]


class Watch(Protocol):
    """Hears how a run goes."""

    def say(self, text: str) -> None: ...

    def progress(self, total_bytes: int) -> AbstractContextManager[Advance]:
        """Entered for each step; what it gives is told records and input bytes done."""
        ...


class Quiet:
    def say(self, text: str) -> None:
        pass

    @contextmanager
    def progress(self, total_bytes: int) -> Iterator[Advance]:
        yield lambda records, size: None


def run(settings: RunSettings, watch: Watch | None = None) -> dict[str, Any]:
    """Do what is left of a run, and return its report (``steps`` holds those of enrich, transform and load).

    Raises ``UsageError`` (``ConfigError``, ``OutputExists``), ``NothingToDo``, ``StorageError``,
    ``RegistryUnavailable``, ``LoadError``: what was done until then stays, the rest is done the next time.
    """
    watch = watch or Quiet()
    about = settings.about()
    check_target(settings.target, watch.say)
    entry = choose(settings)
    report = entry.report(about)
    if report is not None:
        watch.say(f"run={entry.id} is done already: {entry.page_url}")
        return report
    prepared = enrich_job.prepare(settings.enrich_settings(entry.id))
    with Lease(entry.lock_url), _one_executor(settings, entry) as open_one:
        report = entry.report(about)  # another process may have finished it since we looked
        if report is not None:
            return report
        return _run(settings, entry, prepared, open_one, watch)


def choose(settings: RunSettings) -> Entry:
    """The run that is meant: the one named, else one that waits or has done these very files, else a new one."""
    runs_folder, about = settings.runs_folder, settings.about()
    if settings.given_id is not None:
        return Entry(settings.given_id, runs_folder)
    waiting = ledger.waiting(runs_folder, about)
    if waiting is not None:
        return waiting
    new = Entry(run_id(_now()), runs_folder)
    files = enrich_job.prepare(settings.enrich_settings(new.id)).files
    return ledger.same_files(runs_folder, about, ledger.fingerprint(files)) or new


def _run(
    settings: RunSettings, entry: Entry, prepared: enrich_job.Prepared, open_one: OpenExecutor, watch: Watch
) -> dict[str, Any]:
    started, about = _now(), settings.about()
    if prepared.done is None or entry.plan() is None:
        entry.begin(about, ledger.fingerprint(prepared.files) if prepared.done is None else None)
    enriched = _enrich(prepared, open_one, watch)
    transformed, folder = _transform(settings, entry, open_one, watch)
    differences = counts.before_load(enriched, transformed)
    if differences:
        raise SnowetlError(
            f"run={entry.id}: the counts do not add up ({'; '.join(differences)}): somebody has changed its files. "
            f"Nothing is loaded. Delete {about['enrichedFolder']}/run={entry.id} and {folder}, and run again"
        )
    loaded, differences = _load(settings, entry, folder, enriched, transformed, watch)
    finished = _now()
    report = {
        "format": FORMAT,
        "run": entry.id,
        "snowetl": __version__,
        "started": timestamps.to_iso(started),
        "finished": timestamps.to_iso(finished),
        "seconds": (finished - started) / 1000,
        "settings": about,
        "counts": [[line.name, line.number, line.level] for line in counts.table_of([enriched, transformed, loaded])],
        "differences": differences,
        "steps": [enriched, transformed, loaded],
    }
    entry.finish(report)
    return report


# --- the steps ------------------------------------------------------------------------------------------------------


def _enrich(prepared: enrich_job.Prepared, open_one: OpenExecutor, watch: Watch) -> dict[str, Any]:
    if prepared.done is not None:
        watch.say(f"enrich: done already, {prepared.run.folders[0]}")
        return prepared.done
    watch.say(f"enrich: {count(len(prepared.files), 'file')} in {count(len(prepared.work), 'task')}")
    with watch.progress(prepared.bytes) as advance:
        return enrich_job.execute(prepared, open_one, advance)


def _transform(settings: RunSettings, entry: Entry, open_one: OpenExecutor, watch: Watch) -> tuple[dict[str, Any], str]:
    """The report of the transform, and the folder of its run."""
    prepared = transform_job.prepare(settings.transform_settings(entry.id))
    if prepared.done:
        done = prepared.done[0]
        report = done.report()
        if report is None:
            raise StorageError(f"{done.folder} is complete, but its report is gone. Delete that folder, and run again")
        watch.say(f"transform: done already, {done.folder}")
        return report, done.folder
    batch = prepared.batches[0]
    watch.say(f"transform: {count(len(batch.files), 'file')} in {count(len(batch.work), 'task')}")
    with watch.progress(prepared.bytes) as advance:
        [report] = transform_job.execute(prepared, open_one, advance)
    return report, batch.run.folder


def _load(
    settings: RunSettings,
    entry: Entry,
    folder: str,
    enriched: dict[str, Any],
    transformed: dict[str, Any],
    watch: Watch,
) -> tuple[dict[str, Any], list[str]]:
    """The report of the load, and where the warehouse holds other numbers than were transformed."""
    target = settings.target
    run_ = read_run(folder)
    bad: list[FileInfo] = []
    if settings.load_bad_rows and target.capabilities.bad_rows_table:
        bad = _files(f"{settings.about()['badFolder']}/run={entry.id}") + run_.bad_files()
    all_bad = counts.bad_rows(enriched) + counts.bad_rows(transformed) if bad else 0
    schemas = RegistrySchemas(IgluClient(ResolverConfig.load(settings.iglu_config), now=0))
    watch.say(f"load: {target}")
    with target.open(watch.say) as warehouse:
        report = Loader(warehouse, schemas, warn=watch.say).load(run_, bad)
        if report.outcome == "already loaded":
            _fill_in(report, warehouse, transformed, all_bad)
        else:
            with suppress(StorageError):  # the report of the whole run has it, too
                save(report)
        document = report.to_json()
        return document, counts.after_load(transformed, document, warehouse.capabilities.max_identifier, all_bad)


def _fill_in(report: LoadReport, warehouse: Warehouse, transformed: dict[str, Any], bad: int) -> None:
    """The rows of a load that was committed before its process died: all of those transformed, or it would be none."""
    rows = counts.rows_by_table(transformed, warehouse.capabilities.max_identifier)
    if bad:
        rows["bad_rows"] = bad
    report.tables = [TableLoad(f"{warehouse.schema}.{table}", count) for table, count in rows.items()]


# --- small things ---------------------------------------------------------------------------------------------------


@contextmanager
def _one_executor(settings: RunSettings, entry: Entry) -> Iterator[OpenExecutor]:
    """What opens the executor of all steps: with the first that asks for it, closed after the last."""
    with ExitStack() as stack:
        opened: list[WorkerPool] = []

        @contextmanager
        def open_one() -> Iterator[WorkerPool]:
            if not opened:
                app = f"snowetl run {entry.id}"
                opened.append(stack.enter_context(open_pool(settings.master, settings.workers, app)))
            yield opened[0]

        yield open_one


def _files(folder: str) -> list[FileInfo]:
    fs = filesystem(folder)
    return fs.list(folder) if fs.exists(folder) else []


def _now() -> int:
    return time.time_ns() // 1_000_000
