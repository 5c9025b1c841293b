"""``snowetl transform``: enriched runs to rows a warehouse can load. ``jobs/transform.py`` is the same command."""

from __future__ import annotations

from typing import Any

import click

from snowetl.cli import console
from snowetl.cli.options import ByteSize, Document, config_option
from snowetl.cli.progress import duration, progress
from snowetl.cli.tables import size


@click.command()
@click.option("-i", "--input-folder", required=True, help="Enriched events: a run folder, or a folder of them.")
@click.option("-o", "--output-folder", required=True, help="Each run goes to a folder of the same name below it.")
@click.option("--iglu-config", type=Document(), required=True, help="Iglu resolver configuration.")
@click.option(
    "--transformation",
    type=click.Choice(["shred", "widerow-json", "widerow-parquet"]),
    default="shred",
    show_default=True,
    help="Tables for Postgres and Redshift, or wide rows for Snowflake and for lakes.",
)
@click.option("--target", type=click.Choice(["redshift", "postgres"]), default="redshift", show_default=True,
              help="shred: the warehouse whose column types the rows are made for.")  # fmt: skip
@config_option
@click.option("--default-format", type=click.Choice(["TSV", "JSON"]), default="TSV", show_default=True,
              help="shred: format of entities no list names.")  # fmt: skip
@click.option("--tsv", multiple=True, metavar="CRITERION", help="shred: schemas written as TSV (under default JSON).")
@click.option("--json", multiple=True, metavar="CRITERION", help="shred: schemas written as JSON (under default TSV).")
@click.option("--skip", multiple=True, metavar="CRITERION", help="shred: as --json; the name is RDB Loader's.")
@click.option("--natural/--no-natural", default=True, show_default=True, help="Drop events that are there twice.")
@click.option("--synthetic", type=click.Choice(["BROADCAST", "JOIN", "NONE"]), default="BROADCAST", show_default=True,
              help="Give new ids to different events that share one.")  # fmt: skip
@click.option("--cardinality", type=click.IntRange(1), default=1, show_default=True,
              help="How often an id may occur.")  # fmt: skip
@click.option("--duplicate-storage", type=Document(), help="Drop events of earlier batches, too: an "
              "amazon_dynamodb_config, or the URL of a PostgreSQL database.")  # fmt: skip
@click.option("--since-timestamp", help="Only runs after this time, YYYY-MM-DD-HH-mm-ss (UTC).")
@click.option("--since-age", help="Only runs younger than this, such as '4 days'.")
@click.option("--until", help="Only runs before this time, YYYY-MM-DD-HH-mm-ss (UTC).")
@click.option("--minimum-timestamp", help="Events that are older (2020-01-01T00:00:00Z) are bad rows.")
@click.option("--truncate-atomic-fields", is_flag=True, help="Cut atomic strings to the lengths of the atomic schema.")
@click.option("--legacy-message-format", is_flag=True, help="shred: write the message as version 1-0-1.")
@click.option("--queue", help="Where finished runs are announced: name or URL of an SQS queue, or ARN of an SNS topic.")
@click.option("--queue-region", help="Region of the queue. Default: that of the AWS configuration.")
@click.option("--run-id", help="YYYY-MM-DD-HH-mm-ss (UTC), for input that is not in run folders. Default: now.")
@click.option("--master", help="none (this process, no Spark), local[*] or any Spark master. Default: spark-submit's.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes for --master none.")
@click.option("--dry-run", is_flag=True, help="Check everything, print what would be done, write nothing.")
@click.option("--on-registry-failure", type=click.Choice(["fail", "bad-rows"]), default="fail", show_default=True,
              help="When a schema registry does not answer: fail the job, or make bad rows.")  # fmt: skip
