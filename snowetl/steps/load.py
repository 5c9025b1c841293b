"""The load step: transformed runs into a warehouse, and another try for the rows that were put aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from snowetl.errors import ConfigError, NothingToDo, SnowetlError, UsageError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.load.engine import Loader
from snowetl.load.plan import LoadPlan
from snowetl.load.preflight import check_target
from snowetl.load.report import LOADED, LoadReport, save
from snowetl.load.run import TransformedRun, discover, read_run
from snowetl.load.schemas import RegistrySchemas
from snowetl.load.warehouse import Statement, Warehouse
from snowetl.model.schema import SchemaCriterion
from snowetl.runs.run import absolute
from snowetl.steps.settings import LoadSettings
from snowetl.storage import FileInfo, filesystem

Say = Callable[[str], None]


class Load:
    """One load, checked before it starts. ``say`` hears how it goes, ``warn`` what somebody should look at.

    Raises ``UsageError`` (``ConfigError``) or ``NothingToDo``.
    """

    def __init__(self, settings: LoadSettings, say: Say, warn: Say | None = None) -> None:
        if settings.input_folder is None and not settings.retry_rejected:
            raise UsageError("--input-folder is missing: a folder that `snowetl transform` wrote")
        self._settings = settings
        self._say = say
        self._warn = warn or say
        self._target = settings.target
        self._skip = [_criterion(text) for text in settings.skip_schema]
        self._schemas = RegistrySchemas(IgluClient(ResolverConfig.load(settings.iglu_config), now=0))
        self._folders = [] if settings.input_folder is None else discover(absolute(settings.input_folder))
        if not self._folders and not settings.retry_rejected:
            raise NothingToDo(f"no complete run in {settings.input_folder}: `snowetl transform` makes them")
        self._bad_files = _bad_files(settings.bad_rows)
        if self._bad_files and not self._target.capabilities.bad_rows_table:
            raise ConfigError(f"--bad-rows: {self._target.warehouse} has no table for bad rows; leave it out")
        check_target(self._target, say)

    def execute(self) -> Iterator[LoadReport]:
        """Load run by run, then what was put aside where that is wanted. A report each, as soon as it is done."""
        with self._target.open(self._say) as warehouse:
            loader = self._loader(warehouse)
            for folder in self._folders:
                report = loader.load(read_run(folder), self._bad_files if folder == self._folders[-1] else ())
                if report.outcome == LOADED:
                    self._save(report)
                yield report
            if self._settings.retry_rejected:
                yield from loader.retry_rejected()

    def rehearse(self) -> Iterator[tuple[TransformedRun, Sequence[Statement] | None]]:
        """Runs and the statements that would load them; ``None`` for one that is loaded already or empty."""
        if self._target.database is None and not (self._target.data_folder / "PG_VERSION").exists():
            raise NothingToDo(
                f"there is no warehouse in {self._target.data_folder} yet: a load would make it, with all tables"
            )
        with self._target.open(self._say) as warehouse:
            loader = self._loader(warehouse)
            for folder in self._folders:
                run = read_run(folder)
                plan = loader.plan(run)
                yield run, None if plan is None else _shown(plan, warehouse, self._warn)

    def _loader(self, warehouse: Warehouse) -> Loader:
        return Loader(warehouse, self._schemas, progress=self._say, warn=self._warn, skip=self._skip)

    def _save(self, report: LoadReport) -> None:
        try:
            save(report)
        except SnowetlError as error:  # a loader needs no right to write there
            self._warn(f"the run is loaded, but its report cannot be kept: {error}")


def _shown(plan: LoadPlan, warehouse: Warehouse, warn: Say) -> list[Statement]:
    for aside in plan.aside:
        warn(f"{aside.model.schema} would not be loaded, its rows would be kept aside: {aside.reason}")
    return list(plan.statements(warehouse))


def _criterion(text: str) -> SchemaCriterion:
    try:
        return SchemaCriterion.parse(text)
    except ValueError:
        raise ConfigError(
            f"--skip-schema {text!r} is not a schema criterion such as iglu:com.acme/event/jsonschema/1-*-*"
        ) from None


def _bad_files(patterns: Sequence[str]) -> list[FileInfo]:
    return [info for pattern in patterns for info in filesystem(pattern).list(pattern)]
