"""The steps the old runner would have put on the cluster: names, jars and arguments, in their order.

``snowetl import-config … --show-steps`` prints them, so that people who move can compare what is done for them
today with what will be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from snowetl.orchestrator.imports.emr_etl_runner import assets, inventory
from snowetl.orchestrator.imports.emr_etl_runner.assets import run_folder
from snowetl.orchestrator.imports.emr_etl_runner.errors import (
    DirectoryNotEmpty,
    NoDataToProcess,
    RunnerConfigError,
)
from snowetl.orchestrator.imports.emr_etl_runner.flags import Flags, flags, loader_skips
from snowetl.orchestrator.imports.emr_etl_runner.inventory import Inventory
from snowetl.orchestrator.imports.emr_etl_runner.options import RunOptions
from snowetl.orchestrator.imports.emr_etl_runner.targets import (
    DUPLICATES,
    ENRICHED,
    FAILED,
    Target,
    Targets,
    copies_json,
    copies_tsv,
    elasticsearch_arguments,
    writes_tsv,
)

HDFS = "hdfs:///local/snowplow/"
RAW, ENRICHED_FOLDER, SHREDDED = f"{HDFS}raw-events/", f"{HDFS}enriched-events/", f"{HDFS}shredded-events/"
S3_DIST_CP = "/usr/share/aws/emr/s3-dist-cp/lib/s3-dist-cp.jar"
LEGACY_S3_DIST_CP = "/home/hadoop/lib/emr-s3distcp-1.0.jar"
_SUCCESS = ".*_SUCCESS"
_PARTS = ".*part-.*"
_MANIFEST_SINCE = "0.14.0-rc1"
_KNOWS_LOAD_MANIFEST_AFTER = "0.15.0-rc4"
_TYPES = r"/vendor=(.+)/name=(.+)/.+/version=(.+)/(part-)\d+-(.*)"
_RAW_COPY = {"clj-tomcat": ["--outputCodec", "none"]}


@dataclass(frozen=True)
class Buckets:
    """Folders on S3, each with a slash at its end."""

    log: str
    enriched_good: str
    enriched_bad: str
    shredded_good: str
    shredded_bad: str
    raw_in: tuple[str, ...] = ()
    raw_processing: str = ""
    raw_archive: str = ""
    enriched_archive: str = ""
    shredded_archive: str = ""
    enriched_stream: str | None = None
    assets: str = assets.STANDARD_ASSETS


@dataclass(frozen=True)
class Versions:
    """Releases of the jobs."""

    spark_enrich: str | None = None
    rdb_shredder: str = "0.16.0"
    rdb_loader: str = "0.17.0"
    hadoop_elasticsearch: str = "0.1.0"


@dataclass(frozen=True)
class Job:
    """All that the steps of one run follow from."""

    run_id: str
    etl_timestamp: str
    """Milliseconds since 1970, as text."""
    resolver: str
    """The text of the resolver's file."""
    enrichments: tuple[str, ...]
    buckets: Buckets
    versions: Versions
    s3_region: str
    emr_region: str
    collector_format: str | None
    output_compression: str
    options: RunOptions = field(default_factory=RunOptions)
    targets: Targets = field(default_factory=Targets)
    ami_version: str = "5.29.0"
    encrypted: bool = False
    consolidates: bool = False
    debug: bool = False
    persistent: bool = False
    persistent_cluster_found: bool = False
    hbase: str | None = None
    loader_config: str = ""
    """The configuration as RDB Loader got it: YAML, without keys."""

    @property
    def standard_assets(self) -> str:
        return assets.hosted_assets(assets.STANDARD_ASSETS, self.emr_region)

    @property
    def jars(self) -> assets.Assets:
        bucket = assets.hosted_assets(self.buckets.assets, self.emr_region)
        of = self.versions
        return assets.jars(bucket, of.spark_enrich, of.rdb_shredder, of.hadoop_elasticsearch, of.rdb_loader)

    @property
    def enrichments_base64(self) -> str:
        return assets.enrichments_base64(self.enrichments)


@dataclass(frozen=True)
class Step:
    """One step of the cluster. ``retried``: on a persistent cluster it was sent again after a failure (``None``: it is
    no step of the runner's own)."""

    name: str
    jar: str
    arguments: tuple[str, ...]
    retried: bool | None = True


def plan(job: Job, found: Inventory) -> list[Step]:
    """The steps of a run, in order.

    Raises a :class:`~.errors.RunnerError` where the old runner would have stopped before it started a cluster; which,
    says the first of its checks that fails.
    """
    on = flags(job.options)
    steps = _Steps(job, found, on)
    return list(steps.all())


