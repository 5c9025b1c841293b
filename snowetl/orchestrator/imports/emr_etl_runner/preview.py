"""What the old runner would have done today, from its own files: its steps, or its playbook."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from snowetl.orchestrator.imports.emr_etl_runner import assets, inventory, playbook
from snowetl.orchestrator.imports.emr_etl_runner.companions import Companions
from snowetl.orchestrator.imports.emr_etl_runner.config import RunnerConfig
from snowetl.orchestrator.imports.emr_etl_runner.flags import flags
from snowetl.orchestrator.imports.emr_etl_runner.inventory import Inventory
from snowetl.orchestrator.imports.emr_etl_runner.options import RunOptions
from snowetl.orchestrator.imports.emr_etl_runner.steps import Buckets, Job, Versions

_ID = "%Y-%m-%d-%H-%M-%S"


def job(
    config: RunnerConfig,
    files: Companions,
    options: RunOptions,
    now: datetime,
    *,
    debug: bool = False,
    persistent: bool = False,
) -> Job:
    """The job that a run of the old runner would have made at ``now`` (its run ids were local time; these are UTC)."""
    at = config["aws.s3.buckets"]
    raw, enriched, shredded = (_section(at.get(name)) for name in ("raw", "enriched", "shredded"))
    defaults = Versions()
    return Job(
        run_id=now.strftime(_ID),
        etl_timestamp=str(int(now.timestamp() * 1000)),
        resolver=files.resolver_text,
        enrichments=files.enrichment_texts,
        buckets=Buckets(
            log=at.get("log") or "",
            enriched_good=enriched["good"],
            enriched_bad=enriched.get("bad") or "",
            shredded_good=shredded.get("good") or "",
            shredded_bad=shredded.get("bad") or "",
            raw_in=config.raw_in,
            raw_processing=raw.get("processing") or "",
            raw_archive=raw.get("archive") or "",
            enriched_archive=enriched.get("archive") or "",
            shredded_archive=shredded.get("archive") or "",
            enriched_stream=enriched.get("stream"),
            assets=at.get("assets") or assets.STANDARD_ASSETS,
        ),
        versions=Versions(
            config["enrich.versions.spark_enrich"],
            config["storage.versions.rdb_shredder"] or defaults.rdb_shredder,
            config["storage.versions.rdb_loader"] or defaults.rdb_loader,
            config["storage.versions.hadoop_elasticsearch"] or defaults.hadoop_elasticsearch,
        ),
        s3_region=config["aws.s3.region"],
        emr_region=config["aws.emr.region"],
        collector_format=config["collectors.format"],
        output_compression=config["enrich.output_compression"] or "NONE",
        options=options,
        targets=files.targets,
        ami_version=str(config["aws.emr.ami_version"]),
        encrypted=bool(at.get("encrypted")),
        consolidates=bool(config["aws.s3.consolidate_shredded_output"]),
        debug=debug,
        persistent=persistent,
        hbase=config["aws.emr.software.hbase"],
        loader_config=_without_keys(config),
    )


def _section(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _without_keys(config: RunnerConfig) -> str:
    """The configuration as RDB Loader got it."""
    import yaml

    blank = {"access_key_id": "", "secret_access_key": ""}
    return yaml.safe_dump({**config.tree, "aws": {**config.tree["aws"], **blank}}, sort_keys=False)


def playbook_files(
    config: RunnerConfig, files: Companions, options: RunOptions, now: datetime, debug: bool
) -> list[Any]:
    """The cluster and the playbook of Dataflow Runner, as the generators would have made them; keys stay references."""
    parts = playbook.Parts.of(debug, options.resume_from)
    run = playbook.Run(now.strftime(_ID), str(int(now.timestamp() * 1000)), files.resolver_text, files.enrichment_texts)
    safe = _with_references(config)
    return [playbook.cluster_file(safe), playbook.playbook_file(safe, parts, run)]


def _with_references(config: RunnerConfig) -> RunnerConfig:
    keys = {"access_key_id": "default", "secret_access_key": "default"}
    return replace(config, tree={**config.tree, "aws": {**config.tree["aws"], **keys}})


def now() -> datetime:
    return datetime.now(UTC)


def ready(job: Job) -> Inventory:
    """Buckets in the state that the steps of ``job`` need: what a run finds where nothing went wrong before."""
    earlier = "run=2020-01-01-00-00-00"
    _, enriched = inventory.split_address(job.buckets.enriched_good)
    _, shredded = inventory.split_address(job.buckets.shredded_good)
    on = flags(job.options)
    return Inventory(
        raw_processing_is_empty=on.staging,
        enriched_good=() if on.enrich or on.staging_stream_enrich else (f"{enriched}{earlier}/part-00000",),
        shredded_good=() if on.shred else (f"{shredded}{earlier}/atomic-events/part-00000",),
    )
