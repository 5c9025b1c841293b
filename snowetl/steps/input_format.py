"""A look at the first records before a job starts: is this the format the user says it is?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from snowetl.collector import loader_for
from snowetl.enrich.config import EnrichConfig
from snowetl.errors import UsageError
from snowetl.model.badrow import Origin
from snowetl.storage import Damage, Record, splits
from snowetl.storage.splits import Part, Split

_PARTS = 3
_RECORDS = 50
_TELLING_FORMATS = ("cloudfront", "clj-tomcat", "thrift", "ndjson/vendor/version")
"""Formats whose records can be told from all others; any line is a good TSV line."""


def check_format(plan: Iterable[Split], config: EnrichConfig) -> None:
    """Raises :class:`UsageError` when none of the first records can be read, but all could be as another format.

    Records that are no good in any format are no mistake of the user: they become bad rows.
    """
    parts = list(islice((part for split in plan for part in split.parts), _PARTS))
    given = config.input_format
    good, bad = _try(parts, given)
    if good or not bad:
        return
    for other in _TELLING_FORMATS:
        if other.split("/", 1)[0] == given.split("/", 1)[0]:
            continue
        could, could_not = _try(parts, other)
        if could and not could_not:
            name = other.replace("vendor/version", "<vendor>/<version>")
            raise UsageError(
                f"{parts[0].url} is not '{given}': none of its first {bad} records can be read. "
                f"It looks like '{name}': give --input-format {name}"
            )


def _try(parts: list[Part], input_format: str) -> tuple[int, int]:
    """How many of the first records a loader reads, and how many it refuses. Header lines count as neither."""
    loader = loader_for(input_format, Origin("snowetl", "", 0))
    good = bad = 0
    for record in islice(_records(parts, binary=input_format == "thrift"), _RECORDS):
        payload = None if isinstance(record, Damage) else loader.load(record.data)
        if isinstance(record, Damage) or isinstance(payload, list):
            bad += 1
        elif payload is not None:
            good += 1
    return good, bad


def _records(parts: list[Part], *, binary: bool) -> Iterator[Record | Damage]:
    for part in parts:
        yield from islice(splits.read(part, binary=binary), _RECORDS // _PARTS)
