"""Which runs a transform has to do: those of its input that its output does not have, cut into work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from snowetl.errors import ConfigError, NothingToDo, OutputExists, UsageError
from snowetl.iglu.config import ResolverConfig
from snowetl.reporting.transform import TransformReport
from snowetl.runs.identity import identity_of_failed, run_identity
from snowetl.runs.run import PLAN, Run, absolute, run_id
from snowetl.settings import Fingerprint
from snowetl.settings.fingerprint import digest_of
from snowetl.settings.kinds import canonical_location
from snowetl.settings.words import count
from snowetl.spool import Spool
from snowetl.steps.base import World
from snowetl.steps.cut import Cut, OfCut, cut_input
from snowetl.steps.input_format import check_enriched
from snowetl.steps.lifecycle import differences, read_report
from snowetl.steps.settings import TransformSettings
from snowetl.storage import FileInfo, filesystem
from snowetl.transform.discovery import incomplete, unprocessed
from snowetl.transform.message import FILE_NAME
from snowetl.transform.transformer import SHRED

FORMAT = "snowetl-transform-plan/2"
_THREADS = 16
_COMPARED = 100
"""How many of the latest finished runs are compared with the settings, for a warning."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(OfCut):
    """One run to transform: where from, where to, in which pieces."""

    settings: TransformSettings
    run: FolderRun
    source: str
    """The folder of its input."""
    fingerprint: Fingerprint
    identity: str
    cut: Cut

    def describe(self) -> str:
        """What is going to be done, in a few words."""
        return f"{count(len(self.files), 'file')} in {count(len(self.work), 'task')}"

    def to_json(self) -> dict[str, Any]:
        """The plan without secrets (they stand there as names of environment variables), and without its work."""
        return {
            "format": FORMAT,
            "step": "transform",
            "run": self.run.id,
            "outputs": list(self.run.outputs),
            "source": self.source,
            "runIdentity": self.identity,
            "settings": self.settings.to_json(),
            "fingerprint": self.fingerprint.to_json(),
            "files": len(self.files),
            "bytes": self.bytes,
            "splits": len(self.work),
        }

    @classmethod
    def from_json(
        cls, document: Mapping[str, Any], work: Iterable[object], environment: Mapping[str, str] | None = None
    ) -> Batch:
        """The plan that ``to_json`` and ``work_lines`` gave; ``environment`` holds the secrets.

        Raises ``ConfigError``.
        """
        return cls(
            settings=TransformSettings.from_mapping(document["settings"], environment),
            run=FolderRun(document["run"], tuple(document["outputs"])),
            source=document["source"],
            fingerprint=Fingerprint.from_json(document["fingerprint"]),
            identity=document["runIdentity"],
            cut=Cut.of_lines(work),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformPlan:
    """The runs to be transformed, one after the other.

    ``done`` are those that are done already, and ``other`` those of them that were made with other settings, in words.
    ``unfinished`` are input runs whose enrichment has not ended: they wait. ``redone`` are those of the batches that
    were begun before and not completed. ``misread`` are files that do not look like enriched events, in words.
    """

    settings: TransformSettings
    batches: list[Batch]
    done: list[FolderRun] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    redone: list[str] = field(default_factory=list)
    misread: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> Fingerprint:
        return self.settings.fingerprint()

    @property
    def bytes(self) -> int:
        """Input bytes to go through, twice where the batch is read twice."""
        return sum(batch.bytes for batch in self.batches) * (2 if self.settings.reads_twice else 1)

    def describe(self) -> str:
        """What is going to be done, in a few words."""
        if not self.batches:
            return f"done already, {', '.join(run.folder for run in self.done)}"
        return "; ".join(batch.describe() for batch in self.batches)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "step": "transform", "runs": [batch.to_json() for batch in self.batches]}


