"""One run, from raw logs to tables: the steps in their order, with one pool of workers and one report.

Each step leaves its result under the run, then its own report: a step whose report is there is done and is not done
again, one without is wiped and redone; the load is one transaction that the warehouse remembers. So a run that was
killed at any moment is finished by running it again, with the settings it was begun with.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from snowetl.errors import OutputExists, SnowetlError, StorageError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import timestamps
from snowetl.load import bad_rows
from snowetl.load.engine import RunLoader
from snowetl.load.preflight import check_target
from snowetl.load.report import LoadReport, TableLoad, save
from snowetl.load.run import read_run
from snowetl.load.schemas import RegistrySchemas
from snowetl.load.warehouse import Warehouse
from snowetl.orchestrator import counts, ledger
from snowetl.orchestrator.ledger import Entry
from snowetl.orchestrator.settings import STEPS, RunSettings
from snowetl.reporting.enrich import EnrichReport
from snowetl.reporting.transform import TransformReport
from snowetl.runs.lease import Lease
from snowetl.runs.run import Run, run_id
from snowetl.runs.writable import check_writable
from snowetl.settings.words import count
from snowetl.steps.base import Numbered, Unwatched, Watch, World
from snowetl.steps.enrich import EnrichPlan
from snowetl.steps.table import ENRICH, TRANSFORM
from snowetl.steps.transform_plan import FolderRun
from snowetl.storage import FileInfo, filesystem
from snowetl.version import __version__
from snowetl.workers import WorkerPool, open_pool

FORMAT = "snowetl-run-report/1"


def run(settings: RunSettings, watch: Watch | None = None) -> dict[str, Any]:
    """Do what is left of a run, and return its report (``steps`` holds those of its steps).

    Raises ``UsageError`` (``ConfigError``; ``OutputExists`` where it was begun or done with other settings),
    ``NothingToDo``, ``StorageError``, ``RegistryUnavailable``, ``LoadError``, ``TooManyBadRows``: what was done until
    then stays, the rest is done the next time.
    """
    watch = watch or Unwatched()
    if "load" in settings.steps:
        check_target(settings.target, watch.say)
    entry = choose(settings)
    report = _done(entry, settings)
    if report is not None:
        entry.tidy()
        watch.say(f"run={entry.id} is done already: {entry.page_url}")
        return report
    check_writable(settings.written_folders)
    with Lease(entry.lock_url):
        if settings.redo_from is not None:
            _discard(settings, entry, watch)
        report = _done(entry, settings)  # another process may have finished it since we looked
        return report if report is not None else _Run(settings, entry, watch).finish()


def dry_run(settings: RunSettings, watch: Watch) -> None:
    """Check what :func:`run` would meet before it writes; ``watch.planned`` hears the plan of the enrich step."""
    if "load" in settings.steps:
        check_target(settings.target, watch.say)
    entry = choose(settings)
    plan = ENRICH.plan(settings.enrich_settings(entry.id), World.of_now())
    if plan.done is None:
        ENRICH.dry_run(plan, watch)
    else:
        watch.planned(plan)


def choose(settings: RunSettings) -> Entry:
    """The run that is meant: the one named, else one that waits or has done these very files, else a new one.

    Raises :class:`OutputExists` if it was begun or done with other settings, unless ``redo_from`` is given.
    """
    entry = _chosen(settings)
    if settings.redo_from is None:
        entry.check(settings)
    return entry


def _chosen(settings: RunSettings) -> Entry:
    if settings.given_id is not None:
        return Entry(settings.given_id, settings.runs_folder)
    if settings.redo_from is not None:
        raise OutputExists("--redo-from: which run? Give its --run-id")
    waits = ledger.waiting(settings)
    if waits is not None:
        return waits
    world = World.of_now()
    new = Entry(run_id(world.now), settings.runs_folder)
    files = ENRICH.plan(settings.enrich_settings(new.id), world).files
    return ledger.same_files(settings, files) or new


def _done(entry: Entry, settings: RunSettings) -> dict[str, Any] | None:
    """The report of a run that is done; ``None`` where it waits, or the load has something left to do."""
    report = entry.report() if settings.redo_from is None else None
    return None if report is None or ("load" in settings.steps and _is_load_left(report, settings)) else report


def _is_load_left(report: dict[str, Any], settings: RunSettings) -> bool:
    """Whether a run that is done was loaded into another warehouse than this, or without its bad rows."""
    target = settings.target
    if report.get("target") not in (None, str(target)):
        return True
    if not (settings.load_bad_rows and target.capabilities.bad_rows_table):
        return False
    enriched, transformed, *loads = report["steps"]
    bad = counts.bad_rows(enriched) + counts.bad_rows(transformed)
    return bad > 0 and not any(
        table["table"].endswith(f".{bad_rows.TABLE}") for load in loads for table in load["tables"]
    )


def _discard(settings: RunSettings, entry: Entry, watch: Watch) -> None:
    """Throw away what the steps from ``redo_from`` on have left. Raises :class:`OutputExists` where it is loaded."""
    transformed = FolderRun(f"run={entry.id}", (settings.about()["transformedFolder"],))
    report = f"{transformed.folder}/_load_report.json"
    if "load" in settings.steps and (entry.is_done() or filesystem(report).exists(report)):
        raise OutputExists(
            f"run={entry.id} is loaded: done again, its rows would be in the warehouse as they were. Delete them there "
            f"(all tables, by the event ids of the run, and the run in the manifest) and {transformed.folder} and "
            f"{entry.folder}, or do it in another --output-folder with another --schema"
        )
    about = settings.about()
    enriched = Run(entry.id, (about["enrichedFolder"], about["badFolder"]))
    for name, step_run in (("enrich", enriched), ("transform", transformed)):
        if STEPS.index(name) >= STEPS.index(settings.redo_from or "load"):
            watch.say(f"{name}: done again, {step_run.folders[0]} is thrown away")
            step_run.wipe()
    filesystem(entry.folder).delete_tree(entry.folder)


@dataclass(slots=True)
class _Run:
    """A run in the making."""

    settings: RunSettings
    entry: Entry
    watch: Watch

    def finish(self) -> dict[str, Any]:
        """Do all steps that are not done, and leave the report."""
        settings, entry, watch = self.settings, self.entry, self.watch
        started, world = _now(), World.of_now()
        plan = ENRICH.plan(settings.enrich_settings(entry.id), world)
        if plan.done is None or entry.plan() is None or settings.redo_from is not None:
            entry.begin(settings, plan.files if plan.done is None else None)
        app = f"snowetl run {entry.id}"
        size = None if plan.done is not None else plan.bytes
        with open_pool(settings.master, settings.workers, app, input_bytes=size, say=watch.say) as workers:
            enriched = self._enrich(plan, workers)
            transformed, folder = self._transform(world, workers)
        self._check_counts(enriched, transformed, folder)
        steps, differences = [enriched.to_json(), transformed.to_json()], list[str]()
        if "load" in settings.steps:
            loaded, differences = _load(settings, entry, folder, steps[0], steps[1], self._watch_of("load"))
            steps.append(loaded)
        finished = _now()
        report = {
            "format": FORMAT,
            "run": entry.id,
            "snowetl": __version__,
            "started": timestamps.to_iso(started),
            "finished": timestamps.to_iso(finished),
            "seconds": (finished - started) / 1000,
            "settings": settings.about(),
            "fingerprint": settings.fingerprint().to_json(),
            "target": str(settings.target) if "load" in settings.steps else None,
            "runIdentity": transformed.run_identity,
            "counts": [[line.name, line.number, line.level] for line in counts.table_of(steps)],
            "differences": differences,
            "steps": steps,
        }
        entry.finish(report)
        return report

    def _enrich(self, plan: EnrichPlan, workers: WorkerPool) -> EnrichReport:
        watch = self._watch_of(ENRICH.name)
        if plan.done is not None:
            watch.say(f"enrich: done already, {plan.run.folders[0]}")
        else:
            watch.say(f"enrich: {count(len(plan.files), 'file')} in {count(len(plan.work), 'task')}")
        [report] = ENRICH.execute(plan, workers, watch)
        return report

    def _transform(self, world: World, workers: WorkerPool) -> tuple[TransformReport, str]:
        """The report of the transform, and the folder of its run."""
        watch = self._watch_of(TRANSFORM.name)
        plan = TRANSFORM.plan(self.settings.transform_settings(self.entry.id), world)
        for done in plan.done:
            watch.say(f"transform: done already, {done.folder}")
        for batch in plan.batches:
            watch.say(f"transform: {count(len(batch.files), 'file')} in {count(len(batch.work), 'task')}")
        [report] = TRANSFORM.execute(plan, workers, watch) or TRANSFORM.reports(plan.done)
        return report, (plan.done or [batch.run for batch in plan.batches])[0].folder

    def _watch_of(self, step: str) -> Watch:
        """A watch that says which step of how many it hears of."""
        return Numbered(self.watch, f"{self.settings.steps.index(step) + 1}/{len(self.settings.steps)}")

    def _check_counts(self, enriched: EnrichReport, transformed: TransformReport, folder: str) -> None:
        differences = counts.before_load(enriched.to_json(), transformed.to_json())
        if differences:
            raise SnowetlError(
                f"run={self.entry.id}: the counts do not add up ({'; '.join(differences)}): somebody has changed its "
                f"files. Delete {self.settings.about()['enrichedFolder']}/run={self.entry.id} and "
                f"{folder}, and run again"
            )


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
        report = RunLoader(warehouse, schemas, warn=watch.say).load(run_, bad)
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


def _files(folder: str) -> list[FileInfo]:
    fs = filesystem(folder)
    return fs.list(folder) if fs.exists(folder) else []


def _now() -> int:
    return time.time_ns() // 1_000_000
