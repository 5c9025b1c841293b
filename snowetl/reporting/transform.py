"""The report of a transform run: the sum of its splits, as the JSON kept beside the output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from snowetl.jvm import instants
from snowetl.model.schema import SchemaKey
from snowetl.reporting import parts as report_parts
from snowetl.reporting.statistics import merged
from snowetl.steps.transform_split import TransformSplitReport
from snowetl.transform.rows import SchemaType

FORMAT = "snowetl-transform-report/1"


def transform_report(
    splits: Sequence[TransformSplitReport],
    **about: Any,
) -> dict[str, Any]:
    """What became of a run, all counts summed up: ``records`` = ``events`` + ``duplicates`` + bad rows − ``damages``.

    ``about`` is what ``report_parts.head`` asks for.
    """
    kinds = sum((split.duplicates for split in splits), Counter[str]())
    firsts = [split.first for split in splits if split.first is not None]
    lasts = [split.last for split in splits if split.last is not None]
    return {
        **report_parts.head(FORMAT, "transform", splits, **about),
        "records": sum(split.records for split in splits),
        "events": sum(split.events for split in splits),
        "duplicates": sum(kinds.values()),
        "duplicatesByKind": report_parts.in_order(kinds),
        "newIds": sum(split.renamed for split in splits),
        **report_parts.bad_row_counts(splits),
        "damages": sum(split.damages for split in splits),
        "types": [
            {"schemaKey": type_.uri, "column": type_.column}
            for type_ in sorted(types_of(splits), key=lambda type_: (SchemaKey.parse(type_.uri), type_.column))
        ],
        "firstCollectorTstamp": instants.to_iso(min(firsts)) if firsts else None,
        "lastCollectorTstamp": instants.to_iso(max(lasts)) if lasts else None,
        "tables": _tables(splits),
        "workers": report_parts.workers(splits),
        **merged(splits),
    }


def types_of(splits: Sequence[TransformSplitReport]) -> frozenset[SchemaType]:
    """All schemas met in good events."""
    return frozenset().union(*(split.types for split in splits))


def _tables(splits: Sequence[TransformSplitReport]) -> list[dict[str, Any]]:
    """Rows, parts and bytes by folder below the run's; of rows that are made for their target, the columns too."""
    tables: dict[str, dict[str, Any]] = {}
    for split in splits:
        for folder, part, criterion, columns in split.tables:
            table = tables.setdefault(folder, {"table": folder, "rows": 0, "parts": 0, "bytes": 0})
            table["rows"] += part.lines
            table["parts"] += 1
            table["bytes"] += part.bytes
            if criterion is not None:
                table["schemaCriterion"] = criterion
                table["columns"] = [{"name": column.name, "type": column.type} for column in columns]
    return [table for _, table in sorted(tables.items())]
