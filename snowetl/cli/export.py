"""``snowetl export``: a run in the words of boto3, Airflow, Step Functions or Dataflow Runner; a cube of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from snowetl.analytics.settings import CubeSettings
from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.errors import ConfigError, UsageError
from snowetl.orchestrator.executors.emr_jobs import ENVIRONMENT
from snowetl.orchestrator.executors.emr_requests import SparkJob
from snowetl.orchestrator.exports.step import ExistingCluster, Place, TransientCluster
from snowetl.orchestrator.settings import RunSettings
from snowetl.settings import LocalPath, Text, flag, option

WRITTEN = "What is written"
EXIT_CODES = {0: "done", 2: "wrong usage or configuration"}


@dataclass(frozen=True, kw_only=True)
class ExportSettings(RunSettings):
    """A run, when it begins, and where its description goes. Where it works, say the options of ``run``."""

    schedule: str = option(
        "--schedule",
        kind=Text("CRON"),
        default="0 * * * *",
        help="When runs begin: minute, hour, day, month, weekday, in UTC.",
        group=WRITTEN,
    )
    into: Path = option(
        "--into",
        kind=LocalPath("FOLDER"),
        default=Path(),
        default_help="the working folder",
        help="Write the files here.",
        group=WRITTEN,
    )
    force: bool = flag("--force", help="Replace existing files.", group=WRITTEN)

    @property
    def run(self) -> RunSettings:
        return RunSettings(**self.shared_with(RunSettings))

    @property
    def place(self) -> Place:
        """Where the run works. Raises ``UsageError`` unless exactly one place is given."""
        from snowetl.orchestrator.executors import emr, emr_serverless

        ways = {"--emr-cluster": self.emr_cluster, "--emr-cluster-id": self.emr_cluster_id,
                "--emr-application-id": self.emr_application_id}  # fmt: skip
        if sum(value is not None for value in ways.values()) != 1:
            *first, last = ways
            raise UsageError(f"give one of {', '.join(first)} and {last}: where does the run work?")
        if self.emr_application_id is not None:
            if self.emr_job_role is None:
                raise UsageError("--emr-application-id needs --emr-job-role, the role of its jobs")
            return emr_serverless.place_of(self)
        environment = f"{self.package}/{ENVIRONMENT}"
        if self.emr_cluster_id is not None:
            return ExistingCluster(self.emr_cluster_id, self.emr_region, environment)
        return TransientCluster(emr.cluster_of(self), environment)

    @property
    def package(self) -> str:
        """The folder of the jobs and their environment. Raises ``UsageError`` where it is not given."""
        if self.emr_package is None:
            raise UsageError("--emr-package is missing: the folder on S3 that `snowetl package` filled")
        return self.emr_package.rstrip("/")


class _Exports(click.Group):
    """``snowetl export --cube …`` is ``snowetl export cube --cube …``: no other export has that option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = {argument.partition("=")[0] for argument in args}
        if "--cube" in given and args[0].startswith("-"):
            args = ["cube", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Exports, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Write a run for another scheduler (boto3, Airflow, …), or counts of events as a table (cube)."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _subcommand(name: str, example: str) -> Callable[[Callable[[ExportSettings], None]], click.Command]:
    """A subcommand with the settings of ``snowetl run`` and those of an export."""

    def add(function: Callable[[ExportSettings], None]) -> click.Command:
        made = verb(
            ExportSettings,
            examples=(f"\nsnowetl export {name} --config snowetl.yml --emr-package s3://bucket/snowetl {example}",),
            exit_codes=EXIT_CODES,
            section="run",
            preflight=False,
        )(function)
        command.add_command(made, name)
        return made

    return add


@_subcommand("boto3", "--emr-cluster cluster.yml")
def boto3(settings: ExportSettings) -> None:
    """Write requests.json: the calls of boto3 that start one run."""
    from snowetl.orchestrator.exports import boto3_json
    from snowetl.runs.run import run_id

    id_ = settings.given_id or run_id(int(datetime.now(UTC).timestamp() * 1000))
    _write(settings, lambda steps, place: boto3_json.files(steps, place, id_))


@_subcommand("airflow", "--emr-application-id 00f… --emr-job-role arn:…")
def airflow(settings: ExportSettings) -> None:
    """Write snowetl_dag.py: a DAG of stock, deferrable operators."""
    from snowetl.orchestrator.exports import airflow as export
    from snowetl.orchestrator.exports.schedules import checked

    schedule, today = checked(settings.schedule), datetime.now(UTC)
    start = (today.year, today.month, today.day)
    _write(settings, lambda steps, place: export.files(steps, place, schedule, start))


@_subcommand("step-functions", "--emr-application-id 00f… --emr-job-role arn:… --schedule '15 * * * *'")
def step_functions(settings: ExportSettings) -> None:
    """Write state_machine.json and schedule.json: Step Functions, started by EventBridge Scheduler."""
    from snowetl.orchestrator.exports import step_functions as export

    _write(settings, lambda steps, place: export.files(steps, place, settings.schedule))


@_subcommand("playbook", "--emr-cluster cluster.yml")
def playbook(settings: ExportSettings) -> None:
    """Write playbook.json and cluster.json for Dataflow Runner."""
    from snowetl.orchestrator.exports import playbook as export

    _write(settings, export.files)


@verb(
    CubeSettings,
    examples=("\nsnowetl export --cube day,page,campaign --to xlsx -i out/enriched -o visits.xlsx",),
    exit_codes={0: "done", 1: "failure", 2: "wrong usage or configuration", 3: "there are no events"},
    section="export",
    preflight=False,
)
def cube(settings: CubeSettings) -> None:
    """Count events, page views, sessions and users of enriched folders by dimensions, as CSV, Excel or Parquet."""
    from snowetl.analytics.export import export_cube

    written = export_cube(settings, console.emit, console.warn)
    if written is not None:
        console.summarize(f"{written} written")


command.add_command(cube, "cube")


def _write(settings: ExportSettings, made: Callable[[Sequence[SparkJob], Place], Mapping[str, str]]) -> None:
    """Write the files of an export, and say what must be on S3 before they work."""
    from snowetl.orchestrator.exports.planned import prepared

    place = settings.place
    ready = prepared(settings.run, settings.package, place)
    texts = {settings.into / name: text for name, text in made(ready.steps, place).items()}
    present = [str(path) for path in texts if path.exists()]
    if present and not settings.force:
        raise UsageError(f"{' and '.join(present)} would be replaced: give --into another folder, or --force")
    try:
        settings.into.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"{settings.into} cannot be written to: {error.strerror or error}") from None
    console.summarize(f"{' and '.join(map(str, texts))} written. Before the first run:")
    for line in ready.uploads:
        console.summarize(f"  {line}")
