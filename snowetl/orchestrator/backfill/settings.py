"""The settings of a backfill: those of its runs, which stretch of time is meant, and how it is cut."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from snowetl.errors import UsageError
from snowetl.orchestrator.settings import RunSettings
from snowetl.runs.run import absolute, run_id
from snowetl.settings import Moment, Number, Size, flag, option
from snowetl.settings.times import millis
from snowetl.steps.settings import RUNS, WORK

BY_NAME, BY_MODIFIED = "name", "modified"
BAD_ROWS = "bad-rows"
"""The input format of bad rows; that of the raw logs stands behind it."""
_OF_ONE_RUN = (
    *("run_id", "since", "until", "redo_from", "etl_timestamp", "max_bytes"),
    *("skip_step", "resume_from", "include"),
)
"""Settings that choose one run, its files or its steps."""
_FOLDERS = ("enriched_folder", "bad_folder", "failed_folder", "transformed_folder")


@dataclass(frozen=True)
class Percent(Number):
    """A share from 1 to 100."""

    minimum: int | None = 1
    maximum: int | None = 100

    def parse(self, value: Any) -> int:
        return super().parse(str(value).removesuffix("%") if isinstance(value, str) else value)


@dataclass(frozen=True, kw_only=True)
class BackfillSettings(RunSettings):
    """A backfill writes below ``backfill/`` in the output folder, and into a schema of its own."""

    from_: str = option("--from", kind=Moment(), help="Read files of this time or later.", group=RUNS)
    to: str = option("--to", kind=Moment(), help="Read files of before this time.", group=RUNS)
    by: str = option(
        "--by",
        choices=(BY_NAME, BY_MODIFIED),
        default=BY_NAME,
        help="How to tell the time of a file: the last time in its path (2026-03-05-10, 2026/03/05/10, "
        "dt=2026-03-05/hour=10), or when it was written.",
        group=RUNS,
    )
    run_bytes: int = option(
        "--run-bytes",
        kind=Size(),
        default=20 << 30,
        default_help="20GB",
        help="Cut the archive into runs of about this much input.",
        group=RUNS,
    )
    parallel: int = option("--parallel", kind=Number(minimum=1), default=1, help="Number of runs at once.", group=WORK)
    sample: int | None = option(
        "--sample",
        kind=Percent(),
        metavar="PERCENT",
        default=None,
        help="Process about this share of the files, into a folder of their own, and estimate time and cost of "
        "the whole.",
        group=RUNS,
    )
    only_bad: bool = flag(
        "--only-bad",
        help="Process the bad rows that the pipeline's runs of that time wrote, instead of raw files. Events "
        "that are good now are loaded into <schema>_recovered.",
        group=RUNS,
    )
    swap: bool = flag(
        "--swap",
        help="When all runs are done, replace --schema by the schema of the backfill; the old one is kept under "
        "another name.",
        group=RUNS,
    )
    swap_incomplete: bool = flag(
        "--swap-incomplete",
        help="Swap even if --schema holds events that the backfill lacks.",
        group=RUNS,
    )

    @property
    def start(self) -> int:
        """Epoch milliseconds."""
        return millis(self.from_)

    @property
    def end(self) -> int:
        return millis(self.to)

    @property
    def name(self) -> str:
        """The stretch of time, as the backfill's folder is called."""
        return f"{run_id(self.start)}_{run_id(self.end)}{'_bad' if self.only_bad else ''}"

    @property
    def folder(self) -> str:
        return absolute(f"{self.output_folder.rstrip('/')}/backfill/{self.name}")

    @property
    def backfill_schema(self) -> str:
        return f"{self.schema}_{'recovered' if self.only_bad else 'backfill'}"

    def check(self) -> None:
        """Raises ``UsageError`` for settings that do not go together."""
        if self.start >= self.end:
            raise UsageError(f"--from {self.from_} is not before --to {self.to}")
        if self.only_bad and self.swap:
            raise UsageError(
                f"--swap: {self.backfill_schema} holds what was bad, and no more: it cannot stand in for "
                f"{self.schema}. Leave --swap out, and copy its rows (docs/backfill.md)"
            )
        if self.recoveries is not None and not self.only_bad:
            raise UsageError("--recoveries: it mends bad rows. Add --only-bad, or leave it out")
        given = [self.option(name).flag for name in _OF_ONE_RUN if getattr(self, name) not in (None, ())]
        if given:
            raise UsageError(f"{', '.join(given)}: a backfill chooses files by --from and --to, cut by --run-bytes")

    def of_bad_rows(self) -> BackfillSettings:
        """With the bad rows of the pipeline's own enrich steps as the input: those of the transform are of events."""
        _, bad, *_ = self.output_folders()
        return replace(
            self, input_folder=(bad,), input_format=f"{BAD_ROWS}/{self.input_format}", inventory=(), input_queue=None
        )

    def run_settings(self, place: str = "", schema: str | None = None) -> RunSettings:
        """The settings of the backfill's runs (of its sample: below ``place``, into another ``schema``).

        What earlier batches had is not asked: the pipeline's own runs would have told it of these very events. Data
        models are for the whole: the first run after the swap builds them.
        """
        folder = f"{self.folder}/{place}" if place else self.folder
        moved: dict[str, Any] = {
            name: f"{getattr(self, name).rstrip('/')}/backfill/{self.name}{'/' if place else ''}{place}"
            for name in _FOLDERS
            if getattr(self, name) is not None
        }
        run = RunSettings(**self.shared_with(RunSettings))
        data_folder: Path | None = run.target.data_folder if "load" in run.steps else run.data_folder
        return replace(
            run,
            output_folder=folder,
            schema=schema or self.backfill_schema,
            data_folder=data_folder,
            duplicate_storage=None,
            input_queue=None,
            models=None,
            dbt=None,
            archive=None,
            settle=0,
            dry_run=False,
            **moved,
        )