@click.option("--compression", type=click.Choice(["gzip", "none"]), default="gzip", show_default=True)
@click.option("--split-size", type=ByteSize(), default="64MB", show_default=True, help="Input bytes of one task.")
def command(**options: Any) -> None:
    """Turn enriched events into rows for a warehouse: shredded, or wide.

    Transforms every run of the input that the output does not have, and leaves shredding_complete.json in each as the
    last thing. A run that died is redone.

    Exit codes: 0 done, 1 failure (the run is not published), 2 wrong usage or configuration, 3 nothing to do.
    """
    from snowetl.steps.transform import execute, prepare
    from snowetl.workers import open_pool

    prepared = prepare(_settings(options))
    for run in prepared.done if not prepared.batches else ():
        console.say(f"{run.id} is done already: {run.folder}. To redo it, delete that folder")
    for name in prepared.unfinished:
        console.warn(f"{name} waits: its enrichment has not ended")
    for name in prepared.redone:
        console.say(f"{name} was begun and not completed: it is redone")
    if options["dry_run"]:
        for batch in prepared.batches:
            tasks = f"{len(batch.files):,} files, {size(batch.bytes)}, {len(batch.work):,} tasks"
            console.show(
                f"{batch.run.id} (dry run: nothing is written)\n  input   {tasks}\n  output  {batch.run.folder}"
            )
        return
    with progress(prepared.bytes) as advance:
        execute(
            prepared,
            lambda: open_pool(options["master"], options["workers"], "snowetl transform"),
            advance,
            told=lambda report: console.show(_shown(report)),
        )


def _settings(options: dict[str, Any]) -> Any:
    from snowetl.dedupe.event_manifest import parse_config
    from snowetl.dedupe.rules import Policy
    from snowetl.runs.notify import Queue
    from snowetl.steps.transform import TransformSettings
    from snowetl.transform.discovery import RunInterval
    from snowetl.transform.formats import Formats

    storage = options["duplicate_storage"]
    return TransformSettings(
        input_folder=options["input_folder"],
        output_folder=options["output_folder"],
        resolver=options["iglu_config"],
        kind=options["transformation"],
        target=options["target"],
        formats=Formats.parse(options["default_format"], options["tsv"], options["json"], options["skip"]),
        deduplication=Policy.parse(
            options["natural"], options["synthetic"], options["cardinality"], cross_batch=storage is not None
        ),
        manifest=None if storage is None else parse_config(storage),
        interval=RunInterval.parse(options["since_timestamp"], options["since_age"], options["until"]),
        minimum_timestamp=oldest(options["minimum_timestamp"]),
        truncate_atomic_fields=options["truncate_atomic_fields"],
        legacy_message=options["legacy_message_format"],
        queue=None if options["queue"] is None else Queue(options["queue"], options["queue_region"]),
        compression=options["compression"],
        split_size=options["split_size"],
        run_id=options["run_id"],
        on_registry_failure=options["on_registry_failure"],
    )


def oldest(minimum_timestamp: str | None) -> Any:
    """The instant of ``--minimum-timestamp``. Raises ``ConfigError``."""
    from snowetl.errors import ConfigError
    from snowetl.jvm import instants

    if minimum_timestamp is None:
        return None
    instant = instants.parse(minimum_timestamp.removesuffix("Z"))
    if instant is None:
        raise ConfigError(f"--minimum-timestamp: '{minimum_timestamp}' is no time such as 2020-01-01T00:00:00Z")
    return instant


def _shown(report: dict[str, Any]) -> str:
    """What became of a run, as text."""
    rows = [
        ("lines", report["records"]),
        ("events", report["events"]),
        ("duplicates", report["duplicates"]),
        ("new ids", report["newIds"]),
        ("bad rows", sum(report["badRows"].values())),
        *((f"  {name}", count) for name, count in report["badRows"].items()),
        ("schemas", len(report["types"])),
        ("folders", len(report["tables"])),
    ]
    width = max(len(name) for name, _ in rows)
    rate = report["records"] / report["seconds"] if report["seconds"] else 0
    lines = [f"run={report['run']}", *(f"  {name:<{width}}  {count:>12,}" for name, count in rows)]
    lines.append(f"  {'time':<{width}}  {duration(report['seconds']):>12}  {rate:,.0f} lines/s")
    return "\n".join([*lines, f"  {report['settings']['outputFolder']}"])
