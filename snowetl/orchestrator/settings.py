"""What a user can say about a run from raw logs to tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from snowetl.load.target import Target
from snowetl.runs.run import absolute, run_id
from snowetl.steps.enrich import EnrichSettings
from snowetl.steps.transform import TransformSettings
from snowetl.storage.base import scheme_of
from snowetl.storage.splits import DEFAULT_TARGET


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """Where from, where to, and what the steps are told.

    Below ``output_folder`` are ``enriched``, ``bad``, ``transformed`` and ``runs``, the first three unless they are
    given on their own. ``resolver`` and ``enrichments`` as ``EnrichConfig.load`` takes them. ``run_id`` and
    ``etl_tstamp`` as for the enrich job; without both, the run that waits to be finished, or one of now.
    """

    input_folder: str
    input_format: str
    output_folder: str
    resolver: Any
    enrichments: Any = None
    target: Target | None = None
    """Default: the embedded PostgreSQL, in ``warehouse`` below a local ``output_folder``."""
    enriched_folder: str | None = None
    bad_folder: str | None = None
    transformed_folder: str | None = None
    run_id: str | None = None
    etl_tstamp: int | None = None
    load_bad_rows: bool = True
    """Whether bad rows become a table, where the warehouse has one for them."""
    master: str | None = None
    workers: int = 1
    compression: str = "gzip"
    split_size: int = DEFAULT_TARGET
    on_registry_failure: str = "fail"
    enrich: dict[str, Any] = field(default_factory=dict)
    """Further fields of :class:`EnrichSettings`."""
    transform: dict[str, Any] = field(default_factory=dict)
    """Further fields of :class:`TransformSettings`."""

    @property
    def runs_folder(self) -> str:
        return self._below("runs", None)

    @property
    def warehouse(self) -> Target:
        if self.target is not None:
            return self.target
        local = scheme_of(self.output_folder) == "file"
        base = absolute(self.output_folder).removeprefix("file://") if local else "."
        return Target(data_folder=Path(base, "warehouse"))

    @property
    def given_id(self) -> str | None:
        """The run's id, where the user has said it."""
        if self.run_id is None and self.etl_tstamp is not None:
            return run_id(self.etl_tstamp)
        return self.run_id

    def about(self) -> dict[str, Any]:
        """What the run is made from (no secrets): compared when it is run again."""
        return {
            "inputFolder": absolute(self.input_folder),
            "inputFormat": self.input_format,
            "enrichedFolder": self._below("enriched", self.enriched_folder),
            "badFolder": self._below("bad", self.bad_folder),
            "transformedFolder": self._below("transformed", self.transformed_folder),
            "warehouse": str(self.warehouse),
        }

    def enrich_settings(self, id_: str) -> EnrichSettings:
        about = self.about()
        further = dict(self.enrich)
        options = {"on_registry_failure": self.on_registry_failure} | further.pop("options", {})
        return EnrichSettings(
            input_folder=self.input_folder,
            input_format=self.input_format,
            output_folder=about["enrichedFolder"],
            bad_folder=about["badFolder"],
            resolver=self.resolver,
            enrichments=self.enrichments,
            run_id=id_,
            etl_tstamp=self.etl_tstamp,
            compression=self.compression,
            split_size=self.split_size,
            options=options,
            **further,
        )

    def transform_settings(self, id_: str) -> TransformSettings:
        about = self.about()
        settings = TransformSettings(
            input_folder=f"{about['enrichedFolder']}/run={id_}",
            output_folder=about["transformedFolder"],
            resolver=self.resolver,
            split_size=self.split_size,
            run_id=id_,
            on_registry_failure=self.on_registry_failure,
        )
        return replace(settings, **self.transform)

    def _below(self, name: str, given: str | None) -> str:
        return absolute((given or f"{self.output_folder.rstrip('/')}/{name}").rstrip("/"))
