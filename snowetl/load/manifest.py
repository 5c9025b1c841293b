"""The manifest: which runs a warehouse holds. A run is known by what it is, not by where its folder lies.

The manifest's columns are RDB Loader's, and ``run_identity``. The same folder has many spellings, and may be copied or
mounted elsewhere; rows of earlier releases and of RDB Loader name the folder only as it was spelled then.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from snowetl.jvm.strings import to_utf8
from snowetl.load.run import TransformedRun, run_name
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    from snowetl.load.warehouse import Tables

TABLE = "manifest"
_MADE_WITH_IT = ("bad_rows", "rejected_rows", "rejected_values")
MAX_BASE = 512
_S3_SCHEMES = ("s3", "s3a", "s3n")
_SLASHES = re.compile(r"/+$")


def is_lost(tables: Tables) -> bool:
    """Whether the manifest of a warehouse is gone: it has events, and tables of ours that are made with the manifest.
    One that another loader has made may have none.
    """
    there = tables.comments
    return TABLE not in there and "events" in there and any(table in there for table in _MADE_WITH_IT)


class ManifestRow(NamedTuple):
    """One loaded run. Times are texts ``YYYY-MM-DD HH:MM:SS[.ffffff]``, UTC."""

    base: str
    types: str
    shredding_started: str
    shredding_completed: str
    min_collector_tstamp: str | None
    max_collector_tstamp: str | None
    compression: str
    processor_artifact: str
    processor_version: str
    count_good: int | None
    run_identity: str | None

    @classmethod
    def of_texts(cls, values: Sequence[str | None]) -> ManifestRow:
        """The row of what a server answers in texts: a value for each of :data:`COLUMNS`."""
        named: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))
        good = named["count_good"]
        return cls(**named | {"count_good": None if good is None else int(good)})


COLUMNS = (
    "base", "types", "shredding_started", "shredding_completed", "min_collector_tstamp", "max_collector_tstamp",
    "compression", "processor_artifact", "processor_version", "count_good", "run_identity",
)  # fmt: skip
"""Those of :class:`ManifestRow`; the warehouse adds ``ingestion_tstamp``."""


def row_of(run: TransformedRun) -> ManifestRow:
    """The row that says ``run`` is loaded."""
    return ManifestRow(
        base=_bounded(canonical(run.base)),
        types=_types_json(run),
        shredding_started=sql_time(run.started),
        shredding_completed=sql_time(run.completed),
        min_collector_tstamp=_optional_time(run.min_collector_tstamp),
        max_collector_tstamp=_optional_time(run.max_collector_tstamp),
        compression=run.compression,
        processor_artifact=run.processor[0],
        processor_version=run.processor[1],
        count_good=run.good,
        run_identity=run.identity,
    )


def find(run: TransformedRun, rows: Iterable[ManifestRow]) -> ManifestRow | None:
    """The row of ``rows`` that is about ``run``: by its identity, by what its message says, or by its folder."""
    wanted = row_of(run)
    for row in rows:
        if run.identity is not None and row.run_identity == run.identity:
            return row
        if _bounded(canonical(row.base)) == wanted.base:
            return row
        if _same_message(row, wanted) and run_name(row.base) in (None, run.name):
            return row
    return None


def addresses(run: TransformedRun) -> list[str]:
    """Spellings under which the folder of ``run`` may stand in the manifest."""
    clean = canonical(run.base)
    spelled = [run.base, clean, _bounded(clean)]
    if scheme_of(clean) in _S3_SCHEMES:
        spelled += [f"{scheme}://{clean.partition('://')[2]}" for scheme in _S3_SCHEMES]
    elif clean.startswith("/"):
        spelled += [f"file://{clean}", f"file:{clean}"]
    return list(dict.fromkeys(spelled))


def end_of_address(run: TransformedRun) -> str:
    """``/run=…/``: the end of the address of the run's folder, also if it was recorded through a link."""
    return f"/{row_of(run).base.rstrip('/').rpartition('/')[2]}/"


def canonical(url: str) -> str:
    """One spelling for a folder: ``s3`` for ``s3a`` and ``s3n``; local paths absolute, links resolved; a slash last."""
    scheme = scheme_of(url)
    if scheme in _S3_SCHEMES:
        return f"s3://{_SLASHES.sub('', url.partition('://')[2])}/"
    if scheme == "file":
        path = unquote(urlsplit(url).path) if url.lower().startswith("file:") else url
        return _SLASHES.sub("", os.path.realpath(path)) + "/"
    return _SLASHES.sub("", url) + "/"


def _bounded(base: str) -> str:
    """``base`` as the manifest's column holds it: of a longer one, a hash and the last folder."""
    if len(base) <= MAX_BASE:
        return base
    digest = hashlib.sha256(to_utf8(base)).hexdigest()
    return f"…{digest}/{base.rstrip('/').rpartition('/')[2]}/"[-MAX_BASE:]


def _same_message(one: ManifestRow, other: ManifestRow) -> bool:
    """Whether two rows were written from the message of the same transform."""
    times = (
        (one.shredding_started, other.shredding_started),
        (one.shredding_completed, other.shredding_completed),
        (one.min_collector_tstamp, other.min_collector_tstamp),
        (one.max_collector_tstamp, other.max_collector_tstamp),
    )
    return one.count_good == other.count_good and all(_instant(a) == _instant(b) for a, b in times)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def sql_time(instant: str) -> str:
    """An ISO instant of UTC as SQL has it. Raises ``ValueError``."""
    return datetime.fromisoformat(instant.removesuffix("Z")).isoformat(" ")


def _optional_time(instant: str | None) -> str | None:
    """``None`` also for a time outside the years 1 to 9999, which no warehouse holds."""
    try:
        return None if instant is None else sql_time(instant)
    except ValueError:
        return None


def _types_json(run: TransformedRun) -> str:
    """The manifest's ``types``: each schema of the run once."""
    types = list(dict.fromkeys((t.key.uri, t.format) for t in run.types))
    return json.dumps([{"schemaKey": uri, "format": format_} for uri, format_ in types], separators=(",", ":"))
