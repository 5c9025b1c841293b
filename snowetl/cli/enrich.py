"""``snowetl enrich``: raw collector logs to enriched events and bad rows. ``jobs/enrich.py`` is the same command."""

from __future__ import annotations

from typing import Any

import click

from snowetl.cli import console, tables
from snowetl.cli.options import ByteSize, Document, adapter_options, config_option
from snowetl.cli.progress import progress


@click.command()
@click.option("-i", "--input-folder", required=True, help="Folder, file or glob of raw logs (local, s3://, hdfs://).")
@click.option(
    "-f",
    "--input-format",
    required=True,
    help="thrift, cloudfront, clj-tomcat, tsv/<vendor>/<version> or ndjson/<vendor>/<version>.",
)
@click.option("-o", "--output-folder", required=True, help="Enriched events go to run=<id>/ below it.")
@click.option("-b", "--bad-folder", required=True, help="Bad rows go to run=<id>/ below it.")
@click.option("-e", "--enrichments", type=Document(), help="Enrichment configurations. Default: none.")
@click.option("--iglu-config", type=Document(), required=True, help="Iglu resolver configuration.")
@click.option("--etl-timestamp", type=int, help="etl_tstamp of all events, epoch ms. Default: the run's time.")
@click.option("-l", "--local", is_flag=True, help="Enrichment files (./ip_geo, ...) are in the working folder.")
@config_option
@click.option("--run-id", help="YYYY-MM-DD-HH-mm-ss (UTC). Default: the time of --etl-timestamp, or now.")
@click.option("--master", help="none (this process, no Spark), local[*] or any Spark master. Default: spark-submit's.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes for --master none.")
@click.option("--dry-run", is_flag=True, help="Check everything, print what would be done, write nothing.")
@click.option(
    "--on-registry-failure",
    type=click.Choice(["fail", "bad-rows"]),
    default="fail",
    show_default=True,
    help="When a schema registry does not answer: fail the job, or make each event that needs it a bad row.",
)
@click.option("--accept-invalid", is_flag=True, help="Let events pass whose contexts added by enrichments are invalid.")
@click.option("--adapters", type=Document(), help="JSON with adaptersSchemas and remoteAdapters. Default: neither.")
@click.option("--max-record-bytes", type=ByteSize(), help="Longer events and bad rows become size violations.")
@click.option("--compression", type=click.Choice(["gzip", "zstd", "none"]), default="gzip", show_default=True)
@click.option("--split-size", type=ByteSize(), default="64MB", show_default=True, help="Input bytes of one task.")
def command(
    input_folder: str,
    input_format: str,
    output_folder: str,
    bad_folder: str,
    enrichments: Any,
    iglu_config: Any,
    etl_timestamp: int | None,
    local: bool,
    run_id: str | None,
    master: str | None,
    workers: int,
    dry_run: bool,
    on_registry_failure: str,
    accept_invalid: bool,
    adapters: Any,
    max_record_bytes: int | None,
    compression: str,
    split_size: int,
) -> None:
    """Turn raw collector logs into enriched events and bad rows.

    Writes run=<id>/ below both output folders. A run that is done already is left as it is; one that died is redone.

    Exit codes: 0 done, 1 failure (nothing is published), 2 wrong usage or configuration, 3 nothing to do.
    """
    from snowetl.steps.enrich import EnrichSettings, execute, prepare, rehearse
    from snowetl.workers import open_pool

    prepared = prepare(
        EnrichSettings(
            input_folder=input_folder,
            input_format=input_format,
            output_folder=output_folder,
            bad_folder=bad_folder,
            resolver=iglu_config,
            enrichments=enrichments,
            run_id=run_id,
            etl_tstamp=etl_timestamp,
            compression=compression,
            split_size=split_size,
            local_assets=local,
            options={
                "on_registry_failure": on_registry_failure,
                "accept_invalid": accept_invalid,
                "max_record_bytes": max_record_bytes,
                **adapter_options(adapters),
            },
        )
    )
    run = prepared.run
    if prepared.done is not None:
        console.say(f"run={run.id} is done already: {run.report_url}. To redo it, delete {run.folders[0]}")
        console.show(tables.report(prepared.done))
        return
    if dry_run:
        rehearse(prepared)
        console.show(tables.plan(prepared))
        return
    console.say(tables.intention(prepared))
    with progress(prepared.bytes) as advance:
        report = execute(prepared, lambda: open_pool(master, workers, f"snowetl enrich {run.id}"), advance)
    console.show(tables.report(report))
    if report["payloads"] == 0 and report["badRows"]:
        console.warn(f"no record could be read as '{input_format}': see the bad rows in {run.folders[1]}")
