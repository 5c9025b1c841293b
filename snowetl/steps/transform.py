"""The transform job: enriched runs in, folders of rows that a warehouse can load out, each with its message last.

:func:`prepare` checks everything and writes nothing; :func:`execute` runs what was prepared, one run after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from snowetl.dedupe.decide import Decided, Request
from snowetl.errors import ConfigError, NothingToDo, SnowetlError, UsageError
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext
from snowetl.reporting.transform import transform_report
from snowetl.runs.lease import Lease
from snowetl.runs.run import Run, absolute, run_id
from snowetl.steps.settings import TransformSettings
from snowetl.steps.transform_split import TransformSplitReport
from snowetl.steps.transform_task import KeysTask, SchemasTask, TransformConfig, TransformTask, type_of
from snowetl.storage import FileInfo, filesystem, splits
from snowetl.transform.columns import DUPLICATE, atomic_lengths
from snowetl.transform.discovery import incomplete, run_time, unprocessed
from snowetl.transform.event import CONTEXTS
from snowetl.transform.message import FILE_NAME, Completed, shredding_complete
from snowetl.transform.rows import SchemaType
from snowetl.transform.transformer import SHRED, WIDE_PARQUET
from snowetl.version import __version__
from snowetl.workers import Advance, Pickled, Work, WorkerPool

PROCESSOR = ("snowetl", __version__)
_COMPRESSIONS = {"gzip": "GZIP", "none": "NONE"}
_SCRATCH = "_decisions"
_THREADS = 16


@dataclass(frozen=True, slots=True)
class FolderRun(Run):
    """A run whose id is the name of its folder, ``run=`` included."""

    @property
    def folders(self) -> list[str]:
        return [f"{output.rstrip('/')}/{self.id}" for output in self.outputs]

    @property
    def folder(self) -> str:
        return self.folders[0]

    @property
    def message_url(self) -> str:
        return f"{self.folder}/{FILE_NAME}"

    def is_complete(self) -> bool:
        return filesystem(self.message_url).exists(self.message_url)

    def has_files(self) -> bool:
        """Whether anything of it is there."""
        try:
            return bool(filesystem(self.folder).list(self.folder))
        except UsageError:  # there is no such folder
            return False


@dataclass(frozen=True, slots=True)
class Batch:
    """One run to transform: where from, where to, in which pieces."""

    run: FolderRun
    source: str
    files: list[FileInfo]
    work: list[Work]

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.work)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that is ready to run.

    ``unfinished`` are input runs whose enrichment has not ended: they wait. ``redone`` are those of the batches that
    were begun before and not completed.
    """

    settings: TransformSettings
    resolver: ResolverConfig
    batches: list[Batch]
    done: list[FolderRun]
    unfinished: list[str]
    redone: list[str]

    @property
    def bytes(self) -> int:
        """Input bytes to go through, twice where the batch is read twice."""
        return sum(batch.bytes for batch in self.batches) * (2 if self.settings.reads_twice else 1)


# --- prepare --------------------------------------------------------------------------------------------------------


def prepare(settings: TransformSettings, now: datetime | None = None) -> Prepared:
    """Check the settings, find the runs that are not transformed yet, cut them into splits.

    Raises :class:`UsageError` (``ConfigError``), :class:`NothingToDo` or :class:`StorageError`.
    """
    _check(settings)
    resolver = ResolverConfig.load(settings.iglu_config)
    source, output = absolute(settings.input_folder).rstrip("/"), absolute(settings.output_folder).rstrip("/")
    if (output + "/").startswith(source + "/"):
        raise UsageError(f"the output folder {output} lies in the input folder {source}: give another folder")
    files = _files_by_run(source, settings, now or datetime.now(UTC))
    runs = {name: FolderRun(name, (output,)) for name in files}
    complete = _which(runs.values(), FolderRun.is_complete)
    waiting = unprocessed(list(files), complete)
    unfinished = [name for name in waiting if _is_unfinished(source, name)]
    ready = unprocessed(waiting, unfinished)
    if not ready and not complete:
        reason = f"{unfinished[0]} is still being enriched" if unfinished else f"no run in {settings.input_folder}"
        raise NothingToDo(f"there is nothing to transform: {reason}")
    begun = _which([runs[name] for name in ready], FolderRun.has_files)
    return Prepared(
        settings,
        resolver,
        batches=[_batch(runs[name], files[name], settings) for name in ready],
        done=[runs[name] for name in complete],
        unfinished=unfinished,
        redone=incomplete(ready, begun, complete),
    )


