"""What a report tells besides counts: events by type and hour, examples of bad rows, the slowest splits.

Workers gather it while they write, the driver merges it. Everything is bounded, whatever the events say of themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from snowetl.model.badrow import BadRow
from snowetl.model.fields import INDEX
from snowetl.model.text import to_utf8
from snowetl.storage.splits import Split

EXAMPLES = 3
EXAMPLE_CHARS = 4096
OTHER_TYPES = "(other types)"
EARLIER = "(earlier)"
"""Stands for all hours before those that are kept; sorts before them."""

_HOUR = len("2026-01-31 23")
_MAX_CELLS = 20_000
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


class Measured(Protocol):
    """The report of one split, of whatever step."""

    @property
    def index(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def statistics(self) -> Statistics: ...


def merged(splits: Sequence[Measured]) -> dict[str, Any]:
    """The statistics of all splits (in order) as keys of a run's report."""
    document: dict[str, Any] = {
        "badExamples": _examples(split.statistics for split in splits),
        "splits": [_shown(split) for split in sorted(splits, key=lambda split: -split.seconds)[:_MAX_SPLITS]],
    }
    event_types = _event_types(split.statistics for split in splits)
    return {"eventTypes": event_types} | document if event_types else document


def _event_types(statistics: Iterable[Statistics]) -> dict[str, dict[str, int]]:
    """Type -> hour -> count: the commonest types, the latest hours, all others in one row and one column."""
    cells: Counter[tuple[str, str]] = Counter()
    for one in statistics:
        cells.update(one.events)
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


def _examples(statistics: Iterable[Statistics]) -> dict[str, list[str]]:
    examples: dict[str, list[str]] = {}
    for one in statistics:
        for schema, rows in one.examples.items():
            if schema in examples or len(examples) < _MAX_SCHEMAS:
                kept = examples.setdefault(schema, [])
                kept += rows[: EXAMPLES - len(kept)]
    return dict(sorted(examples.items()))


def _shown(split: Measured) -> dict[str, Any]:
    statistics = split.statistics
    return {
        "index": split.index,
        "files": statistics.files,
        "fileCount": statistics.file_count,
        "records": split.records,
        "seconds": round(split.seconds, 3),
    }
