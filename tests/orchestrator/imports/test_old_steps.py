"""What EmrEtlRunner would have done: its options, its checks, its steps and their arguments."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from snowetl.orchestrator.imports.emr_etl_runner import assets, cluster, inventory
from snowetl.orchestrator.imports.emr_etl_runner.errors import (
    DirectoryNotEmpty,
    NoDataToProcess,
    RunnerConfigError,
    RunnerError,
    UnexpectedState,
    exit_of,
)
from snowetl.orchestrator.imports.emr_etl_runner.flags import flags, loader_skips
from snowetl.orchestrator.imports.emr_etl_runner.inventory import Inventory
from snowetl.orchestrator.imports.emr_etl_runner.options import RunOptions, check
from snowetl.orchestrator.imports.emr_etl_runner.steps import Buckets, Job, Step, Versions, action_on_failure, plan
from snowetl.orchestrator.imports.emr_etl_runner.targets import Target, Targets

STORAGE = "iglu:com.snowplowanalytics.snowplow.storage"
LZO = ["--targetSize", "128", "--outputCodec", "lzo"]
GOOD, SHREDDED = "enriched/good/run=2026-03-04-01-00-00/", "shredded/good/run=2026-03-04-01-00-00/"


def _target(kind: str, version: str, **data: Any) -> Target:
    return Target({"schema": f"{STORAGE}/{kind}/jsonschema/{version}", "data": {"name": "T", "id": "t1", **data}})


def _redshift(version: str = "4-0-0", **data: Any) -> Target:
    return _target("redshift_config", version, purpose="ENRICHED_EVENTS", **data)


JOB = Job(
    run_id="2026-03-05-02-00-00",
    etl_timestamp="1772676000000",
    resolver="{}",
    enrichments=('{"a": 1}',),
    buckets=Buckets(
        log="s3://b/log/",
        enriched_good="s3://b/enriched/good/",
        enriched_bad="s3://b/enriched/bad/",
        shredded_good="s3://b/shredded/good/",
        shredded_bad="s3://b/shredded/bad/",
        raw_in=("s3://in/", "s3://in2/"),
        raw_processing="s3://b/processing/",
        raw_archive="s3://b/raw/",
        enriched_archive="s3://b/enriched/archive/",
        shredded_archive="s3://b/shredded/archive/",
    ),
    versions=Versions("1.18.0"),
    s3_region="eu-central-1",
    emr_region="eu-central-1",
    collector_format="cloudfront",
    output_compression="GZIP",
    consolidates=True,
)
STREAM = replace(
    JOB, buckets=replace(JOB.buckets, enriched_stream="s3://b/stream/"), options=RunOptions(stream=True),
    collector_format=None,
)  # fmt: skip


def _names(job: Job, found: Inventory | None = None) -> list[str]:
    return [step.name for step in plan(job, found or Inventory())]


def _step(job: Job, name: str, found: Inventory | None = None) -> Step:
    [step] = [step for step in plan(job, found or Inventory()) if name in step.name]
    return step


def _value(step: Step, flag: str) -> str:
    return step.arguments[step.arguments.index(flag) + 1]


# --- options --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (RunOptions(resume_from="staging"), "Invalid option: resume-from can be enrich, shred, elasticsearch"),
        (RunOptions(skip=("load",)), "archive_shredded, staging_stream_enrich not 'load'"),
        (RunOptions(include=("analyze",)), "Invalid option: include can be vacuum not 'analyze'"),
        (RunOptions(skip=("shred",), resume_from="shred"), "resume-from and skip are mutually exclusive"),
        (RunOptions(resume_from="staging_stream_enrich"), "without aws.s3.buckets.enriched.stream settings"),
        (RunOptions(resume_from="enrich", stream=True), "cannot resume from enrich in stream enrich mode"),
        (RunOptions(skip=("enrich",), stream=True), "cannot skip staging nor enrich in stream enrich mode"),
        (RunOptions(resume_from="archive_raw", stream=True), "cannot skip nor resume from archive_raw"),
    ],
)  # fmt: skip
def test_options_are_refused(options: RunOptions, message: str) -> None:
    with pytest.raises(RunnerConfigError) as raised:
        check(options)
    assert message in str(raised.value)
    assert exit_of(raised.value).code == 1


def test_formats_are_checked_whole() -> None:
    for good in (None, "thrift", "clj-tomcat", "cloudfront", "tsv/com.a/b", "ndjson/a/b/c"):
        check(RunOptions(), good)
    for bad in ("thrift ", "tsv/com.a/", "csv/a/b"):
        with pytest.raises(RunnerConfigError, match="not supported"):
            check(RunOptions(), bad)
    with pytest.raises(RunnerConfigError, match=r"Cannot process Thrift events with AMI version 2\.x\.x"):
        check(RunOptions(), "thrift", "2.4.2")


def test_checks_that_are_skipped_are_told_to_the_loader() -> None:
    on = flags(RunOptions(skip=("load_manifest_check", "consistency_check")))
    assert loader_skips(on) == ["consistency_check", "load_manifest_check"]
    assert loader_skips(flags(RunOptions())) == []


# --- steps ----------------------------------------------------------------------------------------------------------


def test_a_whole_run() -> None:
    assert _names(replace(JOB, targets=Targets((_redshift(blacklistTabular=[]),)))) == [
        "[staging] s3-dist-cp: Raw s3://in/ -> Raw Staging S3",
        "[staging] s3-dist-cp: Raw s3://in2/ -> Raw Staging S3",
        "[enrich] s3-dist-cp: Raw S3 -> Raw HDFS",
        "[enrich] spark: Enrich Raw Events",
        "[enrich] spark: Enriched HDFS -> S3",
        "[enrich] spark: Enriched HDFS _SUCCESS -> S3",
        "[cleanup] Empty Raw HDFS",
        "[shred] spark: Shred Enriched Events",
        "[shred] s3-dist-cp: Shredded atomic events HDFS -> S3",
        "[shred] s3-dist-cp: Shredded TSV types HDFS -> S3",
        "[shred] s3-dist-cp: Shredded HDFS _SUCCESS -> S3",
        "[archive_raw] s3-dist-cp: Raw Staging S3 -> Raw Archive S3",
        "[rdb_load] Load T Storage Target",
        "[archive_enriched] s3-dist-cp: Enriched S3 -> Enriched Archive S3",
        "[archive_shredded] s3-dist-cp: Shredded S3 -> Shredded Archive S3",
    ]


@pytest.mark.parametrize(
    ("target", "kinds"),
    [
        (_redshift(blacklistTabular=[]), ["atomic events", "TSV types"]),
        (_redshift(blacklistTabular=["iglu:a/b/jsonschema/1-*-*"]), ["atomic events", "JSON types", "TSV types"]),
        (_redshift(blacklistTabular=None), ["atomic events", "JSON types"]),
        (_redshift("3-0-0", blacklistTabular=[]), ["atomic events", "JSON types"]),
    ],
)
def test_kinds_of_rows_follow_the_target(target: Target, kinds: list[str]) -> None:
    names = _names(replace(JOB, targets=Targets((target,))))
    assert [
        kind for kind in ("atomic events", "JSON types", "TSV types") if any(kind in name for name in names)
    ] == kinds


def test_the_enrich_job_gets_its_documents() -> None:
    step = _step(JOB, "Enrich Raw Events")
    assert step.arguments[7] == (
        "s3://snowplow-hosted-assets-eu-central-1/3-enrich/spark-enrich/snowplow-spark-enrich-1.18.0.jar"
    )
    assert json.loads(b64decode(_value(step, "--enrichments")))["data"] == [{"a": 1}]
    assert _value(step, "--bad-folder") == "s3://b/enriched/bad/run=2026-03-05-02-00-00/"


@pytest.mark.parametrize(
    ("format_", "extra"),
    [
        ("cloudfront", ["--groupBy", ".*([0-9]+-[0-9]+-[0-9]+)-[0-9]+.*", *LZO]),
        ("clj-tomcat", ["--outputCodec", "none"]),
        ("thrift", []),
        ("ndjson/com.urbanairship.connect/v1", ["--groupBy", ".*/(w+)/.*", *LZO]),
    ],
)  # fmt: skip
def test_raw_logs_are_copied_by_their_format(format_: str, extra: list[str]) -> None:
    assert list(_step(replace(JOB, collector_format=format_), "-> Raw HDFS").arguments[6:]) == extra


def test_options_of_the_whole_run_reach_every_copy() -> None:
    job = replace(JOB, encrypted=True, ami_version="3.9.0", output_compression="NONE")
    copies = [step for step in plan(job, Inventory()) if "--src" in step.arguments]
    assert len(copies) == 11
    for step in copies:
        assert step.arguments[-1] == "--s3ServerSideEncryption"
        assert _value(step, "--s3Endpoint") == "s3-eu-central-1.amazonaws.com"
        assert step.jar == "/home/hadoop/lib/emr-s3distcp-1.0.jar"


def test_a_run_of_stream_enrich() -> None:
    names = _names(replace(STREAM, consolidates=False))
    assert names[:4] == [
        "[staging_stream_enrich] s3-dist-cp: Stream Enriched s3://b/stream/ -> Enriched Staging S3",
        "[shred] s3-dist-cp: Enriched S3 -> HDFS",
        "[shred] spark: Shred Enriched Events",
        "[shred] s3-dist-cp: Shredded HDFS -> S3",
    ]
    load = _step(replace(STREAM, targets=Targets((_redshift(),))), "[rdb_load]")
    assert _value(load, "--skip") == "load_manifest"


def test_duplicates_and_manifest_are_told_to_the_shredder() -> None:
    manifest = {"amazonDynamoDb": {"tableName": "manifest"}}
    duplicates = _target("amazon_dynamodb_config", "2-0-0", purpose="DUPLICATE_TRACKING", dynamodbTable="d")
    step = _step(replace(JOB, targets=Targets((_redshift(processingManifest=manifest), duplicates))), "Shred Enriched")
    assert json.loads(b64decode(_value(step, "--duplicate-storage-config"))) == duplicates.document
    assert _value(step, "--processing-manifest-table") == "manifest"
    assert _value(step, "--item-id") == "s3://b/shredded/good/run=2026-03-05-02-00-00/"


def test_bad_rows_wait_for_elasticsearch_once() -> None:
    target = _target("elastic_config", "1-0-1", purpose="FAILED_EVENTS", host="h", port=1, index="i", type="t")
    steps = [step for step in plan(replace(JOB, targets=Targets((target,))), Inventory()) if "Errors" in step.name]
    assert [step.arguments[-2:] for step in steps] == [("--delay", "60"), ("--es_nodes_wan_only", "false")]


def test_a_persistent_cluster_is_emptied_first() -> None:
    job = replace(JOB, persistent=True, persistent_cluster_found=True, debug=True, hbase="0.92.0")
    names = _names(job)
    assert names[:3] == [
        "Elasticity Setup Hadoop Debugging",
        "[cleanup] Empty Snowplow HDFS",
        "[cleanup] Empty HDFS trash",
    ]
    assert "Start HBase 0.92.0" in names
    assert action_on_failure(job) == "CANCEL_AND_WAIT"
    assert [step.name for step in plan(job, Inventory()) if step.retried is False] == [
        "Start HBase 0.92.0",
        "[shred] spark: Shred Enriched Events",
    ]


@pytest.mark.parametrize(
    ("job", "found", "error", "message"),
    [
        (JOB, Inventory(raw_processing_is_empty=False), DirectoryNotEmpty, "staging step to jobflow, s3://b/processing/"),
        (JOB, Inventory(raw_in_with_files=()), NoDataToProcess, "No Snowplow logs to process since last run"),
        (JOB, Inventory(enriched_good=(f"{GOOD}part",)), DirectoryNotEmpty, "enrichment step"),
        (JOB, Inventory(shredded_good=(f"{SHREDDED}part",)), DirectoryNotEmpty, "shredding step"),
        (replace(JOB, options=RunOptions(resume_from="enrich")), Inventory(), NoDataToProcess, "can't resume"),
        (replace(JOB, versions=Versions()), Inventory(), RunnerConfigError, "spark_enrich version is not configured"),
        (STREAM, Inventory(stream_is_empty=True), NoDataToProcess, "No Snowplow enriched stream logs"),
        (STREAM, Inventory(enriched_good=(f"{GOOD}part",)), DirectoryNotEmpty, "stream staging step"),
        (replace(JOB, options=RunOptions(resume_from="rdb_load")), Inventory(), UnexpectedState, "No run folders in"),
        (replace(JOB, options=RunOptions(resume_from="archive_shredded")), Inventory(shredded_good=(f"{SHREDDED}x",)),
         NoDataToProcess, "no data found"),
    ],
)  # fmt: skip
def test_runs_that_would_not_have_started(job: Job, found: Inventory, error: type[RunnerError], message: str) -> None:
    with pytest.raises(error) as raised:
        plan(job, found)
    assert message in str(raised.value)


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("older", "newer"), [("0.16.0-rc1", "0.16.0"), ("0.9.0", "0.16.0"), ("0.16.0-rc1", "0.16.0-rc2"), ("1.8", "1.8.1")]
)
def test_versions_are_ordered(older: str, newer: str) -> None:
    assert assets.order(older) < assets.order(newer)
    assert assets.order("1.8.0") == assets.order("1.8")


def test_hosted_assets_have_a_copy_in_each_region() -> None:
    assert assets.hosted_assets("s3://snowplow-hosted-assets/", "eu-west-1") == "s3://snowplow-hosted-assets/"
    assert assets.hosted_assets("s3://snowplow-hosted-assets/", "us-west-2") == "s3://snowplow-hosted-assets-us-west-2/"
    assert assets.hosted_assets("s3://mine/", "us-west-2") == "s3://mine/"


def test_jars_follow_versions_with_their_faults() -> None:
    old = assets.jars("b/", "2.0.0", "1.0.0", "0.1.0", "1.0.0")
    assert old.enrich == "b/3-enrich/scala-hadoop-enrich/snowplow-hadoop-enrich-2.0.0.jar"
    assert old.shred == "b/3-enrich/scala-hadoop-shred/snowplow-hadoop-shred-1.0.0.jar"
    assert (
        assets.jars("b/", "0.4.0", "0.12.0", "0", "0").enrich == "b/3-enrich/hadoop-etl/snowplow-hadoop-etl-0.4.0.jar"
    )


def test_bootstrap_scripts_in_the_order_of_nodes() -> None:
    scripts = cluster.bootstrap((), "thrift", "3.9.0", "eu-west-1", "1.8.0")
    assert [script.arguments for script in scripts] == [
        ("-c", "io.file.buffer.size=65536"),
        ("-m", "mapreduce.user.classpath.first=true"),
        ("1.5",),
    ]
    assert cluster.bootstrap_script("6.1.0", "us-east-1", None).path == (
        "s3://snowplow-hosted-assets-us-east-1/common/emr/snowplow-ami5-bootstrap-0.1.0.sh"
    )


def test_keys_of_folders_are_no_files() -> None:
    assert inventory.is_empty(["a/", "a_$folder$"])
    assert inventory.last_name(["a", "b", "c/"]) == "b"
    assert inventory.latest_run("p", [f"{GOOD}a", "enriched/good/run=2025-12-31-00-00-00/a"]) == "2026-03-04-01-00-00"
    assert inventory.group_key(".*(part-)\\d+-(.*)|.*(x)", "h/x") == "nullnullx"
