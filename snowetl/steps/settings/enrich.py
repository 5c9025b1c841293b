"""The settings of ``snowetl enrich``."""

from __future__ import annotations

from dataclasses import dataclass

from snowetl.settings import Location, option
from snowetl.steps.settings.common import RawInput, Speaking, Working
from snowetl.steps.settings.enriching import Enriching
from snowetl.steps.settings.groups import IO


@dataclass(frozen=True, kw_only=True)
class EnrichSettings(Enriching, Working, RawInput, Speaking):
    """Raw collector logs to enriched events and bad rows.

    ``run_id`` and ``etl_timestamp`` follow from each other where one is not given, from the clock without both.
    """

    output_folder: str = option(
        "-o",
        "--output-folder",
        kind=Location(),
        help="Folder for enriched events, in run=<id>/.",
        group=IO,
    )
    bad_folder: str = option(
        "-b",
        "--bad-folder",
        kind=Location(),
        help="Folder for bad rows, in run=<id>/.",
        group=IO,
        shapes_output=True,
    )
    failed_folder: str | None = option(
        "--failed-folder",
        kind=Location(),
        default=None,
        default_help="none is written",
        help="Folder for failed events, in run=<id>/: the valid part of each event that failed and the reason, "
        "as an enriched event, besides its bad row.",
        group=IO,
        shapes_output=True,
    )
    compression: str = option(
        "--compression",
        choices=("gzip", "zstd", "none"),
        default="gzip",
        help="Compression of the output.",
        group=IO,
        shapes_output=True,
    )
    output_format: str = option(
        "--output-format",
        choices=("tsv", "json", "parquet"),
        default="tsv",
        help="Format of the events: enriched lines (tsv), which transform reads; flat JSON, one event per line; "
        "or Parquet. Databases can load the latter two as they are.",
        group=IO,
        shapes_output=True,
    )
    input_list: str | None = option(
        "--input-list",
        kind=Location("FILE"),
        default=None,
        help="Read only the files in this list (inputs.jsonl.gz of a run), instead of all of --input-folder.",
        group=IO,
    )

    @property
    def wants_failed_events(self) -> bool:
        return self.failed_folder is not None