def action_on_failure(job: Job) -> str:
    """What EMR did after a failed step."""
    return "CANCEL_AND_WAIT" if job.persistent else "TERMINATE_JOB_FLOW"


@dataclass(frozen=True)
class _Steps:
    job: Job
    found: Inventory
    on: Flags

    def all(self) -> Iterator[Step]:
        if self.job.debug:
            yield debugging(self.job.emr_region)
        if self.job.persistent_cluster_found:
            yield self.remove("[cleanup] Empty Snowplow HDFS", RAW, ENRICHED_FOLDER, SHREDDED)
            yield Step("[cleanup] Empty HDFS trash", "command-runner.jar", ("hdfs", "dfs", "-expunge"))
        if self.on.staging:
            yield from self.staging()
        if self.job.hbase:
            yield Step(f"Start HBase {self.job.hbase}", *_hbase(self.job.hbase), retried=False)
        if self.on.enrich:
            yield from self.enrich()
        if self.on.staging_stream_enrich:
            yield from self.staging_stream()
        if self.on.shred:
            yield from self.shred()
        if self.on.es:
            yield from self.elasticsearch()
        if self.on.archive_raw:
            yield self.move(
                "[archive_raw] s3-dist-cp: Raw Staging S3 -> Raw Archive S3",
                self.job.buckets.raw_processing,
                run_folder(self.job.buckets.raw_archive, self.job.run_id),
            )
        if self.on.rdb_load:
            yield from (self.load(target) for target in self.job.targets.of(ENRICHED))
        yield from self.archives()

    # --- raw logs to enriched events

    def staging(self) -> Iterator[Step]:
        buckets, format_ = self.job.buckets, self.job.collector_format
        if not self.found.raw_processing_is_empty:
            raise _not_empty("staging", buckets.raw_processing)
        with_files = self.found.raw_in_with_files
        folders = buckets.raw_in if with_files is None else [each for each in buckets.raw_in if each in with_files]
        if not folders:
            raise NoDataToProcess("No Snowplow logs to process since last run")
        grouped = ["--groupBy", r".*/_*(.+)"] if format_ == "clj-tomcat" else []
        for folder in folders:
            yield self.copy(
                f"[staging] s3-dist-cp: Raw {folder} -> Raw Staging S3",
                folder,
                buckets.raw_processing,
                ["--srcPattern", inventory.raw_pattern(format_), "--deleteOnSuccess", *grouped],
            )

    def enrich(self) -> Iterator[Step]:
        job, buckets = self.job, self.job.buckets
        if not self.on.staging and self.found.raw_processing_is_empty:
            raise NoDataToProcess(f"No Snowplow logs in {buckets.raw_processing}, can't resume from enrich")
        jar = job.jars.enrich
        if jar is None:
            raise RunnerConfigError("Cannot add enrich step as spark_enrich version is not configured")
        if not inventory.is_empty(self.found.enriched_good):
            raise _not_empty("enrichment", buckets.enriched_good)
        grouping = inventory.raw_grouping(job.collector_format)
        extra = ["--groupBy", grouping, "--targetSize", "128", "--outputCodec", "lzo"] if grouping else None
        yield self.copy(
            "[enrich] s3-dist-cp: Raw S3 -> Raw HDFS",
            buckets.raw_processing,
            RAW,
            extra or _RAW_COPY.get(job.collector_format or "", []),
        )
        yield self.spark(
            "[enrich] spark: Enrich Raw Events",
            "com.snowplowanalytics.snowplow.enrich.spark.EnrichJob",
            jar,
            [
                *("--input-format", str(job.collector_format)),
                *("--etl-timestamp", job.etl_timestamp),
                *("--iglu-config", assets.base64(job.resolver)),
                *("--enrichments", job.enrichments_base64),
                *("--input-folder", assets.all_files(RAW)),
                *("--output-folder", ENRICHED_FOLDER),
                *("--bad-folder", run_folder(buckets.enriched_bad, job.run_id)),
            ],
            retried=True,
        )
        good = run_folder(buckets.enriched_good, job.run_id)
        parts = ["--groupBy", r".*(part-)\d+-(.*)", "--targetSize", "24"]
        yield self.copy(
            "[enrich] spark: Enriched HDFS -> S3",
            ENRICHED_FOLDER,
            good,
            parts,
            after=assets.codec_arguments(job.output_compression),
            endpoint_last=True,
        )
        yield self.copy(
            "[enrich] spark: Enriched HDFS _SUCCESS -> S3",
            ENRICHED_FOLDER,
            good,
            ["--srcPattern", _SUCCESS],
            endpoint_last=True,
        )

    def staging_stream(self) -> Iterator[Step]:
        buckets = self.job.buckets
        if not inventory.is_empty(self.found.enriched_good):
            raise _not_empty("stream staging", buckets.enriched_good)
        if self.found.stream_is_empty:
            raise NoDataToProcess("No Snowplow enriched stream logs to process since last run")
        stream = buckets.enriched_stream or ""
        yield self.copy(
            f"[staging_stream_enrich] s3-dist-cp: Stream Enriched {stream} -> Enriched Staging S3",
            stream,
            run_folder(buckets.enriched_good, self.job.run_id),
            ["--srcPattern", inventory.STREAM_FILES, "--deleteOnSuccess"],
        )

    # --- enriched events to rows

    def shred(self) -> Iterator[Step]:
        job, buckets, targets = self.job, self.job.buckets, self.job.targets
        if not inventory.is_empty(self.found.shredded_good):
            raise _not_empty("shredding", buckets.shredded_good)
        if self.on.enrich:
            yield self.remove("[cleanup] Empty Raw HDFS", RAW)
        else:
            yield self.enriched_back_to_hdfs()
        good = run_folder(buckets.shredded_good, job.run_id)
        yield self.spark(
            "[shred] spark: Shred Enriched Events",
            "com.snowplowanalytics.snowplow.storage.spark.ShredJob",
            job.jars.shred,
            [
                *("--iglu-config", assets.base64(job.resolver)),
                *_shred_targets(job.versions.rdb_shredder, targets, good),
                *("--input-folder", assets.all_files(ENRICHED_FOLDER)),
                *("--output-folder", SHREDDED),
                *("--bad-folder", run_folder(buckets.shredded_bad, job.run_id)),
            ],
            retried=False,
        )
        codec = assets.codec_arguments(job.output_compression)
        if not job.consolidates:
            yield self.copy(
                "[shred] s3-dist-cp: Shredded HDFS -> S3",
                SHREDDED,
                good,
                ["--srcPattern", _PARTS],
                after=codec,
                endpoint_last=True,
            )
        for kind, pattern in self.consolidated() if job.consolidates else ():
            yield self.copy(
                f"[shred] s3-dist-cp: Shredded {kind} HDFS -> S3",
                SHREDDED,
                good,
                ["--groupBy", pattern, "--targetSize", "24"],
                after=codec,
                endpoint_last=True,
            )
        yield self.copy(
            "[shred] s3-dist-cp: Shredded HDFS _SUCCESS -> S3",
            SHREDDED,
            good,
            ["--srcPattern", _SUCCESS],
            endpoint_last=True,
        )

    def enriched_back_to_hdfs(self) -> Step:
        good, stream = self.job.buckets.enriched_good, self.job.options.stream
        return self.copy(
            "[shred] s3-dist-cp: Enriched S3 -> HDFS",
            run_folder(good, self.job.run_id) if self.on.staging_stream_enrich else good,
            ENRICHED_FOLDER,
            ["--srcPattern", inventory.STREAM_FILES if stream else _PARTS, "--outputCodec", "none"],
            endpoint_last=True,
        )

    def consolidated(self) -> Iterator[tuple[str, str]]:
        """What was copied and joined on its own, and by which pattern."""
        shredder, targets = self.job.versions.rdb_shredder, self.job.targets
        yield "atomic events", r".*/atomic-events/(part-)\d+-(.*)"
        if copies_json(shredder, targets):
            yield "JSON types", f".*/shredded-types{_TYPES}"
        if copies_tsv(shredder, targets):
            yield "TSV types", f".*/shredded-tsv{_TYPES}"

    # --- loads and archives

    def elasticsearch(self) -> Iterator[Step]:
        buckets, run_id = self.job.buckets, self.job.run_id
        made = [(buckets.enriched_bad, self.on.enrich), (buckets.shredded_bad, self.on.shred)]
        sources = [run_folder(folder, run_id) for folder, on in made if on]
        wait = ["--delay", "60"]
        for target in self.job.targets.of(FAILED):
            for source in sources:
                arguments = ["--hdfs", "--input", source, *elasticsearch_arguments(target), *wait]
                yield Step(
                    f"Errors in {source} -> Elasticsearch: {target.name}",
                    self.job.jars.elasticsearch,
                    ("com.snowplowanalytics.snowplow.storage.hadoop.ElasticsearchJob", *arguments),
                    retried=False,
                )
                wait = []

    def load(self, target: Target) -> Step:
        job = self.job
        skip = loader_skips(self.on)
        newer = assets.order(job.versions.rdb_loader) > assets.order(_KNOWS_LOAD_MANIFEST_AFTER)
        if job.options.stream and newer:
            skip.append("load_manifest")
        arguments = [
            *("--config", assets.base64(job.loader_config)),
            *("--resolver", assets.base64(job.resolver)),
            *("--logkey", f"{job.buckets.log}rdb-loader/{job.run_id}/{target.data.get('id')}"),
            *("--target", target.base64),
            *(("--skip", ",".join(skip)) if skip else ()),
            *(("--include", ",".join(job.options.include)) if job.options.include else ()),
        ]
        return Step(f"[rdb_load] Load {target.name} Storage Target", job.jars.loader, tuple(arguments), retried=False)

    def archives(self) -> Iterator[Step]:
        buckets, found = self.job.buckets, self.found
        for kind, mode, good, archive, keys, inside in (
            ("enriched", self.on.archive_enriched_mode, buckets.enriched_good, buckets.enriched_archive,
             found.enriched_good, ""),
            ("shredded", self.on.archive_shredded_mode, buckets.shredded_good, buckets.shredded_archive,
             found.shredded_good, "atomic-events/"),
        ):  # fmt: skip
            name = kind.capitalize()
            run_id, to = self.job.run_id, f"{name} Archive S3"
            if mode == "skip":
                continue
            if mode == "recover":
                run_id, to = inventory.latest_run(good, keys), f"S3 {name} Archive"
                folder = run_folder(good, run_id) + inside
                _, prefix = inventory.split_address(folder)
                if inventory.is_empty(key for key in keys if key.startswith(prefix)):
                    raise NoDataToProcess(f"Cannot archive {folder}, no data found")
            yield self.move(
                f"[archive_{kind}] s3-dist-cp: {name} S3 -> {to}", run_folder(good, run_id), run_folder(archive, run_id)
            )

    # --- kinds of steps

    def copy(
        self,
        name: str,
        source: str,
        to: str,
        extra: list[str],
        *,
        after: list[str] | None = None,
        endpoint_last: bool = False,
    ) -> Step:
        """A copy by s3-dist-cp. Some steps named the endpoint after ``extra``, with ``after`` behind it."""
        endpoint = ["--s3Endpoint", assets.s3_endpoint(self.job.s3_region)]
        middle = [*extra, *endpoint] if endpoint_last else [*endpoint, *extra]
        encryption = ["--s3ServerSideEncryption"] if self.job.encrypted else []
        return Step(
            name, copy_jar(self.job.ami_version), ("--src", source, "--dest", to, *middle, *(after or ()), *encryption)
        )

    def move(self, name: str, source: str, to: str) -> Step:
        return self.copy(name, source, to, ["--deleteOnSuccess"])

    def spark(self, name: str, main: str, jar: str, arguments: list[str], *, retried: bool) -> Step:
        submit = ("spark-submit", "--class", main, "--master", "yarn", "--deploy-mode", "cluster", jar)
        return Step(name, "command-runner.jar", (*submit, *arguments), retried)

    def remove(self, name: str, *folders: str) -> Step:
        script = f"{self.job.standard_assets}common/emr/snowplow-hadoop-fs-rmr-0.2.0.sh"
        return Step(name, script_runner(self.job.emr_region), (script, *folders))


