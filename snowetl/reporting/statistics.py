"""What a report tells besides counts: events by type and hour, examples of bad rows, the slowest splits.

Workers gather it while they write, the driver merges it. Everything is bounded, whatever the events say of themselves,
and travels compressed: a run of ten thousand splits must not fill the driver.
"""

from __future__ import annotations

import pickle
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from snowetl.jvm.strings import to_utf8
from snowetl.model.badrow import BadRow
from snowetl.model.fields import INDEX
from snowetl.storage.splits import Split

EXAMPLES = 3
EXAMPLE_CHARS = 4096
OTHER_TYPES = "(other types)"
EARLIER = "(earlier)"
"""Stands for all hours before those that are kept; sorts before them."""

_HOUR = len("2026-01-31 23")
_MAX_CELLS = 5_000
_MAX_TYPES = 200
_MAX_HOURS = 24 * 31
_MAX_SCHEMAS = 100
_MAX_SPLITS = 100
_MAX_FILES = 3
_TSTAMP, _EVENT, _NAME = INDEX["collector_tstamp"], INDEX["event"], INDEX["event_name"]


@dataclass(slots=True)
class Statistics:
    """Of one split. ``events`` counts by (type, hour), ``examples`` holds the first bad rows of each schema."""

    files: list[str] = field(default_factory=list)
    """The first files of the split."""
    file_count: int = 0
    events: dict[tuple[str, str], int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, split: Split) -> Statistics:
        files = list(dict.fromkeys(part.url for part in split.parts))
        return cls([url.rpartition("/")[2] for url in files[:_MAX_FILES]], len(files))

    def unpack(self) -> Statistics:
        return self

    def __reduce__(self) -> tuple[type[Packed], tuple[bytes]]:
        content = (self.files, self.file_count, self.events, self.examples)
        return Packed, (zlib.compress(pickle.dumps(content), 1),)

    def count(self, values: Sequence[str]) -> None:
        """Count an event by its columns. 0.2 microseconds."""
        key = (values[_NAME] or values[_EVENT], values[_TSTAMP][:_HOUR])
        try:
            self.events[key] += 1
        except KeyError:
            if len(self.events) >= _MAX_CELLS:
                key = (OTHER_TYPES, EARLIER)
            self.events[key] = self.events.get(key, 0) + 1

    def keep(self, row: BadRow) -> None:
        """Keep a bad row if it is among the first of its schema."""
        examples = self.examples.get(row.schema_key)
        if examples is None:
            if len(self.examples) >= _MAX_SCHEMAS:
                return
            examples = self.examples[row.schema_key] = []
        if len(examples) < EXAMPLES:
            examples.append(to_utf8(row.to_json()[:EXAMPLE_CHARS]).decode("utf-8"))


class Packed:
    """Statistics as they come from another process; they stay packed until their turn comes."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def unpack(self) -> Statistics:
        return Statistics(*pickle.loads(zlib.decompress(self._content)))


class Measured(Protocol):
    """The report of one split, of whatever step."""

    @property
    def index(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def statistics(self) -> Statistics | Packed: ...


def merged(splits: Sequence[Measured]) -> dict[str, Any]:
    """The statistics of all splits (in order) as keys of a run's report."""
    cells: Counter[tuple[str, str]] = Counter()
    examples: dict[str, list[str]] = {}
    for split in splits:
        statistics = split.statistics.unpack()
        cells.update(statistics.events)
        _add_examples(examples, statistics.examples)
    document: dict[str, Any] = {
        "badExamples": dict(sorted(examples.items())),
        "splits": [_shown(split) for split in sorted(splits, key=lambda split: -split.seconds)[:_MAX_SPLITS]],
    }
    return {"eventTypes": _event_types(cells)} | document if cells else document


def _event_types(cells: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Type -> hour -> count: the commonest types, the latest hours, all others in one row and one column."""
    by_type: Counter[str] = Counter()
    for (type_, _), count in cells.items():
        by_type[type_] += count
    types = {type_ for type_, _ in by_type.most_common(_MAX_TYPES)}
    hours = set(sorted({hour for _, hour in cells})[-_MAX_HOURS:])
    table: dict[str, dict[str, int]] = {}
    for (type_, hour), count in sorted(cells.items()):
        row = table.setdefault(to_utf8(type_).decode() if type_ in types else OTHER_TYPES, {})
        column = hour if hour in hours else EARLIER
        row[column] = row.get(column, 0) + count
    return table


def _add_examples(examples: dict[str, list[str]], more: dict[str, list[str]]) -> None:
    for schema, rows in more.items():
        if schema in examples or len(examples) < _MAX_SCHEMAS:
            kept = examples.setdefault(schema, [])
            kept += rows[: EXAMPLES - len(kept)]


def _shown(split: Measured) -> dict[str, Any]:
    statistics = split.statistics.unpack()
    return {
        "index": split.index,
        "files": statistics.files,
        "fileCount": statistics.file_count,
        "records": split.records,
        "seconds": round(split.seconds, 3),
    }
