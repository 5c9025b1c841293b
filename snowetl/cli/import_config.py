"""``snowetl import-config``: a ``snowetl.yml`` from the files of EmrEtlRunner, Dataflow Runner or RDB Loader."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from snowetl.cli import console
from snowetl.errors import ConfigError, UsageError
from snowetl.settings.words import count

if TYPE_CHECKING:
    from snowetl.orchestrator.imports.emr_etl_runner.companions import Companions
    from snowetl.orchestrator.imports.emr_etl_runner.config import RunnerConfig
    from snowetl.orchestrator.imports.emr_etl_runner.options import RunOptions
    from snowetl.orchestrator.imports.found import Found

_into = click.option(
    "-o",
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="FOLDER",
    help="Write snowetl.yml (and cluster.yml) here. [default: the working folder]",
)
_force = click.option("--force", is_flag=True, help="Replace existing files.")
_resolver = click.option("-r", "--resolver", metavar="FILE", help="The Iglu resolver's configuration.")


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Write a snowetl.yml from the configuration of EmrEtlRunner, Dataflow Runner or RDB Loader."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command("emr-etl-runner")
@click.argument("config", required=False, metavar="[CONFIG|-]")
@_resolver
@click.option("-n", "--enrichments", metavar="FOLDER", help="The folder of enrichments.")
@click.option("-t", "--targets", metavar="FOLDER", help="The folder of storage targets.")
@click.option(
    "--command",
    "old",
    metavar="TEXT",
    help="The old command line, as it stands in cron: it tells where the files are, and what is skipped.",
)
@click.option("--show-steps", is_flag=True, help="Print the steps the old runner would take now, and write nothing.")
@click.option("--look", is_flag=True, help="--show-steps: list the buckets, too; without it they are taken as ready.")
@click.option(
    "--show-playbook",
    is_flag=True,
    help="Print the cluster and the playbook for Dataflow Runner that its generators made, and write nothing.",
)
@click.option(
    "--job-flow",
    metavar="j-…",
    help="Ask EMR how this job flow of the old runner ended, say how to finish it, and write nothing.",
)
@_into
@_force
def emr_etl_runner(
    config: str | None,
    resolver: str | None,
    enrichments: str | None,
    targets: str | None,
    old: str | None,
    show_steps: bool,
    look: bool,
    show_playbook: bool,
    job_flow: str | None,
    into: Path,
    force: bool,
) -> None:
    """Read a config.yml of EmrEtlRunner, of any release, and the files beside it.

    Exit codes: 0 done, 2 it cannot be read; with --show-steps those of the old runner (3 nothing to do, 4 an earlier
    run is unfinished).
    """
    from snowetl.orchestrator.imports.emr_etl_runner import command as commands
    from snowetl.orchestrator.imports.emr_etl_runner import companions, convert, preview
    from snowetl.orchestrator.imports.emr_etl_runner import config as configs
    from snowetl.orchestrator.imports.emr_etl_runner.errors import RunnerError, exit_of
    from snowetl.orchestrator.imports.emr_etl_runner.options import check

    try:
        given = commands.parse(old or "")
        path = config or given.config
        stdin = sys.stdin.read() if path == "-" else ""
        read = configs.parse(configs.config_text(path, stdin=stdin), "standard input" if path == "-" else str(path))
        options = commands.with_stream(given.options, read.stream)
        check(options, read["collectors.format"], str(read["aws.emr.ami_version"]))
        files = companions.read(
            read, resolver or given.resolver, enrichments or given.enrichments, targets or given.targets
        )
        if job_flow is not None:
            _show_job_flow(read, job_flow)
        elif show_playbook:
            for file in preview.playbook_files(read, files, options, preview.now(), given.debug):
                console.emit(json.dumps(file, indent=2))
        elif show_steps:
            _show_steps(read, files, options, given, look)
        else:
            _write(commands.added(convert.found(read, files, options), given), into, force)
    except RunnerError as error:
        code, prefix = exit_of(error)
        console.fail(f"{prefix or ''}{error}")
        raise click.exceptions.Exit(2 if code == 1 else code) from None


def _show_steps(read: RunnerConfig, files: Companions, options: RunOptions, given: Any, look: bool) -> None:
    from snowetl.orchestrator.imports.emr_etl_runner import look as looking
    from snowetl.orchestrator.imports.emr_etl_runner import preview
    from snowetl.orchestrator.imports.emr_etl_runner.steps import plan
    from snowetl.orchestrator.imports.emr_etl_runner.words import lines

    job = preview.job(read, files, options, preview.now(), debug=given.debug, persistent=given.persistent)
    found = looking.look(job) if look else preview.ready(job)
    console.show("\n".join(lines(plan(job, found), job)))
    for path in looking.left_behind(job) if look else ():
        console.warn(f"{path} has no date in its name: the old runner archived such files without enriching them")


def _show_job_flow(read: RunnerConfig, id_: str) -> None:
    from snowetl.orchestrator.imports.emr_etl_runner import last_job

    region = read["aws.emr.region"]
    cluster, steps, log_uri = last_job.found(id_, region)
    console.show("\n".join(filter(None, last_job.lines(cluster, steps, log_uri))))
    name = read["aws.emr.jobflow.job_name"]
    other = last_job.persistent(name, region) if name else None
    if other is not None:
        console.show(f"The persistent cluster {other} ({name}) waits for work, and costs: end it after the switch")


@command.command("dataflow-runner")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--vars", "variables", default="", metavar="K,V,K,V", help="Variables of the templates.")
@_into
@_force
def dataflow_runner(files: tuple[str, ...], variables: str, into: Path, force: bool) -> None:
    """Read a cluster and playbooks of Dataflow Runner, and the files that they name.

    Exit codes: 0 done, 2 a file cannot be read.
    """
    from snowetl.orchestrator.imports.dataflow_runner import convert, template
    from snowetl.orchestrator.imports.dataflow_runner.files import check_credentials, read

    filler = template.Template(template.variables(variables))
    found = [read(path, filler) for path in files]
    for file in found:
        check_credentials(file.data.get("credentials") or {})
    _write(convert.found(found, filler), into, force)


@command.command("rdb-loader")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_resolver
@_into
@_force
def rdb_loader(files: tuple[str, ...], resolver: str | None, into: Path, force: bool) -> None:
    """Read the configurations (HOCON) of RDB Loader and of its transformer.

    Exit codes: 0 done, 2 a file cannot be read.
    """
    from snowetl.orchestrator.imports import rdb_loader as loader

    _write(loader.found([(loader.read(file), file) for file in files], resolver), into, force)


def _write(found: Found, into: Path, force: bool) -> None:
    """Write what was found, say what was not carried, and what to do next."""
    from snowetl.orchestrator.imports.checked import checked
    from snowetl.orchestrator.imports.completed import with_cluster
    from snowetl.orchestrator.imports.yml import cluster_yml, documents_beside, snowetl_yml

    found = checked(with_cluster(found, (into / "cluster.yml").as_posix()))
    texts = {into / "snowetl.yml": snowetl_yml(found, into.as_posix())}
    texts |= {into / name: text for name, text in documents_beside(found).items()}
    if found.cluster is not None:
        texts[into / "cluster.yml"] = cluster_yml(found.cluster, found.source)
    present = [str(path) for path in texts if path.exists()]
    if present and not force:
        raise UsageError(f"{' and '.join(present)} would be replaced: give --into another folder, or --force")
    try:
        into.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"{into} cannot be written to: {error.strerror or error}") from None
    console.summarize(f"{' and '.join(map(str, texts))}: {count(_carried(found), 'setting')}")
    if found.to_do:
        console.show(f"\n{count(len(found.to_do), 'thing')} to look at, not carried as in the old file:")
        for left in found.to_do:
            console.show(f"  - {console.one_line(str(left))}")
    if found.settled:
        console.summarize(f"\n{count(len(found.settled), 'thing')} left out that nothing here needs:")
        for left in found.settled:
            console.summarize(f"  - {console.one_line(left.where)}: {console.one_line(left.why)}")
    for verb in found.verbs:
        console.summarize(f"\nNext: snowetl {verb} --config {into / 'snowetl.yml'}")
    package = found.verbs.get("run", {}).get("emr-package")
    if package is not None:
        console.summarize(f"On EMR: snowetl package {package.value}, then the same with --executor emr")


def _carried(found: Found) -> int:
    return len(found.settings) + sum(map(len, found.verbs.values()))
