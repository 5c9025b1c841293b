"""Results too large for where they go become ``size_violation`` bad rows (enrich 3.9.0 ``Enrich``).

The batch job has no limit of its own; one is set where a loader or a stream behind it has one.
"""

from __future__ import annotations

import base64
from typing import Final

from snowetl.jvm.strings import to_utf8
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.event import EnrichedEvent
from snowetl.model.result import Discard, FailedEvent, Result

MAX_OUTPUT_BYTES: Final = 256 << 20
"""What the results of one record may have together. The largest honest records (10 MB of events that are all bad) stay
far below; a record made to fill a disk (huge exponents, a long query string repeated in each of its events) does not.
"""

FEW_EVENTS: Final = 50
"""Records of so many events are not measured: what one event can become is bounded already."""


TOO_LONG: Final = "failed event over the size limit"
"""Why a failed event is left out; its bad row takes its place."""


def enriched_chars(limit: int) -> int:
    """How many characters of an oversized event a violation shows."""
    return limit * 8 // 10


def bad_row_chars(limit: int) -> int:
    """How many characters of an oversized bad row a violation shows."""
    return limit // 10


def limit_size(origin: Origin, result: Result, limit: int) -> Result:
    """``result`` itself where its line has at most ``limit`` UTF-8 bytes, else a violation that fits.

    A failed event has a bad row already: it is discarded.
    """
    if isinstance(result, EnrichedEvent):
        line = result.to_tsv()
        size = len(to_utf8(line))
        if size <= limit:
            return result
        expectation = f"event passed enrichment but then exceeded the maximum allowed size {limit} bytes"
        row = badrow.size_violation(origin, limit, size, expectation, line[: enriched_chars(limit)])
        return limit_size(origin, row, limit)
    if isinstance(result, Discard):
        return result
    if isinstance(result, FailedEvent):
        return result if len(to_utf8(result.to_tsv())) <= limit else Discard(TOO_LONG)
    line = result.to_json()
    size = len(to_utf8(line))
    if size <= limit:
        return result
    expectation = f"event failed enrichment, but resulting bad row exceeds allowed size {limit}"
    return badrow.size_violation(origin, limit, size, expectation, line[: bad_row_chars(limit)])


def events_left_out(origin: Origin, done: int, count: int, size: int, limit: int, record: bytes | str) -> BadRow:
    """Stands for the events of a record behind the first ``done`` of ``count``, whose results have ``size`` characters
    and so exceed ``limit``. Carries the record (in base64 if it is bytes), or its beginning where it is longer than a
    tenth of the limit.
    """
    expectation = (
        f"the first {done} of {count} events of one record already exceed the maximum allowed size "
        f"{limit} bytes of all its results; the other {count - done} are left out"
    )
    shown = base64.b64encode(record).decode("ascii") if isinstance(record, bytes) else record
    return badrow.size_violation(origin, limit, size, expectation, shown[: bad_row_chars(limit)])


def length(result: Result) -> int:
    """Characters of the result's line in its output file: near enough to its bytes, and cheap for events.

    A failed event counts for nothing: it is about as long as its bad row, and what is left out of a record must not
    depend on whether failed events are wanted.
    """
    if isinstance(result, EnrichedEvent):
        return sum(map(len, result.texts))
    return len(result.to_json()) if isinstance(result, BadRow) else 0
