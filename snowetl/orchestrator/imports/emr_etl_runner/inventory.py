"""What lay in the buckets when the old runner looked, and how it read the names of files.

All here is pure: keys and paths in, answers out. :mod:`.look` lists real buckets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from snowetl.orchestrator.imports.emr_etl_runner import assets
from snowetl.orchestrator.imports.emr_etl_runner.errors import UnexpectedState

STREAM_FILES = ".*.gz"
_FOLDER_MARKERS = ("/", "$folder$")
_RUN = re.compile(r"run=([0-9-]+)/")


@dataclass(frozen=True)
class Inventory:
    """The state of the buckets before a run. The default is that of a quiet morning: new logs, nothing left over."""

    raw_in_with_files: tuple[str, ...] | None = None
    """Those of ``raw.in`` that hold files of the format; ``None``: nobody looked, so all of them."""
    raw_processing_is_empty: bool = True
    enriched_good: tuple[str, ...] = ()
    shredded_good: tuple[str, ...] = ()
    """Keys, without their bucket."""
    stream_is_empty: bool = False


def is_file(key: str) -> bool:
    """Whether a key is that of a file: a folder that a console or Hadoop marked is none."""
    return not key.endswith(_FOLDER_MARKERS)


def is_empty(keys: Iterable[str], wanted: Callable[[str], bool] = is_file) -> bool:
    """Whether none of ``keys`` is wanted."""
    return not any(wanted(key) for key in keys)


def last_name(keys: Iterable[str], wanted: Callable[[str], bool] = is_file) -> str:
    """The last of the wanted keys; an empty text if there is none."""
    return next((key for key in reversed(list(keys)) if wanted(key)), "")


def split_address(address: str) -> tuple[str, str]:
    """Bucket and prefix of ``s3://bucket/prefix``."""
    bucket, _, prefix = re.sub(r"^s3[an]?://", "", address).partition("/")
    return bucket, prefix


def latest_run(path: str, keys: Iterable[str]) -> str:
    """The last run id, by name, among keys below ``path``. Raises :class:`UnexpectedState` if there is none."""
    runs = [match[1] for key in keys if (match := _RUN.search(key))]
    if not runs:
        raise UnexpectedState(f"No run folders in [{path}] found")
    return max(runs)


def raw_pattern(collector_format: str | None) -> str:
    """Which names below ``raw.in`` were logs: the whole name must match."""
    return r".*localhost\_access\_log.*\.txt.*" if collector_format == "clj-tomcat" else ".+"


def matches(pattern: str, key: str) -> bool:
    """Whether a copy with this ``--srcPattern`` took ``key``."""
    return re.fullmatch(pattern, key) is not None


def raw_grouping(collector_format: str | None) -> str | None:
    """``--groupBy`` of the copy of raw logs to HDFS; ``None``: files stayed single.

    For Urban Airship a lost backslash made it match nothing but folders named ``w``.
    """
    if assets.is_cloudfront_log(collector_format):
        return r".*([0-9]+-[0-9]+-[0-9]+)-[0-9]+.*"
    return ".*/(w+)/.*" if assets.is_urban_airship(collector_format) else None


def group_key(pattern: str, path: str) -> str | None:
    """The name under which a copy with this ``--groupBy`` joined files; ``None``: it left the file behind."""
    match = re.fullmatch(pattern, path)
    return "".join(group or "null" for group in match.groups()) if match else None