def plan_transform(settings: TransformSettings, world: World) -> TransformPlan:
    """Check the settings, find the runs that are not transformed yet, cut them into splits.

    Raises :class:`UsageError` (``ConfigError``; ``OutputExists`` where there is nothing to do but runs that were made
    with other settings), :class:`NothingToDo` or :class:`StorageError`.
    """
    _check(settings)
    ResolverConfig.load(settings.iglu_config)
    source, output = absolute(settings.input_folder).rstrip("/"), absolute(settings.output_folder).rstrip("/")
    if (output + "/").startswith(source + "/"):
        raise UsageError(f"the output folder {output} lies in the input folder {source}: give another folder")
    names = _run_names(source, settings, world)
    runs = {name: FolderRun(name, (output,)) for name in names}
    complete = _which(runs.values(), FolderRun.is_complete)
    waiting = unprocessed(names, complete)
    unfinished = [name for name in waiting if is_unfinished(source, name)]
    batches = [
        batch
        for name in unprocessed(waiting, unfinished)
        if (batch := _batch(runs[name], source_of(source, name), settings)).files or source.endswith(f"/{name}")
    ]
    ready = [batch.run.id for batch in batches]
    if not ready and not complete:
        reason = f"{unfinished[0]} is still being enriched" if unfinished else f"no run in {settings.input_folder}"
        raise NothingToDo(f"there is nothing to transform: {reason}")
    done = [runs[name] for name in complete]
    other = _made_otherwise(done[-_COMPARED:], source, settings)
    if other and not ready:
        raise OutputExists(
            f"nothing to do, but {other[0]}"
            + (f", and {len(other) - 1} more runs" if len(other) > 1 else "")
            + ". To do it again, delete that folder"
        )
    return TransformPlan(
        settings=settings,
        batches=batches,
        done=done,
        other=other,
        unfinished=unfinished,
        redone=incomplete(ready, _which([runs[name] for name in ready], FolderRun.has_files), complete),
        misread=check_enriched(
            [batch.cut for batch in batches], settings.check_input, failed_events=settings.failed_events
        ),
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
    if settings.failed_events:
        _check_failed_events(settings)
    _ = settings.deduplication, settings.event_manifest, settings.formats, settings.oldest, settings.announcement
    if settings.recovery.tables and settings.legacy_message_format:
        raise ConfigError(
            "--legacy-message-format is for loaders that know no recovery tables: leave out one of --recovery-tables "
            "and --legacy-message-format"
        )


def _check_failed_events(settings: TransformSettings) -> None:
    if settings.duplicate_storage is not None:
        raise ConfigError(
            "--duplicate-storage is not for --failed-events: a failed event that is mended and sent again would be "
            "dropped as a duplicate. Leave it out"
        )
    if settings.queue is not None or settings.legacy_message_format:
        raise ConfigError(
            "--queue and --legacy-message-format are not for --failed-events: RDB Loader would load them among the "
            "good events. Leave them out, and load the folder with `snowetl load`"
        )


def _run_names(source: str, settings: TransformSettings, world: World) -> list[str]:
    """Folder names of all wanted runs of the input; one name for a folder of files."""
    last = source.rpartition("/")[2]
    if last.startswith("run="):
        return [last]
    fs = filesystem(source)
    named = [name for name in fs.folders(source) if name.startswith("run=")]
    if not named:
        any_file = next(fs.walk(source), None)
        return [] if any_file is None else [f"run={settings.run_id or run_id(world.now)}"]
    return settings.interval.select(named, datetime.fromtimestamp(world.now / 1000, UTC))


def is_unfinished(source: str, name: str) -> bool:
    """Whether our own enrich job is at work on an input run, or died over it: it was begun, its report is not there."""
    if not name.startswith("run="):
        return False
    base = source.removesuffix(f"/{name}")
    enriched = Run(name.removeprefix("run="), (base,))
    fs = filesystem(base)
    begun = fs.exists(enriched.lock_url) or fs.exists(f"{enriched.folders[0]}/{PLAN}")
    return begun and not (fs.exists(enriched.report_url) or enriched.is_marked())


def source_of(source: str, name: str) -> str:
    """The folder of one run of the input."""
    folder = f"{source}/{name}"
    return source if source.endswith(f"/{name}") or not filesystem(folder).exists(folder) else folder


def _batch(run: FolderRun, source: str, settings: TransformSettings) -> Batch:
    listed = Spool(filesystem(source).walk(source))
    return Batch(
        settings=settings,
        run=run,
        source=source,
        fingerprint=_fingerprint(source, settings),
        identity=_identity(run, source, listed, settings),
        cut=cut_input(listed, split_size=settings.split_size),
    )


def _fingerprint(source: str, settings: TransformSettings) -> Fingerprint:
    """That of the settings, for one run: the same whether the run or the folder of all runs was named."""
    return Fingerprint({**settings.fingerprint().keys, "input-folder": digest_of(canonical_location(source))})


def _identity(run: FolderRun, source: str, files: Iterable[FileInfo], settings: TransformSettings) -> str:
    """The identity of the enriched run, if its report has one: transformed in another way, it is the same run."""
    base, _, name = source.rpartition("/")
    enriched = Run(name.removeprefix("run="), (base,)).report() if name.startswith("run=") else None
    known = enriched.get("runIdentity") if enriched else None
    identity = known if isinstance(known, str) and known else run_identity(run.id, files)
    return identity_of_failed(identity) if settings.failed_events else identity


def _made_otherwise(done: list[FolderRun], source: str, settings: TransformSettings) -> list[str]:
    """In words, the runs that were made with other settings than these."""

    def compare(run: FolderRun) -> str | None:
        report = read_report(run, TransformReport)
        changed = [] if report is None else differences(report, _fingerprint(source_of(source, run.id), settings))
        return f"{run.folder} was made with other settings: {', '.join(changed)}" if changed else None

    with ThreadPoolExecutor(_THREADS) as pool:
        return [text for text in pool.map(compare, done) if text]
