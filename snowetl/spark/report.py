"""The report of an enrich run: the sum of its splits, as the JSON kept beside the output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from snowetl.model import timestamps
from snowetl.spark.parts import Part
from snowetl.spark.split import SplitReport
from snowetl.spark.statistics import merged

FORMAT = "snowetl-enrich-report/1"


def enrich_report(
    splits: Sequence[SplitReport],
    *,
    run: str,
    version: str,
    settings: dict[str, Any],
    inputs: dict[str, int],
    started: int,
    finished: int,
) -> dict[str, Any]:
    """What became of a run, all counts summed up.

    ``settings`` (no secrets) say what it was made from, ``inputs`` count files and bytes; times are epoch milliseconds.
    """
    bad_rows = sum((split.bad_rows for split in splits), Counter[str]())
    by_type: Counter[str] = Counter()
    for schema, count in bad_rows.items():
        by_type[schema.split("/", 2)[1]] += count
    return {
        "format": FORMAT,
        "step": "enrich",
        "run": run,
        "snowetl": version,
        "started": timestamps.to_iso(started),
        "finished": timestamps.to_iso(finished),
        "seconds": (finished - started) / 1000,
        "settings": settings,
        "input": inputs | {"splits": len(splits)},
        "records": sum(split.records for split in splits),
        "discarded": _sorted(sum((split.discarded for split in splits), Counter[str]())),
        "payloads": sum(split.payloads for split in splits),
        "events": sum(split.events for split in splits),
        "badRows": _sorted(by_type),
        "badRowSchemas": _sorted(bad_rows),
        "damages": sum(split.damages for split in splits),
        "output": {
            "good": _output([split.good for split in splits if split.good]),
            "bad": _output([split.bad for split in splits if split.bad]),
        },
        "workers": {
            "seconds": round(sum(split.seconds for split in splits), 3),
            "peakMemory": max((split.peak_memory for split in splits), default=0),
        },
        **merged(splits),
    }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _output(parts: list[Part]) -> dict[str, int]:
    return {
        "parts": len(parts),
        "lines": sum(part.lines for part in parts),
        "bytes": sum(part.bytes for part in parts),
    }
