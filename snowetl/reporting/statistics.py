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
from typing import Protocol

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
_MAX_MERGED_CELLS = 400_000
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
        files = list(dict.fromkeys(piece.url for piece in split.slices))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowSplit:
    """A split and what it took, as a report shows it."""

    index: int
    files: list[str]
    file_count: int
    records: int
    seconds: float


class Merged:
    """The statistics of all splits, added up as their reports come, in whatever order.

    What is kept does not depend on that order (but where there are hundreds of schemas): examples are those of the
    first splits.
    """

    def __init__(self) -> None:
        self._cells: Counter[tuple[str, str]] = Counter()
        self._examples: dict[str, list[tuple[int, int, str]]] = {}
        self._splits: list[SlowSplit] = []

    def add(self, split: Measured) -> None:
        statistics = split.statistics.unpack()
        self._cells.update(statistics.events)
        if len(self._cells) > _MAX_MERGED_CELLS:
            self._cells = _folded(self._cells)
        self._add_examples(split.index, statistics.examples)
        self._splits.append(_shown(split, statistics))
        if len(self._splits) >= 2 * _MAX_SPLITS:
            self._splits = self.slowest()

    def _add_examples(self, index: int, more: dict[str, list[str]]) -> None:
        for schema, rows in more.items():
            kept = self._examples.setdefault(schema, [])
            kept += [(index, number, row) for number, row in enumerate(rows)]
            kept.sort()
            del kept[EXAMPLES:]
        if len(self._examples) > 2 * _MAX_SCHEMAS:
            self._examples = self._first_schemas()

    def _first_schemas(self) -> dict[str, list[tuple[int, int, str]]]:
        """The schemas that were met first, as many as are shown."""
        first = sorted(self._examples, key=lambda schema: (self._examples[schema][0][:2], schema))
        return {schema: self._examples[schema] for schema in first[:_MAX_SCHEMAS]}

    def event_types(self) -> dict[str, dict[str, int]] | None:
        """Type -> hour -> count: the commonest types, the latest hours, all others in one row and one column.

        ``None`` where nothing was counted.
        """
        if not self._cells:
            return None
        table: dict[str, dict[str, int]] = {}
        for (type_, hour), count in sorted(_folded(self._cells).items()):
            row = table.setdefault(to_utf8(type_).decode(), {})  # two types may be written alike
            row[hour] = row.get(hour, 0) + count
        return table

    def examples(self) -> dict[str, list[str]]:
        """The first bad rows of each schema."""
        return {schema: [row for _, _, row in rows] for schema, rows in sorted(self._first_schemas().items())}

    def slowest(self) -> list[SlowSplit]:
        return sorted(self._splits, key=lambda split: (-split.seconds, split.index))[:_MAX_SPLITS]


def _folded(cells: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """The counts with rare types and early hours put together."""
    by_type: Counter[str] = Counter()
    for (type_, _), count in cells.items():
        by_type[type_] += count
    types = {type_ for type_, _ in by_type.most_common(_MAX_TYPES)}
    hours = set(sorted({hour for _, hour in cells})[-_MAX_HOURS:])
    folded: Counter[tuple[str, str]] = Counter()
    for (type_, hour), count in cells.items():
        folded[type_ if type_ in types else OTHER_TYPES, hour if hour in hours else EARLIER] += count
    return folded


def _shown(split: Measured, statistics: Statistics) -> SlowSplit:
    return SlowSplit(
        index=split.index,
        files=statistics.files,
        file_count=statistics.file_count,
        records=split.records,
        seconds=round(split.seconds, 3),
    )
