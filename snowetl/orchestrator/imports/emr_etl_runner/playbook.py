"""What ``generate emr-config`` and ``generate emr-playbook`` made of a configuration: files for Dataflow Runner.

The command never called its generators, and they name an older set of steps than a run had; with ``--resume-from`` they
give the last step only. They are kept as they were, for those whose playbooks began with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from snowetl.orchestrator.imports.dataflow_runner import write
from snowetl.orchestrator.imports.emr_etl_runner import assets, cluster
from snowetl.orchestrator.imports.emr_etl_runner.assets import run_folder
from snowetl.orchestrator.imports.emr_etl_runner.cluster import THRIFT_CONFIGURATIONS
from snowetl.orchestrator.imports.emr_etl_runner.config import RunnerConfig
from snowetl.orchestrator.imports.emr_etl_runner.steps import (
    ENRICHED_FOLDER,
    RAW,
    SHREDDED,
    copy_jar,
    is_legacy_ami,
    script_runner,
)

_JOBS = "com.snowplowanalytics.snowplow"
_ELASTICSEARCH = "elasticsearch"
_FOLDERS = {
    "in_": "--input_folder",
    "good": "--output_folder",
    "bad": "--bad_rows_folder",
    "errors": "--exceptions_folder",
}
Step = dict[str, Any]


@dataclass(frozen=True)
class Parts:
    """Which steps a playbook has besides the archive of raw logs."""

    debug: bool = False
    staging: bool = False
    enrich: bool = False
    shred: bool = False
    es: bool = False

    @classmethod
    def of(cls, debug: bool, resume_from: str | None) -> Parts:
        """``resume_from`` switches everything off, whatever it is: so it was."""
        on = resume_from is None
        return cls(debug, on, on, on, on)


@dataclass(frozen=True)
class Run:
    """What the steps of one run share."""

    run_id: str
    etl_timestamp: str
    resolver: str
    enrichments: tuple[str, ...] = ()


# --- the cluster ------------------------------------------------------------------------------------------------------


def cluster_file(config: RunnerConfig, version: str = "1-0-0") -> dict[str, Any]:
    """The file of the cluster, keys of AWS included as they stand in ``config``."""
    found = cluster.cluster(config)
    ami, region = str(config["aws.emr.ami_version"]), config["aws.emr.region"]
    scripts = cluster.bootstrap(
        found.bootstrap, config["collectors.format"], ami, region, config["enrich.versions.spark_enrich"]
    )
    data = {
        "name": found.name,
        "logUri": config["aws.s3.buckets.log"],
        "region": region,
        "credentials": _credentials(config),
        "roles": {"jobflow": config["aws.emr.jobflow_role"], "service": config["aws.emr.service_role"]},
        "ec2": {
            "amiVersion": ami,
            "keyName": config["aws.emr.ec2_key_name"],
            "location": write.location(config["aws.emr.ec2_subnet_id"], config["aws.emr.placement"]),
            "instances": {
                "master": {"type": found.primary.type},
                "core": _group(config, "core"),
                "task": _group(config, "task"),
            },
        },
        "tags": write.tags(found.tags),
        "bootstrapActionConfigs": [write.script(each) for each in scripts],
        "configurations": configurations(ami),
        "applications": ["Hadoop", "Spark"],
    }
    return {"schema": f"iglu:com.snowplowanalytics.dataflowrunner/ClusterConfig/avro/{version}", "data": data}


def _credentials(config: RunnerConfig) -> dict[str, str]:
    return {"accessKeyId": config["aws.access_key_id"], "secretAccessKey": config["aws.secret_access_key"]}


def _group(config: RunnerConfig, group: str) -> dict[str, Any]:
    base = f"aws.emr.jobflow.{group}_instance"
    bid, ebs = config[f"{base}_bid"], config[f"{base}_ebs"]
    return {
        "type": config[f"{base}_type"],
        "count": int(config[f"{base}_count"] or 0),
        **({} if bid is None else {"bid": str(bid)}),
        **({"ebsConfiguration": ebs_configuration(ebs)} if ebs else {}),
    }


def ebs_configuration(ebs: Mapping[str, Any] | None) -> dict[str, Any]:
    """One volume an instance; disks that have no guaranteed operations are said to have one."""
    if not ebs:
        return {}
    iops = ebs.get("volume_iops") if ebs["volume_type"] == "io1" else 1
    return write.ebs(bool(ebs.get("ebs_optimized")), ebs["volume_size"], ebs["volume_type"], iops)


def configurations(ami_version: str) -> list[dict[str, Any]]:
    """The settings for Thrift logs, which every release got."""
    return [] if is_legacy_ami(ami_version) else write.configurations(THRIFT_CONFIGURATIONS)


# --- the playbook -----------------------------------------------------------------------------------------------------


def playbook_data(config: RunnerConfig, parts: Parts, run: Run) -> dict[str, Any]:
    """``data`` of the playbook."""
    return {
        "region": config["aws.emr.region"],
        "credentials": _credentials(config),
        "steps": list(playbook_steps(config, parts, run)),
    }


def playbook_file(config: RunnerConfig, parts: Parts, run: Run, version: str = "1-0-0") -> dict[str, Any]:
    schema = f"iglu:com.snowplowanalytics.dataflowrunner/PlaybookConfig/avro/{version}"
    return {"schema": schema, "data": playbook_data(config, parts, run)}


def playbook_steps(config: RunnerConfig, parts: Parts, run: Run) -> Iterator[Step]:
    """All steps, in their order; the archive of raw logs is always the last."""
    endpoint = assets.s3_endpoint(config["aws.s3.region"])
    jars = _jars(config)
    buckets = config["aws.s3.buckets"]
    if parts.debug:
        yield debugging(config["aws.emr.region"])
    if parts.enrich:
        good = run_folder(buckets["enriched"]["good"], run.run_id)
        yield from enrich_steps(config, run, endpoint, str(jars.enrich), good)
    if parts.shred:
        if not parts.enrich:
            yield copy(
                "enriched S3 -> HDFS",
                buckets["enriched"]["good"],
                ENRICHED_FOLDER,
                endpoint,
                ["--srcPattern", ".*part-.*"],
            )
        yield from shred_steps(config, run, endpoint, jars.shred)
    if parts.es:
        yield from elasticsearch_steps(config, run.run_id, jars.elasticsearch, enrich=parts.enrich, shred=parts.shred)
    yield copy(
        "raw S3 staging -> S3 archive",
        buckets["raw"]["processing"],
        run_folder(buckets["raw"]["archive"], run.run_id),
        endpoint,
        ["--deleteOnSuccess"],
    )


def _jars(config: RunnerConfig) -> assets.Assets:
    bucket = assets.hosted_assets(config["aws.s3.buckets.assets"], config["aws.emr.region"])
    versions = config["storage.versions"] or {}
    return assets.jars(
        bucket,
        config["enrich.versions.spark_enrich"],
        versions.get("rdb_shredder") or "0.16.0",
        versions.get("hadoop_elasticsearch") or "0.1.0",
        versions.get("rdb_loader") or "0.17.0",
    )


def staging_steps(folders: list[str], processing: str, endpoint: str, collector_format: str) -> Iterator[Step]:
    """One copy for each folder of raw logs."""
    for folder in folders:
        pattern = r".*localhost\_access\_log.*\.txt.*" if collector_format == "clj-tomcat" else ".+"
        extra = ["--srcPattern", pattern, "--deleteOnSuccess"]
        yield copy(f"staging of {folder}", folder, processing, endpoint, extra)


def enrich_steps(config: RunnerConfig, run: Run, endpoint: str, jar: str, good: str) -> Iterator[Step]:
    buckets, format_ = config["aws.s3.buckets"], config["collectors.format"]
    grouped = ["--groupBy", ".*([0-9]+-[0-9]+-[0-9]+).*", "--targetSize", "128", "--outputCodec", "lzo"]
    extra = grouped if assets.is_cloudfront_log(format_) else []
    yield copy("raw S3 -> HDFS", buckets["raw"]["processing"], RAW, endpoint, extra)
    yield scalding(
        "Enrich raw events",
        jar,
        f"{_JOBS}.enrich.hadoop.EtlJob",
        {
            "in_": assets.all_files(RAW),
            "good": ENRICHED_FOLDER,
            "bad": run_folder(buckets["enriched"]["bad"], run.run_id),
        },
        [
            *("--input_format", str(format_)),
            *("--etl_tstamp", run.etl_timestamp),
            *("--iglu_config", assets.base64(run.resolver)),
            *("--enrichments", assets.enrichments_base64(run.enrichments)),
        ],
    )
    codec = assets.codec_arguments(config["enrich.output_compression"])
    parts = ["--srcPattern", ".*part-.*", *codec]
    yield copy("enriched HDFS -> S3", ENRICHED_FOLDER, good, endpoint, parts)
    yield copy("enriched HDFS _SUCCESS -> S3", ENRICHED_FOLDER, good, endpoint, ["--srcPattern", ".*_SUCCESS"])


def shred_steps(config: RunnerConfig, run: Run, endpoint: str, jar: str) -> Iterator[Step]:
    buckets = config["aws.s3.buckets"]
    good = run_folder(buckets["shredded"]["good"], run.run_id)
    yield scalding(
        "Shred enriched events",
        jar,
        f"{_JOBS}.enrich.hadoop.ShredJob",
        {
            "in_": assets.all_files(ENRICHED_FOLDER),
            "good": SHREDDED,
            "bad": run_folder(buckets["shredded"]["bad"], run.run_id),
        },
        ["--iglu_config", assets.base64(run.resolver)],
    )
    codec = assets.codec_arguments(config["enrich.output_compression"])
    parts = ["--srcPattern", ".*part-.*", *codec]
    yield copy("shredded HDFS -> S3", SHREDDED, good, endpoint, parts)
    yield copy("shredded HDFS _SUCCESS -> S3", SHREDDED, good, endpoint, ["--srcPattern", ".*_SUCCESS"])


def elasticsearch_steps(config: RunnerConfig, run_id: str, jar: str, *, enrich: bool, shred: bool) -> Iterator[Step]:
    """Bad rows of this run to each Elasticsearch target of the configuration."""
    buckets = config["aws.s3.buckets"]
    sources = [
        run_folder(buckets[kind]["bad"], run_id) for kind, on in (("enriched", enrich), ("shredded", shred)) if on
    ]
    wait = ["--delay", "60"]
    for target in config["storage.targets"] or ():
        if target.get("type") != _ELASTICSEARCH:
            continue
        for source in sources:
            arguments = [
                f"{_JOBS}.storage.hadoop.ElasticsearchJob",
                *("--input", source),
                *("--host", str(target["host"])),
                *("--port", str(target["port"])),
                *("--index", str(target["database"])),
                *("--type", str(target["table"])),
                *("--es_nodes_wan_only", "true" if target.get("es_nodes_wan_only") else "false"),
                *wait,
            ]
            yield write.step(f"Errors in {source} -> Elasticsearch: {target['name']}", jar, arguments)
            wait = []


# --- kinds of steps ---------------------------------------------------------------------------------------------------


def copy(what: str, source: str, to: str, endpoint: str, extra: list[str], *, legacy: bool = False) -> Step:
    jar = copy_jar("3" if legacy else "4")
    return write.step(f"S3DistCp: {what}", jar, ["--src", source, "--dest", to, "--s3Endpoint", endpoint, *extra])


def scalding(name: str, jar: str, main: str, folders: Mapping[str, str | None], extra: list[str]) -> Step:
    """A job from before Spark; folders that are ``None`` are not named."""
    named = [(flag, folders.get(key)) for key, flag in _FOLDERS.items()]
    given = [text for flag, folder in named if folder is not None for text in (flag, folder)]
    return write.step(name, jar, [main, "--hdfs", *extra, *given])


def script(region: str, name: str, path: str, arguments: list[str]) -> Step:
    return write.step(name, script_runner(region), [path, *arguments])


def debugging(region: str) -> Step:
    return script(region, "Setup Hadoop debugging", f"s3://{region}.elasticmapreduce/libs/state-pusher/0.1/fetch", [])


def remove(region: str, folder: str, bucket: str) -> Step:
    path = f"{bucket}common/emr/snowplow-hadoop-fs-rmr.sh"
    return script(region, f"Recursively removing content from {folder}", path, [folder])


def hbase(version: str) -> Step:
    jar = f"/home/hadoop/lib/hbase-{version}.jar"
    return write.step(f"Start HBase {version}", jar, ["emr.hbase.backup.Main", "--start-master"])
