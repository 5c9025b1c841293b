"""The settings of the verbs that look at runs, or do something to them."""

from __future__ import annotations

from dataclasses import dataclass

from snowetl.orchestrator import step_names
from snowetl.settings import Choice, Duration, Location, Number, Settings, Text, argument, flag, option
from snowetl.steps.settings import IO, RUNS, WAREHOUSE, WORK, Speaking

PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("x86_64", "aarch64")
"""What a package can be made for."""


@dataclass(frozen=True, kw_only=True)
class Pipeline(Settings):
    """Which pipeline: the output folder of its runs."""

    output_folder: str = option(
        "-o",
        "--output-folder",
        kind=Location(),
        help="The output folder of the runs.",
        group=IO,
    )


@dataclass(frozen=True, kw_only=True)
class OneRun(Pipeline):
    """Which run of it."""

    run: str | None = argument(
        "[RUN]", "Id of the run; by default, the latest unfinished one.", kind=Text("RUN"), default=None
    )


@dataclass(frozen=True, kw_only=True)
class StatusSettings(Pipeline, Speaking):
    """How all runs stand."""

    latest: int = option(
        "--latest", kind=Number(minimum=1), default=20, help="Number of runs to show, the last first.", group=RUNS
    )
    late_after: int | None = option(
        "--late-after",
        kind=Duration(),
        default=None,
        default_help="never",
        help="Exit with 1 if no run was finished for this long: for an alarm.",
        group=RUNS,
    )
    json: bool = flag("--json", help="Print one JSON document.", group=IO)


@dataclass(frozen=True, kw_only=True)
class ResumeSettings(OneRun, Speaking):
    """Go on with a run."""


@dataclass(frozen=True, kw_only=True)
class CancelSettings(OneRun, Speaking):
    """Stop a run."""


@dataclass(frozen=True, kw_only=True)
class UnlockSettings(OneRun, Speaking):
    """Free a lease."""

    force: bool = flag("--force", help="Release the lease even if its holder may be alive.", group=RUNS)


@dataclass(frozen=True, kw_only=True)
class LogsSettings(OneRun, Speaking):
    """The log of a step."""

    step: str | None = option(
        "--step",
        choices=step_names.ALL,
        default=None,
        default_help="the step at which the run stands",
        help="Show the log of this step.",
        group=RUNS,
    )


@dataclass(frozen=True, kw_only=True)
class PackageSettings(Speaking):
    """Where the package goes, and what it is for."""

    folder: str = argument(
        "FOLDER",
        "Destination of the package: a folder, or s3://BUCKET/PREFIX. Existing files are replaced.",
        kind=Location(),
    )
    python: str = option(
        "--python",
        kind=Choice("|".join(PYTHONS), PYTHONS),
        default=PYTHONS[0],
        help="Python version of the cluster: 3.11 on EMR 7, 3.11 or 3.13 on emr-spark-8.",
        group=WORK,
    )
    platform: str = option(
        "--platform",
        kind=Choice("|".join(PLATFORMS), PLATFORMS),
        default=PLATFORMS[0],
        help="Processors of the cluster: aarch64 is Graviton.",
        group=WORK,
    )
    interpreter: str | None = option(
        "--interpreter",
        kind=Text("PATH"),
        default=None,
        default_help="/usr/bin/python and the version",
        help="Path of that Python on the cluster's nodes.",
        group=WORK,
    )
    add: tuple[str, ...] = option(
        "--add",
        kind=Text("REQUIREMENT"),
        default=(),
        multiple=True,
        help="A package of your own (adapters, enrichments): a wheel, or a name pip knows. May be given several times.",
        group=IO,
    )


@dataclass(frozen=True, kw_only=True)
class InitSettings(Speaking):
    """The first files of a pipeline."""

    folder: str = argument(
        "[FOLDER]", "Folder for the new files; by default the current one.", kind=Text("FOLDER"), default="."
    )
    input_folder: str = option(
        "-i", "--input-folder", kind=Location("FOLDER|FILE|GLOB"), default="logs", help="Raw logs.", group=IO
    )
    input_format: str = option("-f", "--input-format", default="thrift", help="Format of the raw logs.", group=IO)
    output_folder: str = option(
        "-o", "--output-folder", kind=Location(), default="out", help="Folder for the output of the pipeline.", group=IO
    )
    warehouse: str = option(
        "--warehouse",
        kind=Text("KIND"),
        default="postgres",
        help="Kind of the warehouse: postgres, redshift, or one that another package adds.",
        group=WAREHOUSE,
    )
    force: bool = flag("--force", help="Replace existing files.", group=IO)
