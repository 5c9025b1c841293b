"""The report of a transform run: the sum of its splits, as the JSON kept beside the output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from snowetl.model import timestamps
from snowetl.model.schema import SchemaKey
from snowetl.spark.statistics import merged
from snowetl.spark.transform_split import TransformSplitReport
from snowetl.transform import instants
from snowetl.transform.rows import SchemaType

FORMAT = "snowetl-transform-report/1"


def transform_report(
    splits: Sequence[TransformSplitReport],
    *,
    run: str,
    version: str,
    settings: dict[str, Any],
    inputs: dict[str, int],
    started: int,
    finished: int,
) -> dict[str, Any]:
    """What became of a run, all counts summed up: ``records`` = ``events`` + ``duplicates`` + bad rows − ``damages``.

    ``settings`` (no secrets) say what it was made from, ``inputs`` count files and bytes; times are epoch milliseconds.
    """
    bad_rows = sum((split.bad_rows for split in splits), Counter[str]())
    by_type: Counter[str] = Counter()
    for schema, count in bad_rows.items():
        by_type[schema.split("/", 2)[1]] += count
    kinds = sum((split.duplicates for split in splits), Counter[str]())
    firsts = [split.first for split in splits if split.first is not None]
    lasts = [split.last for split in splits if split.last is not None]
    return {
        "format": FORMAT,
        "step": "transform",
        "run": run,
        "snowetl": version,
        "started": timestamps.to_iso(started),
        "finished": timestamps.to_iso(finished),
        "seconds": (finished - started) / 1000,
        "settings": settings,
        "input": inputs | {"splits": len(splits)},
        "records": sum(split.records for split in splits),
        "events": sum(split.events for split in splits),
        "duplicates": sum(kinds.values()),
        "duplicatesByKind": dict(sorted(kinds.items())),
        "newIds": sum(split.renamed for split in splits),
        "badRows": dict(sorted(by_type.items())),
        "badRowSchemas": dict(sorted(bad_rows.items())),
        "damages": sum(split.damages for split in splits),
        "types": [
            {"schemaKey": type_.uri, "column": type_.column}
            for type_ in sorted(types_of(splits), key=lambda type_: (SchemaKey.parse(type_.uri), type_.column))
        ],
        "firstCollectorTstamp": instants.to_iso(min(firsts)) if firsts else None,
        "lastCollectorTstamp": instants.to_iso(max(lasts)) if lasts else None,
        "tables": _tables(splits),
        "workers": {
            "seconds": round(sum(split.seconds for split in splits), 3),
            "peakMemory": max((split.peak_memory for split in splits), default=0),
        },
        **merged(splits),
    }


def types_of(splits: Sequence[TransformSplitReport]) -> frozenset[SchemaType]:
    """All schemas met in good events."""
    return frozenset().union(*(split.types for split in splits))


def _tables(splits: Sequence[TransformSplitReport]) -> list[dict[str, Any]]:
    """Rows, parts and bytes by folder below the run's."""
    tables: dict[str, dict[str, int]] = {}
    for split in splits:
        for folder, part in split.tables:
            table = tables.setdefault(folder, {"rows": 0, "parts": 0, "bytes": 0})
            table["rows"] += part.lines
            table["parts"] += 1
            table["bytes"] += part.bytes
    return [{"table": folder, **counts} for folder, counts in sorted(tables.items())]
