"""The transform step: enriched runs in, folders of rows that a warehouse can load out, each with its message last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from snowetl.dedupe.decide import Decided, Request
from snowetl.errors import StorageError
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext
from snowetl.reporting.json_form import to_json
from snowetl.reporting.parts import times
from snowetl.reporting.transform import TransformReport, TransformTotals
from snowetl.steps import bad_share, registries
from snowetl.steps.base import Watch, World
from snowetl.steps.lifecycle import carry_out, read_report, tidy
from snowetl.steps.settings import TransformSettings
from snowetl.steps.transform_plan import Batch, FolderRun, TransformPlan, plan_transform
from snowetl.steps.transform_task import KeysTask, SchemasTask, TransformConfig, TransformTask, type_of
from snowetl.storage import filesystem
from snowetl.transform.columns import DUPLICATE, atomic_lengths
from snowetl.transform.discovery import run_time
from snowetl.transform.event import CONTEXTS
from snowetl.transform.message import Completed, shredding_complete
from snowetl.transform.rows import SchemaType
from snowetl.transform.transformer import SHRED, WIDE_PARQUET
from snowetl.version import __version__
from snowetl.workers import Advance, Pickled, WorkerPool

PROCESSOR = ("snowetl", __version__)
_COMPRESSIONS = {"gzip": "GZIP", "none": "NONE"}
_SCRATCH = "_decisions"


class Transform:
    """Enriched events to rows of tables, or to wide rows."""

    name: ClassVar[str] = "transform"

    def plan(self, settings: TransformSettings, world: World) -> TransformPlan:
        """See :func:`plan_transform`."""
        return plan_transform(settings, world)

    def dry_run(self, plan: TransformPlan, watch: Watch) -> None:
        """Tell which runs would be transformed; everything else was checked for the plan."""
        if plan.batches:
            watch.planned(plan)

    def execute(self, plan: TransformPlan, workers: WorkerPool, watch: Watch) -> list[TransformReport]:
        """Transform the runs that are not done, one after the other.

        A run that fails publishes nothing; those before it stay. Raises ``RegistryUnavailable``, ``OutputExists``
        (another job has the run), ``StorageError``, ``SnowetlError`` where Parquet needs a schema that cannot be read,
        and ``TooManyBadRows``.
        """
        reports: list[TransformReport] = []
        for text in (*plan.other, *plan.misread):
            watch.warn(text)
        for run in plan.done[-1:]:  # the one that a killed job had just done
            tidy(run)
        storage = plan.settings.event_manifest if plan.batches else None
        if storage is not None:
            with storage.open() as manifest:
                manifest.check()
        if plan.batches:
            with watch.progress(plan.bytes, Transform.name) as advance:
                for batch in plan.batches:
                    reports.append(_transform(batch, workers, advance))
                    watch.done(reports[-1])
        for report in reports:
            bad_share.judge(report, plan.settings.max_bad, watch)
        return reports

    def reports(self, done: Iterable[FolderRun]) -> list[TransformReport]:
        """The reports of runs that are complete. Raises ``StorageError`` where one is gone."""
        return [_report_of(run) for run in done]


def _report_of(run: FolderRun) -> TransformReport:
    report = read_report(run, TransformReport)
    if report is None:
        raise StorageError(f"{run.folder} is complete, but its report is gone. Delete that folder, and run again")
    return report


def _transform(batch: Batch, workers: WorkerPool, advance: Advance) -> TransformReport:
    run, started = batch.run, World.of_now().now

    def work() -> TransformTotals:
        return _work(batch, workers, advance, started)

    def report_of(totals: TransformTotals) -> TransformReport:
        return totals.report(
            files=len(batch.files),
            size=batch.bytes,
            run_identity=batch.identity,
            run=part_run(run),
            of_failed_events=batch.settings.failed_events or None,
            settings=_about(batch),
            fingerprint=batch.fingerprint.to_json(),
            **times(started, World.of_now().now),
        )

    def seal(report: TransformReport) -> None:
        if not run.is_complete():
            _seal(run, report, batch.settings)

    return carry_out(run, batch, TransformReport, work, report_of, seal)


def _work(batch: Batch, workers: WorkerPool, advance: Advance, started: int) -> TransformTotals:
    totals = TransformTotals()
    if not batch.work:
        return totals
    settings = batch.settings
    config = config_of(batch, started)
    scratch = f"{batch.run.folder}/{_SCRATCH}"
    decided = _decide(batch, config, workers, advance, scratch) if settings.reads_twice else Decided()
    types = frozenset(map(type_of, decided.tags))
    if settings.transformation == WIDE_PARQUET and settings.deduplication.finds_synthetic:
        types |= {SchemaType(DUPLICATE, CONTEXTS)}
    config = replace(config, types=types)
    config.transformer()  # a schema that cannot be read stops the run before its work starts
    task = TransformTask(
        Pickled.of(config),
        batch.run.folder,
        part_run(batch.run),
        settings.compression,
        scratch,
        registries.folders(config.resolver),
    )
    for split in workers.run(task, batch.work.noting(decided.splits), advance):
        totals.add(split)
    filesystem(scratch).delete_tree(scratch)
    return totals


def config_of(batch: Batch, started: int) -> TransformConfig:
    """What transformers of the run are made from. ``started``, epoch milliseconds, is the time of a run without one."""
    settings = batch.settings
    time_ = run_time(batch.run.id)
    config = TransformConfig(
        transformation=settings.transformation,
        resolver=ResolverConfig.load(settings.iglu_config),
        processor=PROCESSOR,
        now=started if time_ is None else int(time_.timestamp() * 1000),
        formats=settings.formats,
        target=settings.rows_for,
        minimum_timestamp=settings.oldest,
        on_registry_failure=settings.on_registry_failure,
        recovery=settings.recovery,
    )
    return replace(config, max_lengths=atomic_lengths(config.client())) if settings.truncate_atomic_fields else config


def _decide(batch: Batch, config: TransformConfig, workers: WorkerPool, advance: Advance, scratch: str) -> Decided:
    """Read the batch once: which events are duplicates, which schemas are met."""
    settings = batch.settings
    parses = Pickled.of(replace(config, transformation=SHRED))
    schemas = registries.folders(config.resolver)
    if not settings.deduplicates:
        return Decided(tags=frozenset(workers.distinct(SchemasTask(parses, schemas), batch.work, advance)))
    request = Request(
        settings.deduplication,
        settings.event_manifest,
        config.now // 1000,
        scratch,
        with_tags=settings.transformation == WIDE_PARQUET,
    )
    return workers.deduplicate(KeysTask(parses, schemas, request.with_tags), batch.work, request, advance)


def part_run(run: FolderRun) -> str:
    """What names the parts of a run: its id, as the parts of the enriched run are named."""
    return run.id.removeprefix("run=")


def _about(batch: Batch) -> dict[str, Any]:
    """What the run is made from, for people."""
    settings = batch.settings
    return {
        "inputFolder": settings.input_folder,
        "outputFolder": batch.run.folder,
        "transformation": settings.transformation,
        "target": settings.rows_for,
        "defaultFormat": settings.formats.default,
        "deduplication": {
            "natural": settings.deduplication.natural,
            "synthetic": settings.deduplication.synthetic,
            "cardinality": settings.deduplication.cardinality,
            "crossBatch": settings.event_manifest is not None,
        },
        "compression": settings.compression,
    }


def _seal(run: FolderRun, report: TransformReport, settings: TransformSettings) -> None:
    """Announce the run, then leave the same message in its folder: from here on it is never redone."""
    completed = Completed(
        base=f"{run.folder}/",
        types=frozenset(SchemaType(type_.schema_key, type_.column) for type_ in report.types),
        started=report.started,
        completed=report.finished,
        first=report.first_collector_tstamp,
        last=report.last_collector_tstamp,
        compression=_COMPRESSIONS[settings.compression],
        processor={"artifact": PROCESSOR[0], "version": PROCESSOR[1]},
        good=report.events,
        bad=sum(report.bad_rows.values()),
        target=settings.rows_for,
        tables=to_json(report.tables),
        failed_events=settings.failed_events,
    )
    legacy = settings.legacy_message_format
    text = jsontext.dumps(shredding_complete(completed, settings.transformation, settings.formats, legacy))
    queue = settings.announcement
    if queue is not None:
        queue.send(text)
    filesystem(run.message_url).put(run.message_url, text.encode("utf-8"))
