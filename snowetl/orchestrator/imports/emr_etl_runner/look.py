"""Lists the buckets of a configuration, as the old runner did before it started a cluster."""

from __future__ import annotations

from contextlib import suppress

from snowetl.errors import UsageError
from snowetl.orchestrator.imports.emr_etl_runner import inventory
from snowetl.orchestrator.imports.emr_etl_runner.inventory import Inventory
from snowetl.orchestrator.imports.emr_etl_runner.steps import Job
from snowetl.storage import filesystem


def look(job: Job) -> Inventory:
    """What lies in the buckets of ``job`` now. Raises :class:`~snowetl.errors.StorageError`."""
    buckets = job.buckets
    pattern = inventory.raw_pattern(job.collector_format)
    return Inventory(
        raw_in_with_files=tuple(
            folder for folder in buckets.raw_in if any(inventory.matches(pattern, key) for key in _keys(folder))
        ),
        raw_processing_is_empty=inventory.is_empty(_keys(buckets.raw_processing)),
        enriched_good=tuple(_keys(buckets.enriched_good)),
        shredded_good=tuple(_keys(buckets.shredded_good)),
        stream_is_empty=not any(
            inventory.matches(inventory.STREAM_FILES, key) for key in _keys(buckets.enriched_stream or "")
        ),
    )


def left_behind(job: Job) -> list[str]:
    """Raw files that the grouping of the copy to HDFS passed over: archived as processed, and never enriched."""
    grouping = inventory.raw_grouping(job.collector_format)
    if grouping is None:
        return []
    files = [f"{folder}{key}" for folder in job.buckets.raw_in for key in map(_name, _keys(folder))]
    return [path for path in files if inventory.group_key(grouping, path) is None]


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _keys(folder: str) -> list[str]:
    """Keys of the files below a folder, without the bucket; none where it is not there."""
    if not folder:
        return []
    with suppress(UsageError):
        urls = [file.url for file in filesystem(folder).list(folder)]
        return [key for url in urls if inventory.is_file(key := inventory.split_address(url)[1])]
    return []
