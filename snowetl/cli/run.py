"""``snowetl run``: raw collector logs to tables, all steps as one run that can be resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from snowetl.cli import console, enrich, load, transform
from snowetl.cli.options import adapter_options, config_option
from snowetl.cli.progress import duration, progress

_ENRICH = ("input_folder", "input_format", "enrichments", "iglu_config", "etl_timestamp", "local", "run_id", "master",
           "workers", "dry_run", "on_registry_failure", "accept_invalid", "adapters", "max_record_bytes",
           "compression", "split_size")  # fmt: skip
_TRANSFORM = ("natural", "synthetic", "cardinality", "duplicate_storage", "minimum_timestamp",
              "truncate_atomic_fields")  # fmt: skip
_LOAD = ("warehouse", "database", "schema", "role_arn", "assume_role_arn", "region", "max_error")
"""Options of the steps' own verbs that this one has, too."""


@click.command()
@click.option("-o", "--output-folder", required=True,
              help="enriched/, bad/, transformed/ and runs/ (the reports) go below it.")  # fmt: skip
@click.option("--enriched-folder", help="Enriched events go here instead.")
@click.option("--bad-folder", help="Bad rows go here instead.")
@click.option("--transformed-folder", help="Rows for the warehouse go here instead.")
@config_option
@click.option("--data-folder", type=click.Path(path_type=Path),
              help="Data of the embedded PostgreSQL. Default: warehouse/ below the output folder.")  # fmt: skip
@click.option("--load-bad-rows/--no-load-bad-rows", default=True, show_default=True,
              help="Whether bad rows become a table, too (postgres).")  # fmt: skip
def command(**options: Any) -> None:
    """Turn raw collector logs into tables: enrich, transform and load as one run.

    Killed at any moment, it is finished by running it again. Without --run-id, a run of the same settings that waits to
    be finished is taken up; one that has done the very same files is done.

    Exit codes: 0 done, 1 failure (run again), 2 wrong usage or configuration, 3 nothing to do.
    """
    from snowetl.orchestrator import run

    settings = _settings(options)
    if options["dry_run"]:
        _rehearse(settings)
        return
    report = run(settings, _Watch())
    console.show(_table(report))
    console.show(f"  report  {settings.runs_folder}/run={report['run']}/report.html")
    if report["differences"]:
        console.fail(f"the counts do not add up: {'; '.join(report['differences'])}")
        raise click.exceptions.Exit(1)


def _options_of(verb: click.Command, names: tuple[str, ...]) -> list[click.Parameter]:
    by_name = {parameter.name: parameter for parameter in verb.params}
    return [by_name[name] for name in names]


command.params = [
    *_options_of(enrich.command, _ENRICH),
    *command.params,
    *_options_of(transform.command, _TRANSFORM),
    *_options_of(load.command, _LOAD),
]


class _Watch:
    say = staticmethod(console.say)
    progress = staticmethod(progress)


def _settings(options: dict[str, Any]) -> Any:
    from snowetl.load.target import Target
    from snowetl.orchestrator import RunSettings

    folder = options["data_folder"]
    settings = RunSettings(
        **{name: options[name] for name in ("input_folder", "input_format", "output_folder", "enrichments")},
        **{name: options[name] for name in ("enriched_folder", "bad_folder", "transformed_folder", "load_bad_rows")},
        **{name: options[name] for name in ("run_id", "master", "workers", "compression", "split_size")},
        resolver=options["iglu_config"],
        etl_tstamp=options["etl_timestamp"],
        on_registry_failure=options["on_registry_failure"],
        enrich={"local_assets": options["local"], "options": _enrich_options(options)},
        transform=_transform_fields(options),
    )
    target = Target(data_folder=folder or settings.warehouse.data_folder, **{name: options[name] for name in _LOAD})
    return replace(settings, target=target)


def _enrich_options(options: dict[str, Any]) -> dict[str, Any]:
    simple = {name: options[name] for name in ("accept_invalid", "max_record_bytes")}
    return simple | adapter_options(options["adapters"])


def _transform_fields(options: dict[str, Any]) -> dict[str, Any]:
    from snowetl.dedupe.event_manifest import parse_config
    from snowetl.dedupe.rules import Policy

    storage = options["duplicate_storage"]
    policy = (options["natural"], options["synthetic"], options["cardinality"])
    return {
        "deduplication": Policy.parse(*policy, cross_batch=storage is not None),
        "manifest": None if storage is None else parse_config(storage),
        "minimum_timestamp": transform.oldest(options["minimum_timestamp"]),
        "truncate_atomic_fields": options["truncate_atomic_fields"],
    }


def _rehearse(settings: Any) -> None:
    from snowetl.cli import tables
    from snowetl.orchestrator.batch import choose
    from snowetl.steps.enrich import prepare, rehearse

    settings.warehouse.check()
    entry = choose(settings)
    prepared = prepare(settings.enrich_settings(entry.id))
    if prepared.done is None:
        rehearse(prepared)
        console.show(tables.plan(prepared))
    else:
        console.show(f"run={entry.id}: enriched already (dry run: nothing is written)")
    console.show(f"  tables    {settings.warehouse}")


def _table(report: dict[str, Any]) -> str:
    """The counts of a run, and how long its steps took."""
    names = ["  " * level + name for name, _, level in report["counts"]]
    width = max(map(len, names))
    lines = [f"  {name:<{width}}  {row[1]:>12,}" for name, row in zip(names, report["counts"], strict=True)]
    times = ", ".join(f"{step['step']} {duration(step['seconds'])}" for step in report["steps"])
    return "\n".join(
        [f"run={report['run']}", *lines, f"  {'time':<{width}}  {duration(report['seconds']):>12}  {times}"]
    )
