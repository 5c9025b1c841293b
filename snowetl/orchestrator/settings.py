"""The settings of a run from raw logs to tables: those of its steps, and where each step leaves its output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowetl.orchestrator.after_settings import AfterSettings
from snowetl.orchestrator.emr_settings import EmrSettings
from snowetl.orchestrator.intake_settings import IntakeSettings
from snowetl.orchestrator.kinds import Executor, Notify
from snowetl.orchestrator.output_settings import OutputSettings
from snowetl.orchestrator.prices import Price, Prices
from snowetl.orchestrator.source_settings import SourceSettings
from snowetl.orchestrator.step_choice_settings import StepChoiceSettings
from snowetl.orchestrator.step_names import (
    AFTER,
    ALSO_LOAD,
    DBT,
    LOAD_FAILED,
    MODELS,
    STEPS,
    TRANSFORM_FAILED,
    VACUUM,
    names_in,
    skipped,
)
from snowetl.runs.run import absolute, run_id
from snowetl.settings import Number, Settings, flag, option
from snowetl.settings.kinds import LocalPath
from snowetl.steps.settings import (
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


@dataclass(frozen=True, kw_only=True)
class RunSettings(
    StepChoiceSettings,
    IntakeSettings,
    OutputSettings,
    Enriching,
    Deduplicating,
    Shaping,
    Loading,
    AfterSettings,
    Working,
    EmrSettings,
    SourceSettings,
    RawInput,
    Speaking,
):
    """Input, output, and all settings of the steps."""

    transformation: str = TransformSettings.field("transformation")
    compression: str = EnrichSettings.field("compression")
    data_folder: Path | None = option(  # type: ignore[assignment]
        "--data-folder",
        kind=LocalPath("FOLDER"),
        default=None,
        default_help="warehouse/ below a local output folder",
        help="Folder in which an embedded warehouse keeps its data.",
        group=WAREHOUSE,
    )
    load_bad_rows: bool = flag(
        "--load-bad-rows/--no-load-bad-rows",
        default=True,
        help="Load bad rows into a table as well.",
        group=WAREHOUSE,
    )
    no_data_exit_code: int = option(
        "--no-data-exit-code",
        kind=Number(minimum=0),
        default=3,
        help="Exit code if there is nothing to do: some schedulers take 3 for a failure.",
        group=RUNS,
    )
    executor: str = option(
        "--executor",
        kind=Executor(),
        default="local",
        help="Where the steps run: local (in this process, or on --master), emr, emr-serverless, or nowhere: dry "
        "prints the requests.",
        group=WORK,
    )
    price_per_hour: Price | None = option(
        "--price-per-hour",
        kind=Prices(),
        default=None,
        help="Price of an hour of one run (its cluster), or on EMR Serverless of an hour of a vCPU and of a GB. "
        "Plans, reports and backfills then show the cost.",
        group=RUNS,
    )
    notify: tuple[str, ...] = option(
        "--notify",
        kind=Notify(),
        multiple=True,
        default=(),
        secret=True,
        help="Notify this address when a run begins, is done, or fails: https://…, arn:aws:sns:…, "
        "cloudwatch:NAMESPACE, emf:NAMESPACE, statsd://HOST:PORT, prometheus:FILE.prom, "
        "snowplow://COLLECTOR. May be given several times.",
        group=MESSAGES,
    )

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


@dataclass(frozen=True, kw_only=True)
class PlanSettings(RunSettings):
    """What a run of these settings would do."""

    as_json: bool = flag("--as-json", help="Show the plan as one JSON document.", group=IO)
