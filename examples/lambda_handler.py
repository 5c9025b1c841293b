"""AWS Lambda: enrich each file of collector logs as soon as S3 has it.

Trigger: ``s3:ObjectCreated:*`` on the bucket of raw logs. Environment: ``GOOD`` and ``BAD`` (folders on S3),
``RESOLVER`` and ``ENRICHMENTS`` (paths in the function's package), ``INPUT_FORMAT``.

A file is enriched to objects named after it, so that an event delivered twice overwrites its own result. Lambda ends
after 15 minutes: for files beyond some 100 MB use ``snowetl enrich``.
"""

import gzip
import os
from datetime import UTC, datetime
from functools import cache
from urllib.parse import unquote_plus

from snowetl import EnrichConfig, EnrichedEvent, Enricher
from snowetl.collector import format_of
from snowetl.storage import Damage, filesystem, splits


def handler(event, context):
    """Enrich the objects an S3 notification names; returns how many events and bad rows there are of each."""
    return {url: enrich_file(url) for url in map(_url, event["Records"])}


def enrich_file(url: str) -> dict[str, int]:
    enricher = _enricher()
    name = url.rpartition("/")[2]
    good, bad = [], []
    loader = format_of(os.environ["INPUT_FORMAT"])
    for record in splits.read(splits.Slice(url), binary=loader.binary, text=loader.text):
        if isinstance(record, Damage):
            print(f"{record.url}: damaged at {record.offset}: {record.reason}")
            continue
        for result in enricher.process(record, name):
            if isinstance(result, EnrichedEvent):
                good.append(result.to_tsv())
            else:
                bad.append(result.to_json())
    for folder, lines in ((os.environ["GOOD"], good), (os.environ["BAD"], bad)):
        if lines:
            text = "".join(f"{line}\n" for line in lines)
            target = f"{folder.rstrip('/')}/{name}.txt.gz"
            filesystem(target).put(target, gzip.compress(text.encode(), mtime=0))
    return {"events": len(good), "badRows": len(bad)}


@cache
def _enricher() -> Enricher:
    """Built when the function starts, used for all its events."""
    config = EnrichConfig.load(
        resolver=os.environ["RESOLVER"],
        enrichments=os.environ["ENRICHMENTS"],
        input_format=os.environ["INPUT_FORMAT"],
        etl_tstamp=datetime.now(UTC),
        processor=("snowetl-lambda", "1.0.0"),
    )
    return Enricher(config)


def _url(record) -> str:
    s3 = record["s3"]
    return f"s3://{s3['bucket']['name']}/{unquote_plus(s3['object']['key'])}"
