"""Results too large for where they go become ``size_violation`` bad rows (enrich 3.9.0 ``Enrich``).

The batch job has no limit of its own; one is set where a loader or a stream behind it has one.
"""

from __future__ import annotations

from snowetl.jvm.text import to_utf8
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.event import EnrichedEvent


def enriched_chars(limit: int) -> int:
    """How many characters of an oversized event a violation shows."""
    return limit * 8 // 10


def bad_row_chars(limit: int) -> int:
    """How many characters of an oversized bad row a violation shows."""
    return limit // 10


def limit_size(origin: Origin, result: EnrichedEvent | BadRow, limit: int) -> EnrichedEvent | BadRow:
    """``result`` itself where its line has at most ``limit`` UTF-8 bytes, else a violation that fits."""
    if isinstance(result, EnrichedEvent):
        line = result.to_tsv()
        size = len(to_utf8(line))
        if size <= limit:
            return result
        expectation = f"event passed enrichment but then exceeded the maximum allowed size {limit} bytes"
        row = badrow.size_violation(origin, limit, size, expectation, line[: enriched_chars(limit)])
        return limit_size(origin, row, limit)
    line = result.to_json()
    size = len(to_utf8(line))
    if size <= limit:
        return result
    expectation = f"event failed enrichment, but resulting bad row exceeds allowed size {limit}"
    return badrow.size_violation(origin, limit, size, expectation, line[: bad_row_chars(limit)])
