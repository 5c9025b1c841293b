"""The settings that say where each step leaves its output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowetl.runs.run import absolute
from snowetl.settings import Location, Settings, flag, option
from snowetl.steps.settings import (
    EVENTS,
    IO,
)

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, kw_only=True)
class OutputSettings(Settings):
    """Below ``output_folder`` are ``enriched``, ``bad``, ``failed``, ``transformed`` and ``runs``, all but the last
    unless they are given on their own.
    """

    output_folder: str = option(
        "-o",
        "--output-folder",
        kind=Location(),
        help="Folder for the output: enriched/, bad/, transformed/ and runs/ (plans and reports).",
        group=IO,
    )
    enriched_folder: str | None = option(
        "--enriched-folder",
        kind=Location(),
        default=None,
        help="Folder for enriched events.",
        group=IO,
        shapes_output=True,
    )
    bad_folder: str | None = option(
        "--bad-folder",
        kind=Location(),
        default=None,
        help="Folder for bad rows.",
        group=IO,
        shapes_output=True,
    )
    failed_events: bool = flag(
        "--failed-events",
        help="Keep the valid part of each event that failed, besides its bad row, and load it into failed_events "
        "and failed_<entity>.",
        group=EVENTS,
        shapes_output=True,
    )
    failed_folder: str | None = option(
        "--failed-folder",
        kind=Location(),
        default=None,
        default_help="failed/ below --output-folder, with --failed-events",
        help="Folder for failed events.",
        group=IO,
        shapes_output=True,
    )
    transformed_folder: str | None = option(
        "--transformed-folder",
        kind=Location(),
        default=None,
        help="Folder for the rows that the warehouse loads.",
        group=IO,
        shapes_output=True,
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

    def enriched_outputs(self) -> tuple[str, ...]:
        """The folders that the enrich step writes to."""
        enriched, bad, _, *failed = self.output_folders()
        return (enriched, bad, *failed[:1])

    def _below(self, name: str, given: str | None) -> str:
        return absolute((given or f"{self.output_folder.rstrip('/')}/{name}").rstrip("/"))
