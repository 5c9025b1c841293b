"""The settings that say which run is meant, and which files a new one takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowetl.settings import Duration, Moment, Settings, Size, Text, flag, option
from snowetl.steps.settings import (
    RUNS,
)

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, kw_only=True)
class IntakeSettings(Settings):
    """Without ``run_id`` and ``etl_timestamp``, the run that waits to be finished is meant, or a new one."""

    run_id: str | None = option(
        "--run-id",
        kind=Text("YYYY-MM-DD-HH-mm-ss"),
        default=None,
        default_help="the time of --etl-timestamp; else the unfinished run, or now",
        help="Name of the run: a time in UTC.",
        group=RUNS,
    )
    since: str | None = option(
        "--since",
        kind=Moment(),
        default=None,
        default_help="no limit",
        help="Read only new files that were written at this time or later.",
        group=RUNS,
    )
    until: str | None = option(
        "--until",
        kind=Moment(),
        default=None,
        default_help="no limit",
        help="Read only new files that were written before this time.",
        group=RUNS,
    )
    settle: int = option(
        "--settle",
        kind=Duration(),
        default=0,
        default_help="0: all of them",
        help="Leave files that were written less than this ago to the next run: their writer may not be done.",
        group=RUNS,
    )
    max_bytes: int | None = option(
        "--max-bytes",
        kind=Size(),
        default=None,
        default_help="no limit",
        help="Maximum input of one run, at least one file; the next run reads the other files.",
        group=RUNS,
    )
    all_files: bool = flag(
        "--all-files",
        help="Read all files of the input, including those that earlier runs of this output folder read.",
        group=RUNS,
    )
