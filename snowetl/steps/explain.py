"""The explain step: the way of one record, which may be the Nth of a file."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from snowetl.collector import format_of
from snowetl.enrich.pipeline import Enricher
from snowetl.errors import UsageError
from snowetl.jvm.commons_codec import decode_base64
from snowetl.steps import assets
from snowetl.steps.settings import ExplainSettings
from snowetl.storage import Record, filesystem, splits

_PLACE = re.compile(r"(?P<file>[^\t\n{}]+):(?P<number>\d+)")


def explain(settings: ExplainSettings) -> Iterator[tuple[str, Any]]:
    """(stage, what it made), in order. Raises ``UsageError`` for a file or record that is not there."""
    config = settings.enrich_config(settings.etl_timestamp or 0)
    data, source, place = _find_record(settings.record, binary=format_of(settings.input_format).binary)
    with tempfile.TemporaryDirectory(prefix="snowetl-") as folder:
        wanted = config.assets()
        files = assets.in_working_folder(wanted) if settings.local else assets.fetch_all(wanted, Path(folder))
        with Enricher(config.with_assets(files)) as enricher:
            yield from enricher.explain(data, source, place)


def _find_record(text: str, *, binary: bool) -> tuple[bytes | str, str, int]:
    """The record itself, or the one at ``FILE[:N]``, and its place as the job names it. Raises :class:`UsageError`."""
    place = _PLACE.fullmatch(text)
    if place is not None:
        file = place["file"]
        if not filesystem(file).exists(file):
            raise UsageError(f"there is no file {file} (records are given as FILE:N, or as they stand)")
        return _nth_record(file, int(place["number"]), binary=binary)
    if _is_file(text):
        return _nth_record(text, 1, binary=binary)
    return (decode_base64(text) if binary else text), "", 0


def _nth_record(file: str, number: int, *, binary: bool) -> tuple[bytes | str, str, int]:
    records = (item for item in splits.read(splits.Part(file), binary=binary) if isinstance(item, Record))
    found = next(islice(records, number - 1, None), None) if number else None
    if found is None:
        raise UsageError(f"{file} has no record {number}; they are counted from 1")
    return found.data, file.rpartition("/")[2], found.number


def _is_file(text: str) -> bool:
    """Whether a record is the name of a file, rather than a record."""
    if re.match(r"(?:s3[an]?|hdfs|file)://[^\s]+$", text):
        return filesystem(text).exists(text)
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False
