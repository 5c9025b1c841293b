"""A look at the first records of every file before a job starts: is this the format the user says it is?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from snowetl.collector import format_of, formats, loader_for
from snowetl.enrich.config import EnrichConfig
from snowetl.errors import UsageError
from snowetl.model.badrow import Origin
from snowetl.model.fields import NAMES
from snowetl.settings.words import count
from snowetl.storage import Damage, Record, splits
from snowetl.storage.firehose import undelivered as undelivered_by
from snowetl.storage.splits import Ignored, Slice, Split

_RECORDS = 20
_FILES = 2_000
"""Of more files, so many are looked at, spread over all of them."""
_THREADS = 16
_SHOWN = 3
_ANY_ADAPTER = "vendor/version"
_FEWEST_COLUMNS = 100
"""A line of fewer columns is not an enriched event of any release."""


class _Look(NamedTuple):
    """What the first records of a file look like: how many can be read as they should, and how many cannot.

    ``other`` is the format all of them are in, where they are not in the one that was given.
    """

    url: str
    good: int
    bad: int
    other: str | None = None

    @property
    def is_wrong(self) -> bool:
        return not self.good and bool(self.bad) and self.other is not None


def check_format(plan: Iterable[Split], config: EnrichConfig) -> list[str]:
    """In words, the files whose first records cannot be read, but all could be as another format.

    Raises :class:`UsageError` where there is one, and no file can be read as it should. Records that are no good in any
    format are no mistake of the user: they become bad rows.
    """
    looks = _look_at(plan, lambda slice_: _look(slice_, config.input_format))
    wrong = [look for look in looks if look.is_wrong]
    if not wrong:
        return []
    first = wrong[0]
    if not any(look.good for look in looks):
        raise UsageError(
            f"{first.url} is not '{config.input_format}': none of its first {first.bad} records can be read. "
            f"It looks like '{first.other}': give --input-format {first.other}"
        )
    return [
        f"{_named(wrong)} not '{config.input_format}', but '{first.other}' by the look: the records become bad rows"
    ]


def check_enriched(plan: Iterable[Split]) -> list[str]:
    """In words, the files that hold no enriched events. Raises :class:`UsageError` where that is so of all of them."""
    looks = _look_at(plan, _look_for_events)
    wrong = [look for look in looks if look.is_wrong]
    if not wrong:
        return []
    if not any(look.good for look in looks):
        raise UsageError(
            f"{wrong[0].url} holds no enriched events: those have {len(NAMES)} columns, and no line of it has as many. "
            "If it is a raw log, run `snowetl enrich` first, and transform its output"
        )
    return [f"{_named(wrong)} not enriched events by the look: the lines become bad rows"]


def undelivered(ignored: Iterable[Ignored]) -> list[str]:
    """In words, the files left out that hold what Amazon Data Firehose could not deliver: nothing else tells of it."""
    left = [file for file in ignored if undelivered_by(file.url)]
    if not left:
        return []
    files, size = count(len(left), "file"), sum(file.size for file in left)
    return [
        f"left out {files} ({size:,} bytes) with what Firehose could not deliver, such as {left[0].url}: "
        "records stand there as rawData, in base64"
    ]


def _named(wrong: Sequence[_Look]) -> str:
    names = ", ".join(look.url for look in wrong[:_SHOWN])
    if len(wrong) == 1:
        return f"{names} is"
    return f"{count(len(wrong), 'file')} ({names}{', …' if len(wrong) > _SHOWN else ''}) are"


def _look_at(plan: Iterable[Split], look: Callable[[Slice], _Look]) -> list[_Look]:
    """A look at the beginning of every file that has records."""
    slices = [slice_ for split in plan for slice_ in split.slices if slice_.start == 0]
    slices = slices[:: -(-len(slices) // _FILES) or 1]
    with ThreadPoolExecutor(_THREADS) as pool:
        return [found for found in pool.map(look, slices) if found.good or found.bad]


def _look(slice_: Slice, given: str) -> _Look:
    good, bad = _try(slice_, given)
    if good or not bad:
        return _Look(slice_.url, good, bad)
    for other in formats().values():
        if other is format_of(given) or not other.tells_apart:
            continue
        could, could_not = _try(slice_, f"{other.name}/{_ANY_ADAPTER}" if other.takes_adapter else other.name)
        if could and not could_not:
            return _Look(slice_.url, 0, bad, other.spelling() if other.takes_adapter else other.name)
    return _Look(slice_.url, 0, bad)


def _look_for_events(slice_: Slice) -> _Look:
    lines = [record for record in islice(splits.read(slice_, binary=False), _RECORDS) if isinstance(record, Record)]
    good = sum(isinstance(line.data, str) and line.data.count("\t") + 1 >= _FEWEST_COLUMNS for line in lines)
    return _Look(slice_.url, good, len(lines) - good, "no events")


def _try(slice_: Slice, input_format: str) -> tuple[int, int]:
    """How many of the first records a loader reads, and how many it refuses. Header lines count as neither."""
    loader = loader_for(input_format, Origin("snowetl", "", 0))
    good = bad = 0
    for record in islice(splits.read(slice_, binary=loader.binary, text=loader.text), _RECORDS):
        payload = None if isinstance(record, Damage) else loader.load(record.data)
        if isinstance(record, Damage) or isinstance(payload, list):
            bad += 1
        elif payload is not None:
            good += 1
    return good, bad
