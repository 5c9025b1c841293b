"""Every key a ``config.yml`` of EmrEtlRunner ever had, what it held, and what becomes of those that nothing here needs.

``Key.left`` is the reason why a value is not carried, and what to do instead; a key without one is carried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snowetl.orchestrator.imports.emr_etl_runner import assets
from snowetl.orchestrator.imports.found import NOTHING_TO_DO

_REFERENCE = "${"


@dataclass(frozen=True)
class Kind:
    """What a value must be: a name for messages, and the test."""

    name: str
    fits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_map_of_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _is_configuration(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_map_of_texts(each) for each in value.values())


def one_of(*values: str) -> Kind:
    return Kind(" or ".join(values), lambda value: value in values)


TEXT = Kind("a text", _is_text)
NUMBER = Kind("a number", _is_number)
VERSION = Kind(
    "a version such as 5.29.0", lambda value: _is_text(value) and assets.VERSION.fullmatch(value) is not None
)
SIZE = Kind("a number above 0", lambda value: _is_number(value) and value > 0)
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
TEXTS = Kind("a list of texts", _is_texts)
TEXT_OR_TEXTS = Kind("a text or a list of texts", lambda value: _is_text(value) or _is_texts(value))
MAP = Kind("keys with texts as values", _is_map_of_texts)
TAGS = Kind("keys with texts or numbers", lambda value: isinstance(value, dict)
            and all(_is_text(each) or _is_number(each) for each in value.values()))  # fmt: skip
CONFIGURATION = Kind("classifications that hold keys with texts as values", _is_configuration)
MAPS = Kind("a list of targets, each with keys", lambda value: isinstance(value, list)
            and all(isinstance(each, dict) for each in value))  # fmt: skip
ANY = Kind("anything", lambda value: True)


@dataclass(frozen=True)
class Key:
    """One key: its path with dots, what it holds, whether it may be absent or null, why it is left (and what to do)."""

    path: str
    kind: Kind
    null: bool = False
    left: tuple[str, str] | None = None


_NO_KEYS = (
    "keys of AWS are not written to files",
    "Let the machine have a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment",
)
_NO_JARS = ("this program brings its own jobs", NOTHING_TO_DO)
_LEGACY_ERRORS = ("jobs before Spark wrote exceptions there", f"{NOTHING_TO_DO}: every failure is a bad row")
_LEGACY_SOFTWARE = ("no step here uses it", NOTHING_TO_DO)

KEYS = (
    Key("aws.access_key_id", TEXT, left=_NO_KEYS),
    Key("aws.secret_access_key", TEXT, left=_NO_KEYS),
    Key("aws.s3.region", TEXT),
    Key("aws.s3.buckets.assets", TEXT, left=_NO_JARS),
    Key("aws.s3.buckets.jsonpath_assets", TEXT, null=True),
    Key("aws.s3.buckets.log", TEXT),
    Key("aws.s3.buckets.encrypted", FLAG, null=True, left=(
        "S3 encrypts every object on its own since 2023",
        f"{NOTHING_TO_DO}; for a key of your own, set the bucket's default encryption")),
    Key("aws.s3.buckets.raw", ANY, null=True),
    Key("aws.s3.buckets.raw.in", TEXT_OR_TEXTS),
    Key("aws.s3.buckets.raw.processing", TEXT, left=(
        "raw logs are read where they lie, and never moved",
        "Let the last old run finish, so that it is empty; move what is left there back to raw.in")),
    Key("aws.s3.buckets.raw.archive", TEXT),
    Key("aws.s3.buckets.enriched.good", TEXT),
    Key("aws.s3.buckets.enriched.bad", TEXT, null=True),
    Key("aws.s3.buckets.enriched.errors", TEXT, null=True, left=_LEGACY_ERRORS),
    Key("aws.s3.buckets.enriched.archive", TEXT, null=True),
    Key("aws.s3.buckets.enriched.stream", TEXT, null=True, left=(
        "these files are enriched already, and a run begins with raw logs",
        "Use `snowetl transform` on them, then `snowetl load`: the settings are those of transform")),
    Key("aws.s3.buckets.shredded.good", TEXT),
    Key("aws.s3.buckets.shredded.bad", TEXT, left=(
        "bad rows of transform lie with its good ones, in output=bad/ of each run",
        "Point what reads them there")),
    Key("aws.s3.buckets.shredded.errors", TEXT, null=True, left=_LEGACY_ERRORS),
    Key("aws.s3.buckets.shredded.archive", TEXT, null=True),
    Key("aws.s3.consolidate_shredded_output", FLAG, null=True, left=(
        "rows are written in files of a good size at once", NOTHING_TO_DO)),
    Key("aws.emr.ami_version", VERSION),
    Key("aws.emr.region", TEXT),
    Key("aws.emr.jobflow_role", TEXT),
    Key("aws.emr.service_role", TEXT),
    Key("aws.emr.placement", TEXT, null=True),
    Key("aws.emr.ec2_subnet_id", TEXT, null=True),
    Key("aws.emr.ec2_key_name", TEXT),
    Key("aws.emr.security_configuration", TEXT, null=True),
    Key("aws.emr.additional_info", TEXT, null=True),
    Key("aws.emr.bootstrap", TEXTS, null=True),
    Key("aws.emr.software.hbase", TEXT, null=True, left=_LEGACY_SOFTWARE),
    Key("aws.emr.software.lingual", TEXT, null=True, left=_LEGACY_SOFTWARE),
    Key("aws.emr.jobflow.job_name", TEXT),
    Key("aws.emr.jobflow.master_instance_type", TEXT),
    Key("aws.emr.jobflow.core_instance_type", TEXT),
    Key("aws.emr.jobflow.core_instance_count", NUMBER),
    Key("aws.emr.jobflow.core_instance_bid", NUMBER, null=True),
    Key("aws.emr.jobflow.core_instance_ebs", ANY, null=True),
    Key("aws.emr.jobflow.core_instance_ebs.volume_size", SIZE),
    Key("aws.emr.jobflow.core_instance_ebs.volume_type", one_of("standard", "gp2", "io1")),
    Key("aws.emr.jobflow.core_instance_ebs.volume_iops", SIZE, null=True),
    Key("aws.emr.jobflow.core_instance_ebs.ebs_optimized", FLAG, null=True),
    Key("aws.emr.jobflow.task_instance_type", TEXT),
    Key("aws.emr.jobflow.task_instance_count", NUMBER),
    Key("aws.emr.jobflow.task_instance_bid", NUMBER, null=True),
    Key("aws.emr.bootstrap_failure_tries", NUMBER, null=True, left=(
        "a cluster that does not start is started again on its own", NOTHING_TO_DO)),
    Key("aws.emr.configuration", CONFIGURATION, null=True),
    Key("collectors", ANY, null=True),
    Key("collectors.format", TEXT),
    Key("enrich.versions.spark_enrich", VERSION, null=True, left=_NO_JARS),
    Key("enrich.continue_on_unexpected_error", FLAG, null=True, left=(
        "what is unexpected in an event makes a bad row of it, never an end of the job", NOTHING_TO_DO)),
    Key("enrich.output_compression", one_of("NONE", "GZIP")),
    Key("storage.versions.rdb_loader", VERSION, null=True, left=_NO_JARS),
    Key("storage.versions.rdb_shredder", VERSION, null=True, left=_NO_JARS),
    Key("storage.versions.hadoop_elasticsearch", VERSION, null=True, left=_NO_JARS),
    Key("storage.targets", MAPS, null=True),
    Key("storage.download.folder", TEXT, null=True, left=(
        "StorageLoader copied rows to its own disk before it loaded Postgres", f"{NOTHING_TO_DO}: rows are streamed")),
    Key("monitoring.tags", TAGS),
    Key("monitoring.logging.level", one_of("DEBUG", "INFO", "WARN", "ERROR", "FATAL"), left=(
        "how much is said is an option of each command", "Add --verbose for DEBUG, --quiet for WARN and above")),
    Key("monitoring.snowplow", ANY, null=True, left=(
        "a run sends no events about itself to a collector",
        "`snowetl status` and the report of each run tell how it went")),
    Key("monitoring.snowplow.method", TEXT, null=True),
    Key("monitoring.snowplow.collector", TEXT),
    Key("monitoring.snowplow.app_id", TEXT),
    Key("monitoring.snowplow.protocol", TEXT, null=True),
    Key("monitoring.snowplow.port", NUMBER, null=True),
)  # fmt: skip
"""Keys of 1.0.4, and those of earlier releases that kept their place."""

RENAMED = {
    "s3": "aws.s3",
    "emr": "aws.emr",
    "collectors.collector_format": "collectors.format",
    "etl.collector_format": "collectors.format",
    "etl.continue_on_unexpected_error": "enrich.continue_on_unexpected_error",
    "etl.job_name": "aws.emr.jobflow.job_name",
    "etl.versions.hadoop_enrich": "enrich.versions.spark_enrich",
    "etl.versions.hadoop_shred": "storage.versions.rdb_shredder",
    "enrich.job_name": "aws.emr.jobflow.job_name",
    "enrich.versions.hadoop_enrich": "enrich.versions.spark_enrich",
    "enrich.versions.hadoop_shred": "storage.versions.rdb_shredder",
    "enrich.versions.hadoop_elasticsearch": "storage.versions.hadoop_elasticsearch",
    "storage.versions.relational_database_shredder": "storage.versions.rdb_shredder",
    "storage.versions.relational_database_loader": "storage.versions.rdb_loader",
    "storage.versions.hadoop_shred": "storage.versions.rdb_shredder",
    "logging.level": "monitoring.logging.level",
    "download.folder": "storage.download.folder",
    "targets": "storage.targets",
}
"""Keys of earlier releases, and where they moved; sections come first, as keys move into them."""

GONE = {
    "iglu": (
        "the resolver is a file of its own",
        "Save what stands below `data` as resolver.json, and give --resolver",
    ),
    "enrichments": (
        "enrichments are files of their own",
        "Write one JSON file for each, and give their folder as --enrichments",
    ),
}
"""Sections of early releases whose content went to other files."""


def is_reference(value: Any) -> bool:
    """Whether a value stands for an environment variable, and so can be of any kind."""
    return isinstance(value, str) and _REFERENCE in value.replace("$${", "")
