"""The settings of a run from raw logs to tables: those of its steps, and where each step leaves its output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowetl.errors import UsageError
from snowetl.orchestrator.after_settings import AfterSettings
from snowetl.orchestrator.emr_settings import EmrSettings
from snowetl.orchestrator.prices import Price, Prices
from snowetl.orchestrator.source_settings import SourceSettings
from snowetl.orchestrator.step_names import (
    AFTER,
    ALSO_LOAD,
    DBT,
    LOAD_FAILED,
    MODELS,
    STEPS,
    TO_INCLUDE,
    TO_SKIP,
    TO_START,
    TRANSFORM_FAILED,
    VACUUM,
    names_in,
    skipped,
)
from snowetl.runs.run import absolute, run_id
from snowetl.settings import Duration, Kind, Location, Moment, Number, Settings, Size, Text, flag, option
from snowetl.settings.kinds import LocalPath
from snowetl.steps.settings import (
    EVENTS,
    IO,
    MESSAGES,
    RUNS,
    WAREHOUSE,
    WORK,
    Deduplicating,
    Enriching,
    EnrichSettings,
    Loading,
    LoadSettings,
    RawInput,
    Shaping,
    Speaking,
    TransformSettings,
    Working,
)
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    from snowetl.load.target import Target
    from snowetl.load.warehouse import Capabilities


_AFTER_FIELDS = {
    ALSO_LOAD: ("also_load",),
    VACUUM: (),
    MODELS: ("models",),
    DBT: ("dbt", "dbt_args", "dbt_schema", "dbt_command"),
}

_ADDRESS = re.compile(r"(.*?)(?:#([A-Za-z_][A-Za-z0-9_]{0,62}))?", re.DOTALL)
"""A database and a schema in it."""
_ROWS = {"postgres": "POSTGRES", "redshift": "TSV"}
"""Formats of rows by whom they are made for."""


@dataclass(frozen=True)
class Executor(Kind):
    """Where steps run: a name of the table of executors."""

    metavar: str = "local|emr|emr-serverless|dry|NAME"

    def parse(self, value: Any) -> str:
        from snowetl.orchestrator.executors import kind_of

        try:
            kind_of(str(value))
        except UsageError as error:
            raise ValueError(str(error)) from None
        return str(value)


@dataclass(frozen=True)
class Notify(Kind):
    """Who is told of runs: an address whose beginning is in the table of notifiers."""

    metavar: str = "URL"

    def parse(self, value: Any) -> Any:
        from snowetl.orchestrator.notify import notifier_of

        try:
            notifier_of(str(value))
        except UsageError as error:
            raise ValueError(str(error)) from None
        return str(value)

    def split(self, value: Any) -> list[Any]:
        return str(value).split()

    def is_public(self, value: Any) -> bool:
        """The path of a webhook is its password."""
        return not re.match(r"https?:|[^/]*//[^/]*@", str(value), re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class RunSettings(
    Enriching, Deduplicating, Shaping, Loading, AfterSettings, Working, EmrSettings, SourceSettings, RawInput, Speaking
):
    """Input, output, and all settings of the steps.

    Below ``output_folder`` are ``enriched``, ``bad``, ``transformed`` and ``runs``, the first three unless they are
    given on their own. Without ``run_id`` and ``etl_timestamp``, the run that waits to be finished is meant, or a new
    one.
    """

    output_folder: str = option(
        "-o",
        "--output-folder",
        kind=Location(),
        help="enriched/, bad/, transformed/ and runs/ (the reports) go below it.",
        group=IO,
    )
    enriched_folder: str | None = option(
        "--enriched-folder",
        kind=Location(),
        default=None,
        help="Enriched events go here instead.",
        group=IO,
        shapes_output=True,
    )
    bad_folder: str | None = option(
        "--bad-folder",
        kind=Location(),
        default=None,
        help="Bad rows go here instead.",
        group=IO,
        shapes_output=True,
    )
    failed_events: bool = flag(
        "--failed-events",
        help="Beside its bad row, keep what is valid of an event that failed, and load it into failed_events and "
        "failed_<entity>.",
        group=EVENTS,
        shapes_output=True,
    )
    failed_folder: str | None = option(
        "--failed-folder",
        kind=Location(),
        default=None,
        default_help="failed/ below --output-folder, with --failed-events",
        help="Failed events go here instead.",
        group=IO,
        shapes_output=True,
    )
    transformed_folder: str | None = option(
        "--transformed-folder",
        kind=Location(),
        default=None,
        help="Rows for the warehouse go here instead.",
        group=IO,
        shapes_output=True,
    )
    transformation: str = TransformSettings.field("transformation")
    compression: str = EnrichSettings.field("compression")
    data_folder: Path | None = option(  # type: ignore[assignment]
        "--data-folder",
        kind=LocalPath("FOLDER"),
        default=None,
        default_help="warehouse/ below a local output folder",
        help="Where an embedded warehouse keeps its data.",
        group=WAREHOUSE,
    )
    load_bad_rows: bool = flag(
        "--load-bad-rows/--no-load-bad-rows",
        default=True,
        help="Load bad rows into a table, too.",
        group=WAREHOUSE,
    )
    run_id: str | None = option(
        "--run-id",
        kind=Text("YYYY-MM-DD-HH-mm-ss"),
        default=None,
        default_help="the time of --etl-timestamp, else the run that waits to be finished, or now",
        help="Name of the run: a time in UTC.",
        group=RUNS,
    )
    since: str | None = option(
        "--since",
        kind=Moment(),
        default=None,
        default_help="no limit",
        help="Take only new files that were written at this time or later.",
        group=RUNS,
    )
    until: str | None = option(
        "--until",
        kind=Moment(),
        default=None,
        default_help="no limit",
        help="Take only new files that were written before this time.",
        group=RUNS,
    )
    settle: int = option(
        "--settle",
        kind=Duration(),
        default=0,
        default_help="0: all of them",
        help="Leave files for the next run that were written less than this ago: their writer may not be done.",
        group=RUNS,
    )
    max_bytes: int | None = option(
        "--max-bytes",
        kind=Size(),
        default=None,
        default_help="no limit",
        help="Take no more input than this in one run, but one file; the next run takes the others.",
        group=RUNS,
    )
    all_files: bool = flag(
        "--all-files",
        help="Take all files of the input, also those that earlier runs of this output folder took.",
        group=RUNS,
    )
    no_data_exit_code: int = option(
        "--no-data-exit-code",
        kind=Number(minimum=0),
        default=3,
        help="What to end with where there is nothing to do: schedulers may take 3 for a failure.",
        group=RUNS,
    )
    executor: str = option(
        "--executor",
        kind=Executor(),
        default="local",
        help="Where the steps run: in this process (or on --master), on EMR, or nowhere: dry shows the requests.",
        group=WORK,
    )
    price_per_hour: Price | None = option(
        "--price-per-hour",
        kind=Prices(),
        default=None,
        help="What an hour of one run costs (its cluster), or on EMR Serverless an hour of a vCPU and of a GB: plans, "
        "reports and backfills tell the cost then.",
        group=RUNS,
    )
    notify: tuple[str, ...] = option(
        "--notify",
        kind=Notify(),
        multiple=True,
        default=(),
        secret=True,
        help="Tell this address when a run begins, is done, or fails: https://…, arn:aws:sns:…, cloudwatch:NAMESPACE, "
        "emf:NAMESPACE, statsd://HOST:PORT, prometheus:FILE.prom, snowplow://COLLECTOR. May be given several times.",
        group=MESSAGES,
    )
    redo_from: str | None = option(
        "--redo-from",
        choices=STEPS,
        default=None,
        help="Redo this step and those after it, even if the run was begun or finished with other settings.",
        group=RUNS,
    )

    skip_step: tuple[str, ...] = option(
        "--skip-step",
        "--skip",
        kind=TO_SKIP,
        multiple=True,
        default=(),
        help="Leave these steps out. A run is done without them; with its --run-id they are done later.",
        group=RUNS,
    )
    resume_from: str | None = option(
        "--resume-from",
        kind=TO_START,
        default=None,
        help="Go on with the run that waits (or --run-id) at this step: those before it must be done.",
        group=RUNS,
    )
    include: tuple[str, ...] = option(
        "--include",
        kind=TO_INCLUDE,
        multiple=True,
        default=(),
        help="Do this step, too: vacuum the tables that were loaded.",
        group=RUNS,
    )

    def output_folders(self) -> tuple[str, ...]:
        """Where events, bad rows and rows for the warehouse go, then failed events and rows of those, if wanted."""
        transformed = self._below("transformed", self.transformed_folder)
        every = (self._below("enriched", self.enriched_folder), self._below("bad", self.bad_folder), transformed)
        if not self.wants_failed_events:
            return every
        return (*every, self._below("failed", self.failed_folder), f"{transformed}-failed")

    @property
    def wants_failed_events(self) -> bool:
        return self.failed_events or self.failed_folder is not None

    @property
    def runs_folder(self) -> str:
        return self._below("runs", None)

    @property
    def written_folders(self) -> list[str]:
        """All folders that the steps of the run write to, but the warehouse's. In an archive, which may forbid that
        anything is deleted, nothing is tried."""
        apart = (own.output_folders()[2] for own in self.also)
        return sorted({*self.output_folders(), *apart, self.runs_folder})

    @property
    def target(self) -> Target:
        """The warehouse. The embedded one keeps its data below a local output folder by default."""
        if self.data_folder is not None:
            return super().target
        local = scheme_of(self.output_folder) == "file"
        base = absolute(self.output_folder).removeprefix("file://") if local else "."
        return replace(self, data_folder=Path(base, "warehouse")).target

    @property
    def also(self) -> tuple[RunSettings, ...]:
        """These settings for each further database that runs are loaded into. One that loads other rows than the run's
        has a folder of its own for them: ``transformed-<rows>``."""
        return tuple(own if self._shares_rows(own) else own._apart() for own in self._further())

    def _further(self) -> Iterator[RunSettings]:
        kind = type(self).option("warehouse").default
        for address in self.also_load:
            url, schema = _ADDRESS.fullmatch(address).groups()  # type: ignore[union-attr]
            own = replace(
                self, database=url, warehouse=kind, schema=schema or self.schema, also_load=(), ssh_tunnel=None
            )
            yield own if own._kind().partitions else replace(own, partition_by=None)

    def _shares_rows(self, own: RunSettings) -> bool:
        """Whether a further database loads the rows that the run makes."""
        kind = own._kind()
        if kind.transformation != self._rows():
            return False
        return kind.transformation != "shred" or _ROWS.get(self.rows_for) in kind.row_formats

    def _apart(self) -> RunSettings:
        rows = self._rows() if self._rows() != "shred" else f"shred-{self.rows_for}"
        return replace(self, transformed_folder=f"{self._below('transformed', self.transformed_folder)}-{rows}")

    @property
    def rows_for(self) -> str:
        """Whom shredded rows are made for: a kind whose rows all databases of the run load, if there is one."""
        every = (self._kind(), *(own._kind() for own in self._further()))
        kinds = [kind for kind in every if kind.transformation == "shred"]
        for rows in (kind.rows_for for kind in kinds):
            if every[0].transformation == "shred" and all(_ROWS.get(rows) in kind.row_formats for kind in kinds):
                return rows
        return every[0].rows_for

    @property
    def all_steps(self) -> tuple[str, ...]:
        """All steps a run of these settings has. Other rows than the warehouse loads are for lakes, which read them
        where they lie: nothing loads them.
        """
        loads = self._rows() == self._kind().transformation
        failed = (TRANSFORM_FAILED, LOAD_FAILED) if self.wants_failed_events else ()
        wanted = {
            VACUUM: VACUUM in names_in(self.include),
            MODELS: self.models is not None,
            DBT: self.dbt is not None,
            ALSO_LOAD: bool(self.also_load),
        }
        after = tuple(name for name in AFTER if wanted[name])
        return (*STEPS, *failed, *after) if loads else (*STEPS[:-1], *failed[:-1], *after)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps an executor does: those that make the tables, but those that are left out."""
        left_out = skipped(self.skip_step)
        return tuple(name for name in self.all_steps if name not in AFTER and name not in left_out)

    @property
    def after(self) -> tuple[str, ...]:
        """The steps after the load, but those that are left out."""
        left_out = skipped(self.skip_step)
        return tuple(name for name in self.all_steps if name in AFTER and name not in left_out)

    @property
    def given_id(self) -> str | None:
        """The run's id, where the user has said it."""
        if self.run_id is None and self.etl_timestamp is not None:
            return run_id(self.etl_timestamp)
        return self.run_id

    def about(self) -> dict[str, Any]:
        """What the run is made from (no secrets): compared when it is run again."""
        folders = ("enrichedFolder", "badFolder", "transformedFolder", "failedFolder", "transformedFailedFolder")
        return {
            "inputFolder": [absolute(folder) for folder in self.input_folder],
            "inputFormat": self.input_format,
            **dict(zip(folders, self.output_folders(), strict=False)),
        }

    def enriched_outputs(self) -> tuple[str, ...]:
        """The folders that the enrich step writes to."""
        enriched, bad, _, *failed = self.output_folders()
        return (enriched, bad, *failed[:1])

    def step(self, name: str, id_: str, input_list: str | None = None) -> tuple[Settings, tuple[str, ...]]:
        """The settings of a step of the run ``id_``, and the folders it writes to."""
        if name == "enrich":
            outputs = tuple(f"{folder}/run={id_}" for folder in self.enriched_outputs())
            return self.enrich_settings(id_, input_list), outputs
        if name == "transform":
            return self.transform_settings(id_), (self.transformed(id_),)
        if name == TRANSFORM_FAILED:
            return self.failed_transform_settings(id_), (self.transformed(id_, failed=True),)
        if name in AFTER:
            own = {field: getattr(self, field) for field in _AFTER_FIELDS[name]}
            targets = [each.target for each in self.also] if name == ALSO_LOAD else [self.target]
            return AfterSettings(**own), tuple(map(str, targets))
        return self.load_settings(id_, failed=name == LOAD_FAILED), (str(self.target),)

    def transformed(self, id_: str, *, failed: bool = False) -> str:
        """The folder of a run's rows."""
        return f"{self.about()['transformedFailedFolder' if failed else 'transformedFolder']}/run={id_}"

    def enrich_settings(self, id_: str, input_list: str | None = None) -> EnrichSettings:
        about = self.about()
        own = {
            "output_folder": about["enrichedFolder"],
            "bad_folder": about["badFolder"],
            "failed_folder": about.get("failedFolder"),
            "run_id": id_,
            "input_list": input_list,
        }
        return EnrichSettings(**(self.shared_with(EnrichSettings) | own))

    def transform_settings(self, id_: str) -> TransformSettings:
        about = self.about()
        own = {
            "input_folder": f"{about['enrichedFolder']}/run={id_}",
            "output_folder": about["transformedFolder"],
            "run_id": id_,
            "transformation": self._rows(),
            "target": self.rows_for,
            "compression": TransformSettings.option("compression").default,
            "failed_events": False,
        }
        return TransformSettings(**(self.shared_with(TransformSettings) | own))

    def failed_transform_settings(self, id_: str) -> TransformSettings:
        """Those of failed events. An event that is mended and sent again is not a duplicate of one of them."""
        about = self.about()
        return replace(
            self.transform_settings(id_),
            input_folder=f"{about['failedFolder']}/run={id_}",
            output_folder=about["transformedFailedFolder"],
            failed_events=True,
            duplicate_storage=None,
        )

    def load_settings(self, id_: str, *, failed: bool = False) -> LoadSettings:
        """Bad rows of enrich are loaded with the good events."""
        transformed = self.transformed(id_, failed=failed)
        of_enrich = () if failed else (f"{self.about()['badFolder']}/run={id_}",)
        bad = (*of_enrich, f"{transformed}/output=bad*")  # the last may be missing
        target = self.target
        own = {
            "input_folder": transformed,
            "data_folder": target.data_folder,
            "bad_rows": bad if self.load_bad_rows and target.capabilities.bad_rows_table else (),
        }
        return LoadSettings(**(self.shared_with(LoadSettings) | own))

    def _kind(self) -> Capabilities:
        from snowetl.load.warehouses import warehouse_class

        return warehouse_class(self.warehouse).capabilities

    def _rows(self) -> str:
        """The kind of rows that are made: those of the warehouse, unless others are asked for."""
        is_default = self.transformation == type(self).option("transformation").default
        return self._kind().transformation if is_default else self.transformation

    def _below(self, name: str, given: str | None) -> str:
        return absolute((given or f"{self.output_folder.rstrip('/')}/{name}").rstrip("/"))


@dataclass(frozen=True, kw_only=True)
class PlanSettings(RunSettings):
    """What a run of these settings would do."""

    as_json: bool = flag("--as-json", help="Show the plan as one JSON document.", group=IO)
