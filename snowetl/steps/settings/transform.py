"""The settings of ``snowetl transform``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowetl.settings import Location, Text, flag, option
from snowetl.steps.settings.common import RUN_ID, Registries, SomeRuns, Speaking, Working
from snowetl.steps.settings.groups import IO, ROWS, RUNS
from snowetl.steps.settings.rows import Deduplicating, Shaping

if TYPE_CHECKING:
    from snowetl.dedupe.rules import Policy
    from snowetl.runs.notify import Queue
    from snowetl.transform.formats import Formats


@dataclass(frozen=True, kw_only=True)
class TransformSettings(Registries, Deduplicating, Shaping, SomeRuns, Working, Speaking):
    """Enriched runs to rows a warehouse can load.

    ``input_folder`` is one run folder, a folder of them, or a folder of files, which make one run named ``run_id``.
    """

    input_folder: str = option(
        "-i",
        "--input-folder",
        kind=Location(),
        help="Enriched events: a run folder, or a folder of them.",
        group=IO,
        shapes_output=True,
    )
    output_folder: str = option(
        "-o",
        "--output-folder",
        kind=Location(),
        help="Folder for the rows; each run gets a folder of the same name in it.",
        group=IO,
    )
    run_id: str | None = option(
        "--run-id",
        kind=Text(RUN_ID),
        default=None,
        default_help="now",
        help="Name of the run (a time in UTC), for input that is not in run folders.",
        group=RUNS,
    )
    failed_events: bool = flag(
        "--failed-events",
        help="The input is what `snowetl enrich --failed-folder` wrote: its rows are for tables of their own, "
        "failed_events and failed_<entity>. None of them counts as a duplicate: each has a bad row.",
        group=ROWS,
        shapes_output=True,
    )
    transformation: str = option(
        "--transformation",
        choices=("shred", "widerow-json", "widerow-parquet"),
        default="shred",
        help="Tables for Postgres and Redshift (snowetl run: the rows that its warehouse loads), or wide rows.",
        group=ROWS,
        shapes_output=True,
    )
    target: str = option(
        "--target",
        choices=("postgres", "redshift"),
        default="postgres",
        help="shred: the warehouse the rows are made for; redshift is RDB Loader's layout, which the choice of TSV or "
        "JSON and the legacy message imply.",
        group=ROWS,
        shapes_output=True,
    )
    default_format: str = option(
        "--default-format",
        choices=("TSV", "JSON"),
        default="TSV",
        help="shred: format of entities that neither --tsv nor --json names.",
        group=ROWS,
        shapes_output=True,
    )
    tsv: tuple[str, ...] = option(
        "--tsv",
        multiple=True,
        default=(),
        metavar="CRITERION",
        help="shred: schemas written as TSV (with --default-format JSON).",
        group=ROWS,
        shapes_output=True,
    )
    json: tuple[str, ...] = option(
        "--json",
        multiple=True,
        default=(),
        metavar="CRITERION",
        help="shred: schemas written as JSON (with --default-format TSV).",
        group=ROWS,
        shapes_output=True,
    )
    skip: tuple[str, ...] = option(
        "--skip",
        multiple=True,
        default=(),
        metavar="CRITERION",
        help="shred: RDB Loader's name of --json.",
        group=ROWS,
        shapes_output=True,
    )
    legacy_message_format: bool = flag(
        "--legacy-message-format",
        help="shred: write the message as version 1-0-1.",
        group=ROWS,
        shapes_output=True,
    )
    queue: str | None = option(
        "--queue",
        kind=Text("NAME|URL|ARN"),
        default=None,
        help="Announce finished runs to this SQS queue (name or URL) or SNS topic (ARN).",
        group=IO,
    )
    queue_region: str | None = option(
        "--queue-region",
        kind=Text("REGION"),
        default=None,
        default_help="that of the AWS configuration",
        help="AWS region of the queue.",
        group=IO,
    )
    compression: str = option(
        "--compression",
        choices=("gzip", "none"),
        default="gzip",
        help="Compression of the output.",
        group=IO,
        shapes_output=True,
    )

    @property
    def deduplication(self) -> Policy:
        from snowetl.dedupe.rules import Policy

        return Policy.parse(False, "NONE", 1, cross_batch=False) if self.failed_events else super().deduplication

    @property
    def deduplicates(self) -> bool:
        return super().deduplicates and not self.failed_events

    @property
    def formats(self) -> Formats:
        """Raises ``ConfigError``."""
        from snowetl.transform.formats import Formats

        return Formats.parse(self.default_format, self.tsv, self.json, self.skip)

    @property
    def rows_for(self) -> str:
        """The warehouse the rows are made for: the choice of TSV or JSON and the legacy message are Redshift's."""
        from snowetl.transform.formats import Formats

        of_redshift = self.legacy_message_format or self.formats != Formats()
        return "redshift" if of_redshift else self.target

    @property
    def announcement(self) -> Queue | None:
        """The queue or topic that finished runs are announced to. Raises ``ConfigError``."""
        from snowetl.runs.notify import Queue

        return None if self.queue is None else Queue(self.queue, self.queue_region)

    @property
    def reads_twice(self) -> bool:
        """Whether the batch is read for its keys or types before it is transformed."""
        return self.deduplicates or self.transformation == "widerow-parquet"
