"""What reports of all steps have in common: their head, bad rows by type, what workers needed."""

from __future__ import annotations

import resource
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from snowetl.jvm import timestamps

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Counted(Protocol):
    """The report of a split, of whatever step."""

    bad_rows: Counter[str]
    seconds: float
    peak_memory: int


def peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def head(
    form: str,
    step: str,
    splits: Sequence[Counted],
    *,
    run: str,
    version: str,
    settings: dict[str, Any],
    inputs: dict[str, int],
    started: int,
    finished: int,
) -> dict[str, Any]:
    """``settings`` (no secrets) say what the run was made from, ``inputs`` count files and bytes; times are epoch
    milliseconds.
    """
    return {
        "format": form,
        "step": step,
        "run": run,
        "snowetl": version,
        "started": timestamps.to_iso(started),
        "finished": timestamps.to_iso(finished),
        "seconds": (finished - started) / 1000,
        "settings": settings,
        "input": inputs | {"splits": len(splits)},
    }


def bad_row_counts(splits: Sequence[Counted]) -> dict[str, dict[str, int]]:
    """Bad rows by type and by schema URI, in order."""
    by_schema = sum((split.bad_rows for split in splits), Counter[str]())
    by_type: Counter[str] = Counter()
    for schema, count in by_schema.items():
        by_type[schema.split("/", 2)[1]] += count
    return {"badRows": in_order(by_type), "badRowSchemas": in_order(by_schema)}


def workers(splits: Sequence[Counted]) -> dict[str, float]:
    return {
        "seconds": round(sum(split.seconds for split in splits), 3),
        "peakMemory": max((split.peak_memory for split in splits), default=0),
    }


def in_order(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
