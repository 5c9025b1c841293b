"""The load step: transformed runs into a warehouse, and another try for the rows that were put aside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from snowetl.errors import ConfigError, LoadError, NothingToDo, SnowetlError, TargetError, UsageError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.load import plan as load_plan
from snowetl.load.engine import RunLoader
from snowetl.load.preflight import check_target
from snowetl.load.report import LOADED, LoadReport, kept, save
from snowetl.load.run import TransformedRun, discover, read_run, run_name
from snowetl.load.schemas import RegistrySchemas
from snowetl.load.warehouse import Say, Statement, Warehouse
from snowetl.model.schema import SchemaCriterion
from snowetl.runs.run import absolute
from snowetl.settings import Fingerprint
from snowetl.settings.words import count
from snowetl.steps.base import Watch, World
from snowetl.steps.settings import LoadSettings
from snowetl.storage import FileInfo, filesystem
from snowetl.workers import WorkerPool

FORMAT = "snowetl-load-plan/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """The folders of the runs to load, and files of bad rows that go with them (:func:`bad_rows_by_folder`)."""

    settings: LoadSettings
    folders: list[str]
    bad_rows: list[FileInfo] = field(default_factory=list)

    @property
    def fingerprint(self) -> Fingerprint:
        return self.settings.fingerprint()

    def describe(self) -> str:
        """What is going to be done, in a few words."""
        return str(self.settings.target)

    def to_json(self) -> dict[str, Any]:
        """The plan without secrets (they stand there as names of environment variables)."""
        return {
            "format": FORMAT,
            "step": Load.name,
            "settings": self.settings.to_json(),
            "fingerprint": self.fingerprint.to_json(),
            "folders": self.folders,
            "badRows": [list(file) for file in self.bad_rows],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> LoadPlan:
        """The plan that ``to_json`` wrote; ``environment`` holds the secrets. Raises ``ConfigError``."""
        return cls(
            settings=LoadSettings.from_mapping(document["settings"], environment),
            folders=list(document["folders"]),
            bad_rows=[FileInfo(*file) for file in document["badRows"]],
        )


class PlannedLoad(NamedTuple):
    """What a dry run tells of a run: the statements that would load it; ``None`` if it is loaded already or empty."""

    run: TransformedRun
    statements: Sequence[Statement] | None


class Load:
    """Rows to tables. The workers have no part in it: the warehouse does the work."""

    name: ClassVar[str] = "load"

    def plan(self, settings: LoadSettings, world: World) -> LoadPlan:
        """Check the target, find the runs. Which of them it has already, the warehouse knows.

        Raises ``UsageError`` (``ConfigError``) or ``NothingToDo``.
        """
        if settings.input_folder is None and not settings.retry_rejected:
            raise UsageError("--input-folder is missing: a folder that `snowetl transform` wrote")
        check_settings(settings)
        if settings.retry_rejected and not settings.target.capabilities.rejected_rows:
            raise ConfigError(f"--retry-rejected: {settings.target.warehouse} keeps no rows aside; leave it out")
        folders = [] if settings.input_folder is None else discover(absolute(settings.input_folder))
        if not folders and not settings.retry_rejected:
            raise NothingToDo(f"no complete run in {settings.input_folder}: `snowetl transform` makes them")
        bad = _bad_files(settings)
        if bad and not settings.target.capabilities.bad_rows_table:
            raise ConfigError(f"--bad-rows: {settings.target.warehouse} has no table for bad rows; leave it out")
        check_target(settings.target)
        return LoadPlan(settings=settings, folders=folders, bad_rows=bad)

    def execute(self, plan: LoadPlan, workers: WorkerPool, watch: Watch) -> list[LoadReport]:
        """Load run by run, then what was put aside where that is wanted.

        Raises ``LoadError`` or ``StorageError``: nothing of that run is visible then.
        """
        reports: list[LoadReport] = []

        def note(report: LoadReport) -> None:
            reports.append(report)
            watch.done(report)

        failures: list[SnowetlError] = []
        bad_rows = bad_rows_by_folder(plan.folders, plan.bad_rows, watch.warn)
        with _loader(plan, watch) as (loader, _):
            for folder in plan.folders:
                try:
                    report = loader.load(read_run(folder), bad_rows[folder])
                except (LoadError, UsageError) as error:
                    if len(plan.folders) == 1 or isinstance(error, TargetError) or getattr(error, "transient", False):
                        raise
                    failures.append(error)  # of this run alone: those after it do not wait
                    watch.warn(f"{folder} is not loaded: {error}")
                    continue
                report.target = str(plan.settings.target)
                report.with_bad_rows = bool(bad_rows[folder])
                keep(report, watch.warn)
                note(report)
            if plan.settings.retry_rejected:
                retried = loader.retry_rejected()
                for report in retried:
                    note(report)
                if not retried:
                    watch.say(f"{plan.settings.target} holds no rejected rows")
        if failures:
            raise LoadError(
                f"{len(failures):,} of {count(len(plan.folders), 'run')} not loaded. The first: {failures[0]}"
            )
        return reports

    def loaded(self, plan: LoadPlan, watch: Watch) -> list[str]:
        """The folders of runs that the warehouse holds. Raises ``LoadError``, ``TargetError``."""
        if _is_unmade(plan):
            return []
        with _loader(plan, watch) as (loader, _):
            return [run.base for run in loader.loaded(map(read_run, plan.folders))]

    def dry_run(self, plan: LoadPlan, watch: Watch) -> None:
        """Ask the warehouse what each run would need; ``watch.planned`` hears a :class:`PlannedLoad` of each.

        Raises ``NothingToDo`` where the embedded server has no data yet, ``LoadError``, ``StorageError``.
        """
        if _is_unmade(plan):
            target = plan.settings.target
            raise NothingToDo(
                f"there is no warehouse in {target.data_folder} yet: a load would make it, with all tables"
            )
        with _loader(plan, watch) as (loader, warehouse):
            for folder in plan.folders:
                run = read_run(folder)
                found = loader.plan(run)
                statements = None if found is None else _statements(found, warehouse, watch.warn)
                watch.planned(PlannedLoad(run, statements))


def _is_unmade(plan: LoadPlan) -> bool:
    """Whether the warehouse is an embedded one that no load has made yet."""
    target = plan.settings.target
    return target.embedded is not None and target.embedded.is_unmade(target)


@contextmanager
def _loader(plan: LoadPlan, watch: Watch) -> Iterator[tuple[RunLoader, Warehouse]]:
    schemas = RegistrySchemas(IgluClient(ResolverConfig.load(plan.settings.iglu_config), now=0))
    skip = _criteria(plan.settings)
    with plan.settings.target.open(watch.say) as warehouse:
        yield RunLoader(warehouse, schemas, progress=watch.say, warn=watch.warn, skip=skip), warehouse


def check_settings(settings: LoadSettings) -> None:
    """Raises ``ConfigError`` for what can be known to be wrong without asking anybody."""
    settings.target.check()
    _criteria(settings)
    ResolverConfig.load(settings.iglu_config)


def load_announced(settings: LoadSettings, run: TransformedRun, watch: Watch) -> LoadReport:
    """Load a run that a message tells of, with those of the bad rows that are its own."""
    bad = bad_rows_by_folder([run.base], _bad_files(settings), lambda text: None)[run.base]
    with _loader(LoadPlan(settings=settings, folders=[run.base]), watch) as (loader, _):
        report = loader.load(run, bad)
    report.with_bad_rows = bool(bad)
    return report


def load_elsewhere(settings: LoadSettings, watch: Watch) -> LoadReport:
    """Load one run into a database that is not the run's own: nothing is written beside its rows.

    Raises ``ConfigError``, ``LoadError``, ``StorageError``: nothing of the run is visible then.
    """
    assert settings.input_folder is not None
    check_target(settings.target, watch.say)
    with _loader(LoadPlan(settings=settings, folders=[settings.input_folder]), watch) as (loader, _):
        return loader.load(read_run(settings.input_folder), _bad_files(settings))


def _bad_files(settings: LoadSettings) -> list[FileInfo]:
    return [
        file
        for pattern in settings.bad_rows
        for file in filesystem(pattern).list(pattern)
        if not _OF_GOOD_ROWS.search(file.url)
    ]


_OF_GOOD_ROWS = re.compile(r"/output=good/|/shredding_complete\.json$")
"""What a transformed run holds beside its bad rows: given as ``--bad-rows``, only these are meant."""


def bad_rows_by_folder(
    folders: Sequence[str], files: Sequence[FileInfo], warn: Say
) -> Mapping[str, Sequence[FileInfo]]:
    """Files of bad rows by the run folder they go with: those below ``run=ID`` with the run of that id, so that a
    folder which grows from hour to hour is loaded once; others with the last run.

    ``warn`` is called with files whose run is not among ``folders``: they are not loaded.
    """
    found: dict[str, list[FileInfo]] = {folder: [] for folder in folders}
    by_id = {run_name(folder): folder for folder in folders}
    only = folders[0] if len(folders) == 1 and None in by_id else None
    strangers: set[str] = set()
    for file in files:
        id_ = run_name(file.url)
        folder = folders[-1] if id_ is None and folders else by_id.get(id_, only)
        if folder is None:
            strangers.add(f"run={id_}")
        else:
            found[folder].append(file)
    if strangers:
        more = f" and {count(len(strangers) - 1, 'other run')}" if len(strangers) > 1 else ""
        warn(f"bad rows of {min(strangers)}{more} are not loaded: --input-folder has no such run")
    return found


def keep(report: LoadReport, warn: Say) -> None:
    """Leave the report in the run's folder. Of a run that was loaded before, the report of that load stays, with what
    was added now. A load needs no right to write there, so a failure is only a warning.
    """
    try:
        before = None if report.outcome == LOADED else kept(report.base)
        if before is None or before.target != report.target:
            save(report)
        elif report.tables or report.with_bad_rows > before.with_bad_rows:
            before.tables += report.tables
            before.with_bad_rows |= report.with_bad_rows
            save(before)
    except SnowetlError as error:
        warn(f"the run is loaded, but its report cannot be kept: {error}")


def _statements(plan: load_plan.LoadPlan, warehouse: Warehouse, warn: Say) -> list[Statement]:
    for aside in plan.aside:
        warn(f"{aside.model.schema} would not be loaded, its rows would be kept aside: {aside.reason}")
    return list(plan.statements(warehouse))


def _criteria(settings: LoadSettings) -> list[SchemaCriterion]:
    return [_criterion(text) for text in settings.skip_schema]


def _criterion(text: str) -> SchemaCriterion:
    try:
        return SchemaCriterion.parse(text)
    except ValueError:
        raise ConfigError(
            f"--skip-schema {text!r} is not a schema criterion such as iglu:com.acme/event/jsonschema/1-*-*"
        ) from None