def _not_empty(step: str, path: str) -> DirectoryNotEmpty:
    return DirectoryNotEmpty(f"Cannot safely add {step} step to jobflow, {path} is not empty")


def _shred_targets(shredder: str, targets: Targets, good: str) -> Iterator[str]:
    """What the shred job was told of storage: duplicates, manifest, which types are TSV."""
    duplicates = targets.of(DUPLICATES)
    if duplicates:
        yield from ("--duplicate-storage-config", duplicates[0].base64)
    manifests = [target.manifest_table for target in targets.of(ENRICHED) if target.manifest_table]
    if manifests and assets.order(shredder) >= assets.order(_MANIFEST_SINCE):
        yield from ("--processing-manifest-table", manifests[0], "--item-id", good)
    if targets.tabular is not None and writes_tsv(shredder):
        yield from ("--target", targets.tabular.base64)


def is_legacy_ami(version: str) -> bool:
    """Whether a version is that of an AMI, from before EMR numbered its releases."""
    return version[:1].isdigit() and int(version.partition(".")[0]) < 4


def copy_jar(ami_version: str) -> str:
    return LEGACY_S3_DIST_CP if is_legacy_ami(ami_version) else S3_DIST_CP


def script_runner(region: str) -> str:
    return f"s3://{region}.elasticmapreduce/libs/script-runner/script-runner.jar"


def debugging(region: str) -> Step:
    """The step that EMR's console wanted for its debugging pane."""
    pusher = f"s3://{region}.elasticmapreduce/libs/state-pusher/0.1/fetch"
    return Step("Elasticity Setup Hadoop Debugging", script_runner(region), (pusher,), retried=None)


def _hbase(version: str) -> tuple[str, tuple[str, ...]]:
    return f"/home/hadoop/lib/hbase-{version}.jar", ("emr.hbase.backup.Main", "--start-master")
