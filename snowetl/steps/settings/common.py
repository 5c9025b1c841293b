"""Settings that several verbs have, as classes which the settings of a verb inherit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snowetl.errors import UsageError
from snowetl.settings import Kind, Location, Number, Settings, Size, Text, flag, option
from snowetl.settings.kinds import shown
from snowetl.steps.settings.groups import CONFIGURATION, IO, MESSAGES, RUNS, WORK

if TYPE_CHECKING:
    from snowetl.transform.discovery import RunInterval

_SMALLEST_SPLIT = 1024
RUN_ID = "YYYY-MM-DD-HH-mm-ss"
"""How an option shows that it takes the name of a run."""


@dataclass(frozen=True, kw_only=True)
class Speaking(Settings):
    """How much is said of the work, and how. Nothing here changes what comes out."""

    quiet: bool = flag(
        "-q",
        "--quiet",
        help="Print warnings and errors only.",
        group=MESSAGES,
    )
    verbose: bool = flag(
        "-v",
        "--verbose",
        help="Print more: the settings in force, progress every 5 seconds, and the origin of an error.",
        group=MESSAGES,
    )
    log_format: str = option(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="Format of the messages on standard error: text, or one JSON document per line.",
        group=MESSAGES,
    )


@dataclass(frozen=True, kw_only=True)
class RawInput(Settings):
    """Where collector logs are."""

    input_folder: tuple[str, ...] = option(
        "-i",
        "--input-folder",
        kind=Location("FOLDER|FILE|GLOB"),
        multiple=True,
        help="Raw logs: local, s3:// or hdfs://. May be given several times.",
        group=IO,
        shapes_output=True,
    )


@dataclass(frozen=True, kw_only=True)
class Registries(Settings):
    """Where schemas come from, and what happens when they do not."""

    iglu_config: Any = option(
        "--iglu-config",
        document=True,
        help="Iglu resolver configuration: a JSON file, or its text in base64.",
        group=CONFIGURATION,
        shapes_output=True,
    )
    on_registry_failure: str = option(
        "--on-registry-failure",
        choices=("fail", "bad-rows"),
        default="fail",
        help="If a schema registry does not answer: fail the job, or make each event that needs it a bad row.",
        group=CONFIGURATION,
        shapes_output=True,
    )


@dataclass(frozen=True, kw_only=True)
class SomeRuns(Settings):
    """Which runs of a folder are read: all, unless it is said."""

    since_timestamp: str | None = option(
        "--since-timestamp",
        kind=Text(RUN_ID),
        default=None,
        help="Read only runs after this time (UTC).",
        group=RUNS,
    )
    since_age: str | None = option(
        "--since-age",
        kind=Text("DURATION"),
        default=None,
        help="Read only runs younger than this, such as '4 days'.",
        group=RUNS,
    )
    until: str | None = option(
        "--until",
        kind=Text(RUN_ID),
        default=None,
        help="Read only runs before this time (UTC).",
        group=RUNS,
    )

    @property
    def interval(self) -> RunInterval:
        """Raises ``ConfigError``."""
        from snowetl.transform.discovery import RunInterval

        return RunInterval.parse(self.since_timestamp, self.since_age, self.until)


@dataclass(frozen=True)
class Limit(Kind):
    """A number, or a share in percent."""

    metavar: str = "NUMBER|SHARE%"

    def parse(self, value: Any) -> str:
        text = str(value).replace(" ", "")
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf") or (text.endswith("%") and number > 100):
            raise ValueError(f"{shown(value)} is neither a number nor a share such as 5%")
        return text


@dataclass(frozen=True)
class Master(Kind):
    """``none`` for this process, the URL of a Spark master, or what another package adds."""

    metavar: str = "MASTER"

    def parse(self, value: Any) -> str:
        from snowetl.workers.masters import opener_of

        try:
            opener_of(str(value))
        except UsageError as error:
            raise ValueError(str(error)) from None
        return str(value)


@dataclass(frozen=True, kw_only=True)
class Working(Settings):
    """Where and how a job does its work: nothing here changes what comes out."""

    run_id: str | None = option(
        "--run-id",
        kind=Text(RUN_ID),
        default=None,
        default_help="the time of --etl-timestamp, or now",
        help="Name of the run: a time in UTC.",
        group=RUNS,
    )
    master: str | None = option(
        "--master",
        kind=Master(),
        default=None,
        default_help="as spark-submit or spark-defaults.conf sets it, else local[*]",
        help="Where tasks run: none (this process, without Spark), local[*], any other Spark master, or one that "
        "another package adds.",
        group=WORK,
    )
    workers: int = option(
        "--workers",
        kind=Number(minimum=1),
        default=1,
        help="Number of worker processes, with --master none.",
        group=WORK,
    )
    split_size: int = option(
        "--split-size",
        kind=Size(floor=_SMALLEST_SPLIT),
        default=64 << 20,
        help="Input bytes per task. If that makes more than 2,000 tasks, they are larger, up to 1 GiB.",
        group=WORK,
    )
    dry_run: bool = flag(
        "--dry-run",
        help="Check everything and print the plan; write nothing.",
        group=WORK,
    )
    check_input: bool = flag(
        "--check-input/--no-check-input",
        default=True,
        help="Stop before the work starts if the first records are plainly not in the given input format.",
        group=WORK,
    )
    max_bad: str | None = option(
        "--max-bad",
        kind=Limit(),
        default=None,
        default_help="no limit, and a warning above 50%",
        help="Fail a run that has more bad rows than this: a number, or a share such as 5%.",
        group=WORK,
    )
