"""The report of an enrich run: the sum of its splits, as the JSON kept beside the output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from snowetl.reporting import parts as report_parts
from snowetl.reporting.statistics import merged
from snowetl.runs.parts import Part
from snowetl.steps.enrich_split import SplitReport

FORMAT = "snowetl-enrich-report/1"


def enrich_report(
    splits: Sequence[SplitReport],
    **about: Any,
) -> dict[str, Any]:
    """What became of a run, all counts summed up.

    ``about`` is what ``report_parts.head`` asks for.
    """
    return {
        **report_parts.head(FORMAT, "enrich", splits, **about),
        "records": sum(split.records for split in splits),
        "discarded": report_parts.in_order(sum((split.discarded for split in splits), Counter[str]())),
        "payloads": sum(split.payloads for split in splits),
        "events": sum(split.events for split in splits),
        **report_parts.bad_row_counts(splits),
        "damages": sum(split.damages for split in splits),
        "output": {
            "good": _output([split.good for split in splits if split.good]),
            "bad": _output([split.bad for split in splits if split.bad]),
        },
        "workers": report_parts.workers(splits),
        **merged(splits),
    }


def _output(parts: list[Part]) -> dict[str, int]:
    return {
        "parts": len(parts),
        "lines": sum(part.lines for part in parts),
        "bytes": sum(part.bytes for part in parts),
    }
