"""The enrich step: raw collector logs in, one run of enriched events, bad rows and, if wanted, failed events out.

Once a plan is made nothing is left to go wrong by mistake: only storage, registries and machines can still fail, and
then nothing is published.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar

from snowetl.collector import format_of
from snowetl.enrich.config import EnrichConfig
from snowetl.errors import NothingToDo, UsageError
from snowetl.reporting.enrich import AssetReport, EnrichReport, EnrichTotals
from snowetl.reporting.parts import times
from snowetl.runs import input_list
from snowetl.runs.identity import run_identity
from snowetl.runs.parts import Part, part_name
from snowetl.runs.run import Run, absolute, run_id, run_start, split_run_folder
from snowetl.runs.scratch import scratch_folder
from snowetl.settings import Fingerprint
from snowetl.settings.kinds import canonical_location
from snowetl.settings.words import count
from snowetl.spool import Spool, sorted_spool
from snowetl.steps import assets, bad_share, flat_parquet
from snowetl.steps.base import Watch, World
from snowetl.steps.cut import Cut, OfCut, cut_input
from snowetl.steps.enrich_split import PARQUET, Output
from snowetl.steps.enrich_task import EnrichTask
from snowetl.steps.input_format import check_format, undelivered
from snowetl.steps.lifecycle import carry_out, done_report, publish, tidy
from snowetl.steps.lookup_pass import LookupPass
from snowetl.steps.settings import EnrichSettings
from snowetl.storage import FileInfo, filesystem
from snowetl.storage.splits import Ignored
from snowetl.version import __version__
from snowetl.workers import WorkerPool

PROCESSOR = ("snowetl", __version__)
FORMAT = "snowetl-enrich-plan/2"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichPlan(OfCut):
    """A run to be enriched: its input, file by file, cut into work. One that is ``done`` already has no work."""

    settings: EnrichSettings
    run: Run
    etl_tstamp: int
    """Epoch milliseconds."""
    fingerprint: Fingerprint
    cut: Cut = field(default_factory=Cut)
    misread: list[str] = field(default_factory=list)
    """Files that look like another format than was given, in words. Their records become bad rows."""
    done: EnrichReport | None = None

    @property
    def ignored(self) -> Sequence[Ignored]:
        return self.cut.ignored

    def describe(self) -> str:
        """What is going to be done, in a few words."""
        if self.done is not None:
            return f"done already, {self.run.folders[0]}"
        return f"{count(len(self.files), 'file')} in {count(len(self.work), 'task')}"

    def config(self) -> EnrichConfig:
        """What the enricher is built from. Raises ``ConfigError``, ``RegistryUnavailable``."""
        return self.settings.enrich_config(self.etl_tstamp)

    def about(self) -> dict[str, Any]:
        """What the run is made from, for people."""
        output, bad, *failed = self.run.folders
        return {
            "inputFolder": [absolute(folder) for folder in self.settings.input_folder],
            "inputFormat": self.settings.input_format,
            "outputFolder": output,
            "badFolder": bad,
            **({"failedFolder": failed[0]} if failed else {}),
            "etlTimestamp": self.etl_tstamp,
        }

    def to_json(self) -> dict[str, Any]:
        """The plan without secrets (they stand there as names of environment variables), and without its work."""
        return {
            "format": FORMAT,
            "step": Enrich.name,
            "run": self.run.id,
            "outputs": list(self.run.outputs),
            "etlTimestamp": self.etl_tstamp,
            "settings": self.settings.to_json(),
            "fingerprint": self.fingerprint.to_json(),
            "files": len(self.files),
            "bytes": self.bytes,
            "ignored": len(self.ignored),
            "splits": len(self.work),
            "misread": self.misread,
        }

    @classmethod
    def from_json(
        cls, document: Mapping[str, Any], work: Iterable[object], environment: Mapping[str, str] | None = None
    ) -> EnrichPlan:
        """The plan that ``to_json`` and ``work_lines`` gave; ``environment`` holds the secrets.

        Raises ``ConfigError``.
        """
        return cls(
            settings=EnrichSettings.from_mapping(document["settings"], environment),
            run=Run(document["run"], tuple(document["outputs"])),
            etl_tstamp=document["etlTimestamp"],
            fingerprint=Fingerprint.from_json(document["fingerprint"]),
            cut=Cut.of_lines(work),
            misread=list(document["misread"]),
        )


class Enrich:
    """Raw logs to enriched events and bad rows."""

    name: ClassVar[str] = "enrich"

    def plan(self, settings: EnrichSettings, world: World, given: Iterable[FileInfo] | None = None) -> EnrichPlan:
        """Check the settings, list the input (unless its files are ``given``), cut it into splits.

        Raises :class:`UsageError` (``ConfigError``; ``OutputExists`` for a run that was done with other settings),
        :class:`NothingToDo` or :class:`StorageError`.
        """
        run, etl_tstamp = _name_run(settings, world)
        part_name(0, run.id, settings.compression)
        config = settings.enrich_config(etl_tstamp)
        plan = EnrichPlan(settings=settings, run=run, etl_tstamp=etl_tstamp, fingerprint=settings.fingerprint())
        done = done_report(run, EnrichReport, plan.fingerprint)
        if done is not None:
            return replace(plan, done=done)
        loader = format_of(settings.input_format)
        cut = cut_input(
            _list(settings) if given is None else given,
            split_size=settings.split_size,
            binary=loader.binary,
            text=loader.text,
        )
        if not cut.work:
            raise _nothing_to_do(settings, cut.ignored)
        misread = check_format(cut, config, settings.check_input)
        return replace(plan, cut=cut, misread=misread)

    def dry_run(self, plan: EnrichPlan, watch: Watch) -> None:
        """Fetch the files that enrichments read and build an enricher, as :meth:`execute` does before it writes.

        Raises ``ConfigError`` or ``AssetError``.
        """
        with scratch_folder() as folder:
            _task(plan, folder)
        watch.planned(plan)

    def execute(self, plan: EnrichPlan, workers: WorkerPool, watch: Watch) -> list[EnrichReport]:
        """Enrich the run.

        Raises ``RegistryUnavailable``, ``AssetError``, ``LookupFailed``, ``OutputExists`` (another job has the run),
        ``StorageError``, and ``TooManyBadRows`` for a run that is done, but has more of them than ``max_bad`` allows.
        """
        for text in (*plan.misread, *undelivered(plan.ignored)):
            watch.warn(text)
        if plan.done is not None:
            tidy(plan.run)
        report = plan.done or _enrich(plan, workers, watch)
        watch.done(report)
        bad_share.judge(report, plan.settings.max_bad, watch)
        return [report]


def _enrich(plan: EnrichPlan, workers: WorkerPool, watch: Watch) -> EnrichReport:
    started = World.of_now().now
    with scratch_folder() as folder:
        task, read = _task(plan, folder)
        identity = run_identity(plan.run.id, plan.files)
        lookups = LookupPass(plan.config(), plan.run, f"{plan.fingerprint.digest} {identity}")

        def work() -> EnrichTotals:
            tables, made = lookups.make(workers, plan.work, folder, watch)
            totals = EnrichTotals(lookups=made, assets=read)
            with watch.progress(plan.bytes, Enrich.name) as advance:
                for split in workers.run(task.with_files(tables), plan.work, advance):
                    totals.add(split)
            if plan.settings.output_format == PARQUET:
                _flatten(plan, totals, workers)
            return totals

        def report_of(totals: EnrichTotals) -> EnrichReport:
            return totals.report(
                files=len(plan.files),
                ignored=len(plan.ignored),
                size=plan.bytes,
                run_identity=identity,
                failed_events=plan.settings.wants_failed_events,
                run=plan.run.id,
                settings=plan.about(),
                fingerprint=plan.fingerprint.with_files({asset.uri: asset.sha256 for asset in read}).to_json(),
                **times(started, World.of_now().now),
            )

        return carry_out(plan.run, plan, EnrichReport, work, report_of)


def _flatten(plan: EnrichPlan, totals: EnrichTotals, workers: WorkerPool) -> None:
    """Turn the lines that were written into Parquet. They are published for it, in folders that nobody reads."""
    run, settings, config = plan.run, plan.settings, plan.config()
    output, bad, *failed = run.folders
    publish(part for part in totals.parts if _is_line_part(part))
    totals.parts = Spool(part for part in totals.parts if not _is_line_part(part))
    good, *rest = (
        flat_parquet.flatten(folder, bad, run.id, config, settings.compression, workers, settings.split_size)
        for folder in (output, *failed)
    )
    totals.flatten(good, rest[0] if rest else ())


def _is_line_part(part: Part) -> bool:
    return part.url.rpartition("/")[0].endswith(f"/{flat_parquet.FOLDER}")


def _task(plan: EnrichPlan, folder: Path) -> tuple[EnrichTask, list[AssetReport]]:
    """What workers get, and which files they read.

    An enricher is built here first: a file it cannot read stops the job before Spark starts.
    """
    run, config = plan.run, plan.config()
    wanted = config.assets()
    files = assets.in_working_folder(wanted) if plan.settings.local else assets.fetch_all(wanted, folder)
    read = assets.reports(files)
    output, bad, *failed = run.folders
    form = plan.settings.output_format
    good, *other = (f"{folder}/{flat_parquet.FOLDER}" if form == PARQUET else folder for folder in (output, *failed))
    out = Output(good, bad, run.id, plan.settings.compression, other[0] if other else None, form)
    task = replace(EnrichTask.create(config, files, out), sums=tuple(one.sha256 for one in read))
    task.prepare()
    return task, read


def _name_run(settings: EnrichSettings, world: World) -> tuple[Run, int]:
    """The run, and its ETL timestamp in epoch ms."""
    given = {"output": settings.output_folder, "bad": settings.bad_folder, "failed": settings.failed_folder}
    split = {name: split_run_folder(absolute(folder)) for name, folder in given.items() if folder is not None}
    outputs = {name: folder for name, (folder, _) in split.items()}
    named = {id_ for id_ in (settings.run_id, *(id_ for _, id_ in split.values())) if id_ is not None}
    if len(named) > 1:
        raise UsageError(f"the run is named in two ways: {' and '.join(sorted(named))}. Name it once")
    start = named.pop() if named else None
    etl_tstamp = settings.etl_timestamp
    if start is None:
        start = run_id(world.now if etl_tstamp is None else etl_tstamp)
    if etl_tstamp is None:
        etl_tstamp = run_start(start)
    run_start(start)
    for (name, folder), (other, same) in combinations(outputs.items(), 2):
        if folder == same:
            raise UsageError(f"the {name} folder and the {other} folder are the same: {folder}. Give two folders")
    for source in settings.input_folder:
        _check_source(absolute(source), outputs)
    return Run(start, tuple(outputs.values())), etl_tstamp


def _check_source(source: str, outputs: Mapping[str, str]) -> None:
    base = source.rstrip("/") + "/"
    for name, folder in outputs.items():
        if (folder + "/").startswith(base):
            raise UsageError(
                f"the {name} folder {folder} lies in the input folder {source}: the next run would read it. "
                f"Give another folder"
            )


def _list(settings: EnrichSettings) -> Iterator[FileInfo]:
    """The files of all inputs, sorted by address: each once, also where inputs overlap or are spelled in two ways."""
    if settings.input_list is not None:
        return input_list.read(absolute(settings.input_list))
    return list_input(settings.input_folder)


def list_input(folders: Sequence[str]) -> Iterator[FileInfo]:
    """The files of several inputs, as they lie there now, sorted by address.

    Raises ``StorageError``, ``UsageError`` for an input that is not there.
    """
    found = [filesystem(folder).walk(folder) for folder in map(absolute, folders)]
    if len(found) == 1:
        return found[0]
    places = ((canonical_location(file.url), file) for files in found for file in files)
    same = groupby(sorted_spool(places, key=itemgetter(0)), key=itemgetter(0))
    last = (deque((file for _, file in names), maxlen=1)[0] for _, names in same)
    return iter(sorted_spool(last))


def _nothing_to_do(settings: EnrichSettings, ignored: Sequence[Ignored]) -> Exception:
    folders = " and ".join(settings.input_folder)
    if not ignored:
        return NothingToDo(f"there is nothing to do: no file with content in {folders}")
    first = ignored[0]
    return UsageError(
        f"none of the {count(len(ignored), 'file')} in {folders} can be read as '{settings.input_format}' "
        f"(such as {first.url}, {first.reason}). Is it the right folder, and the right --input-format?"
    )