def _which(runs: Iterable[FolderRun], holds: Callable[[FolderRun], bool]) -> list[str]:
    """Names of the runs for which something holds. The storage is asked about many at once."""
    every = list(runs)
    with ThreadPoolExecutor(_THREADS) as pool:
        return [run.id for run, yes in zip(every, pool.map(holds, every), strict=True) if yes]


def _check(settings: TransformSettings) -> None:
    """Raises ``ConfigError`` for settings that do not go together, or that name what is not there."""
    if settings.legacy_message_format and settings.transformation != SHRED:
        raise ConfigError("--legacy-message-format is for shredded runs only: leave it out")
    _ = settings.deduplication, settings.manifest, settings.formats, settings.oldest, settings.announcement


def _files_by_run(source: str, settings: TransformSettings, now: datetime) -> dict[str, list[FileInfo]]:
    """Files of all wanted runs of the input, by folder name."""
    last = source.rpartition("/")[2]
    fs = filesystem(source)
    if last.startswith("run="):
        return {last: fs.list(source)}
    files = fs.list(source)
    by_name: dict[str, list[FileInfo]] = {}
    for file in files:
        name, slash, _ = file.url.removeprefix(source).lstrip("/").partition("/")
        by_name.setdefault(name if slash else "", []).append(file)
    if not any(name.startswith("run=") for name in by_name):
        return {f"run={settings.run_id or run_id(int(now.timestamp() * 1000))}": files} if files else {}
    by_name.pop("", None)
    return {name: by_name[name] for name in settings.interval.select(by_name, now)}


def _is_unfinished(source: str, name: str) -> bool:
    """Whether our own enrich job is at work on an input run, or died over it: its lock is there, its report is not."""
    if not name.startswith("run="):
        return False
    base = source.removesuffix(f"/{name}")
    enriched = Run(name.removeprefix("run="), (base,))
    fs = filesystem(base)
    return fs.exists(enriched.lock_url) and not fs.exists(enriched.report_url)


def _batch(run: FolderRun, files: list[FileInfo], settings: TransformSettings) -> Batch:
    source = settings.input_folder
    plan = splits.plan(files, binary=False, target_bytes=settings.split_size, fs=filesystem(absolute(source)))
    sizes = {file.url: file.size for file in files}
    work = [
        Work(split, sum((sizes[part.url] if part.end is None else part.end) - part.start for part in split.parts))
        for split in plan
    ]
    return Batch(run, source, files, sorted(work, key=lambda item: -item.bytes))


# --- execute --------------------------------------------------------------------------------------------------------


def execute(
    prepared: Prepared,
    open_workers: Callable[[], AbstractContextManager[WorkerPool]],
    advance: Advance,
    told: Callable[[dict[str, Any]], None] = lambda report: None,
) -> list[dict[str, Any]]:
    """Transform all runs and return their reports; ``told`` hears each as soon as its run is sealed.

    A run that fails publishes nothing; those before it stay. Raises ``RegistryUnavailable``, ``OutputExists`` (another
    job has the run), ``StorageError``, and :class:`SnowetlError` when a schema Parquet needs is not to be had.
    """
    reports: list[dict[str, Any]] = []
    if not prepared.batches:
        return reports
    storage = prepared.settings.manifest
    if storage is not None:
        with storage.open() as manifest:
            manifest.check()
    with open_workers() as workers:
        for batch in prepared.batches:
            reports.append(_transform(batch, prepared, workers, advance))
            told(reports[-1])
    return reports


def _transform(batch: Batch, prepared: Prepared, workers: WorkerPool, advance: Advance) -> dict[str, Any]:
    run, started = batch.run, _now()
    with Lease(run.lock_url) as lease:
        report = run.report()
        if report is None:
            run.wipe()
            try:
                reports = _work(batch, prepared, workers, advance, started)
                lease.check()
                _publish(reports)
                report = _report(batch, prepared, reports, started)
                run.finish(report)
            except BaseException:
                with suppress(SnowetlError):  # what stopped the job says more than what stops the cleaning
                    if lease.is_ours():
                        run.wipe()
                raise
            with suppress(SnowetlError):  # what is left behind is invisible
                run.sweep()
        if not run.is_complete():
            _seal(run, report, prepared.settings)
        return report


