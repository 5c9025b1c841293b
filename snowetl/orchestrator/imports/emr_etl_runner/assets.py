"""Names and addresses that follow from versions, regions and formats: jars, buckets, endpoints, patterns."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

STANDARD_ASSETS = "s3://snowplow-hosted-assets"
_STANDARD_REGION = "eu-west-1"
VERSION = re.compile(r"\d+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z.-]+)?")
_CLOUDFRONT = "tsv/com.amazon.aws.cloudfront/"
_URBAN_AIRSHIP = "ndjson/com.urbanairship.connect/"
_CODECS = {"gzip": "gz", "gz": "gz", "lzo": "lzo", "snappy": "snappy"}


class Assets(NamedTuple):
    """The jars of a release of each job."""

    enrich: str | None
    shred: str
    loader: str
    elasticsearch: str


def hosted_assets(configured: str, region: str, standard: str = STANDARD_ASSETS) -> str:
    """The bucket of the jars, with a slash at its end: the standard one has a copy in each region."""
    bucket = configured.rstrip("/")
    copied = bucket == standard.rstrip("/") and region != _STANDARD_REGION
    return f"{bucket}-{region}/" if copied else f"{bucket}/"


def jars(bucket: str, spark_enrich: str | None, rdb_shredder: str, elasticsearch: str, rdb_loader: str) -> Assets:
    """Where the jars of these versions were. ``bucket`` ends with a slash.

    Only a part of each version was compared, so that Spark Enrich 2.0.0 and shredder 1.0.0 lead to paths of their
    forerunners, as they did.
    """
    spark_shred = _part(rdb_shredder, 1) >= 12
    return Assets(
        enrich=None if spark_enrich is None else bucket + _enrich_jar(spark_enrich),
        shred=bucket
        + (
            f"4-storage/rdb-shredder/snowplow-rdb-shredder-{rdb_shredder}.jar"
            if spark_shred
            else f"3-enrich/scala-hadoop-shred/snowplow-hadoop-shred-{rdb_shredder}.jar"
        ),
        loader=f"{bucket}4-storage/rdb-loader/snowplow-rdb-loader-{rdb_loader}.jar",
        elasticsearch=f"{bucket}4-storage/hadoop-elasticsearch-sink/hadoop-elasticsearch-sink-{elasticsearch}.jar",
    )


def _enrich_jar(version: str) -> str:
    if version.startswith("0"):
        return f"3-enrich/hadoop-etl/snowplow-hadoop-etl-{version}.jar"
    if _part(version, 0) >= 1 and _part(version, 1) >= 9:
        return f"3-enrich/spark-enrich/snowplow-spark-enrich-{version}.jar"
    return f"3-enrich/scala-hadoop-enrich/snowplow-hadoop-enrich-{version}.jar"


def _part(version: str, index: int) -> int:
    """One number of a dotted version; 0 if it is missing."""
    parts = version.split(".")
    digits = re.match(r"\d+", parts[index]) if index < len(parts) else None
    return int(digits[0]) if digits else 0


def order(version: str) -> tuple[tuple[int, int | str], ...]:
    """A version as what can be compared: ``0.16.0-rc1`` comes before ``0.16.0``. Raises ``ValueError``."""
    if not VERSION.fullmatch(version):
        raise ValueError(f"Malformed version number string {version}")
    release, dash, pre = version.partition("-")
    numbers: list[tuple[int, int | str]] = [(2, int(n)) if n.isdigit() else (1, n) for n in release.split(".")]
    while numbers and numbers[-1] == (2, 0):
        numbers.pop()
    return (*numbers, (0, pre) if dash else (1, ""))


def commons_codec(spark_enrich: str | None) -> str:
    """The release of commons-codec that the bootstrap script put on each node. Raises ``ValueError``."""
    return "1.10" if spark_enrich is None or order(spark_enrich) > order("1.8.0") else "1.5"


def s3_endpoint(region: str) -> str:
    return "s3.amazonaws.com" if region == "us-east-1" else f"s3-{region}.amazonaws.com"


def is_cloudfront_log(collector_format: str | None) -> bool:
    """Whether files of this format are small ones of CloudFront, named after their hour."""
    return collector_format == "cloudfront" or (collector_format or "").startswith(_CLOUDFRONT)


def is_urban_airship(collector_format: str | None) -> bool:
    return (collector_format or "").startswith(_URBAN_AIRSHIP)


def run_folder(folder: str, run_id: str) -> str:
    """The folder of a run below ``folder``, whose slash is the caller's business."""
    return f"{folder}run={run_id}/"


def codec_arguments(compression: str | None) -> list[str]:
    """How s3-dist-cp was told to compress; nothing leaves files as they are."""
    codec = _CODECS.get((compression or "").lower())
    return ["--outputCodec", codec] if codec else []


def all_files(folder: str) -> str:
    """A folder as the glob of its files, for jobs that want one."""
    return folder if folder.endswith("/*") else f"{folder.rstrip('/')}/*"


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def enrichments_base64(enrichments: Sequence[str]) -> str:
    """All enrichment configurations (JSON texts) as the job took them: one container, compact, in base64."""
    container = {
        "schema": "iglu:com.snowplowanalytics.snowplow/enrichments/jsonschema/1-0-0",
        "data": [json.loads(text) for text in enrichments],
    }
    return base64(json.dumps(container, separators=(",", ":"), ensure_ascii=False))