def _work(
    batch: Batch, prepared: Prepared, workers: WorkerPool, advance: Advance, started: int
) -> list[TransformSplitReport]:
    if not batch.work:
        return []
    settings = prepared.settings
    config = _config(batch, prepared, started)
    scratch = f"{batch.run.folder}/{_SCRATCH}"
    decided = _decide(batch, config, settings, workers, advance, scratch) if settings.reads_twice else Decided()
    types = frozenset(map(type_of, decided.tags))
    if settings.transformation == WIDE_PARQUET and settings.deduplication.finds_synthetic:
        types |= {SchemaType(DUPLICATE, CONTEXTS)}
    config = replace(config, types=types)
    config.transformer()  # a schema that is not to be had stops the run before its work starts
    task = TransformTask(
        Pickled.of(config), batch.run.folder, _part_run(batch.run), settings.compression, scratch, decided.splits
    )
    reports = list(workers.run(task, batch.work, advance))
    filesystem(scratch).delete_tree(scratch)
    return sorted(reports, key=lambda report: report.index)


def _config(batch: Batch, prepared: Prepared, started: int) -> TransformConfig:
    settings = prepared.settings
    time_ = run_time(batch.run.id)
    config = TransformConfig(
        kind=settings.transformation,
        resolver=prepared.resolver,
        processor=PROCESSOR,
        now=started if time_ is None else int(time_.timestamp() * 1000),
        formats=settings.formats,
        target=settings.rows_for,
        minimum_timestamp=settings.oldest,
        on_registry_failure=settings.on_registry_failure,
    )
    return replace(config, max_lengths=atomic_lengths(config.client())) if settings.truncate_atomic_fields else config


def _decide(
    batch: Batch,
    config: TransformConfig,
    settings: TransformSettings,
    workers: WorkerPool,
    advance: Advance,
    scratch: str,
) -> Decided:
    """Read the batch once: which events are duplicates, which schemas are met."""
    parses = Pickled.of(replace(config, kind=SHRED))
    if not settings.deduplicates:
        return Decided(tags=frozenset(workers.distinct(SchemasTask(parses), batch.work, advance)))
    request = Request(
        settings.deduplication,
        settings.manifest,
        config.now // 1000,
        scratch,
        with_tags=settings.transformation == WIDE_PARQUET,
    )
    return workers.deduplicate(KeysTask(parses), batch.work, request, advance)


def _part_run(run: FolderRun) -> str:
    """What names the parts of a run: its id, as the parts of the enriched run are named."""
    return run.id.removeprefix("run=")


def _publish(reports: Sequence[TransformSplitReport]) -> None:
    """Commit the parts of the attempts that count. A part of any other attempt stays invisible, and is swept."""
    parts = [table.part for report in reports for table in report.tables]
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(lambda part: filesystem(part.url).commit(part.token), parts):
            pass


def _report(batch: Batch, prepared: Prepared, reports: Sequence[TransformSplitReport], started: int) -> dict[str, Any]:
    settings = prepared.settings
    about = {
        "inputFolder": batch.source,
        "outputFolder": batch.run.folder,
        "transformation": settings.transformation,
        "target": settings.rows_for,
        "defaultFormat": settings.formats.default,
        "deduplication": {
            "natural": settings.deduplication.natural,
            "synthetic": settings.deduplication.synthetic,
            "cardinality": settings.deduplication.cardinality,
            "crossBatch": settings.manifest is not None,
        },
        "compression": settings.compression,
    }
    return transform_report(
        reports,
        run=_part_run(batch.run),
        version=__version__,
        settings=about,
        inputs={"files": len(batch.files), "bytes": batch.bytes},
        started=started,
        finished=_now(),
    )


def _seal(run: FolderRun, report: dict[str, Any], settings: TransformSettings) -> None:
    """Announce the run, then leave the same message in its folder: from here on it is never redone."""
    completed = Completed(
        base=f"{run.folder}/",
        types=frozenset(SchemaType(type_["schemaKey"], type_["column"]) for type_ in report["types"]),
        started=report["started"],
        completed=report["finished"],
        first=report["firstCollectorTstamp"],
        last=report["lastCollectorTstamp"],
        compression=_COMPRESSIONS[settings.compression],
        processor={"artifact": PROCESSOR[0], "version": PROCESSOR[1]},
        good=report["events"],
        bad=sum(report["badRows"].values()),
        target=settings.rows_for,
        tables=report["tables"],
    )
    legacy = settings.legacy_message_format
    text = jsontext.dumps(shredding_complete(completed, settings.transformation, settings.formats, legacy))
    queue = settings.announcement
    if queue is not None:
        queue.send(text)
    filesystem(run.message_url).put(run.message_url, text.encode("utf-8"))


def _now() -> int:
    return time.time_ns() // 1_000_000
