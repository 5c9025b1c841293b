"""A look at the first records of every file before a job starts: is this the input the user says it is?

A whole input that plainly is something else (another format, the output of another verb) is refused before any work,
and the message names the option or the verb that takes it. ``--no-check-input`` takes it for what it is said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import NamedTuple

from snowetl.collector import format_of, formats, loader_for
from snowetl.collector.bad_row_record import read_bad_row
from snowetl.collector.loader import Loader
from snowetl.enrich.config import EnrichConfig
from snowetl.errors import UsageError
from snowetl.jvm import jsontext
from snowetl.model.badrow import Origin
from snowetl.model.fields import NAMES
from snowetl.settings.words import count
from snowetl.steps.cut import Cut
from snowetl.storage import Damage, Record, splits
from snowetl.storage.firehose import undelivered as undelivered_by
from snowetl.storage.splits import Ignored, Slice

_RECORDS = 20
_FILES = 1_000
"""Of more files, so many are looked at, spread over all of them."""
_THREADS = 16
_SHOWN = 3
_ANY_ADAPTER = "vendor/version"
_FEWEST_COLUMNS = 100
"""A line of fewer columns is not an enriched event of any release."""


_OVERRIDE = "If the format is right, add --no-check-input: records that cannot be read become bad rows"


class _Kind(NamedTuple):
    """What an input looks like, in words: ``name``, and the ``remedy`` that takes it."""

    name: str
    remedy: str


_EVENTS = _Kind("enriched events", "they are what `snowetl transform` takes")
_BAD_ROWS = _Kind(
    "bad rows",
    "`snowetl load --bad-rows` loads them, `snowetl explain` tells why they are bad and what they would be now, and "
    "--input-format bad-rows sends them again",
)
_WIDE_ROWS = _Kind("rows that `snowetl transform` wrote", "they are for a lake, or for `snowetl load`")
_ANYTHING = _Kind("something else", "If it is a raw log, run `snowetl enrich` first, and transform its output")
_WIDE_ROW_KEYS = ("event_id", "collector_tstamp", "v_etl")
_FAILURE = '"schema":"iglu:com.snowplowanalytics.snowplow/failure/jsonschema/1-'
"""The entity that only failed events have."""


class _Look(NamedTuple):
    """What the first records of a file look like: how many can be read as they should, and how many cannot.

    ``other`` is what all of them are, where they are not what was said.
    """

    url: str
    good: int
    bad: int
    other: _Kind | None = None
    failed: int = 0
    """Of the good ones, how many are failed events."""

    @property
    def is_wrong(self) -> bool:
        return not self.good and bool(self.bad) and self.other is not None


def check_format(cut: Cut, config: EnrichConfig, refuse: bool = True) -> list[str]:
    """In words, the files whose first records cannot be read, but are plainly something else.

    Raises :class:`UsageError` where there is one, and no file can be read as it should, unless ``refuse`` is false.
    Records that no format can read are not the user's mistake: they become bad rows.
    """
    given = f"'{config.input_format}'"
    wrong, all_are = _wrong(_look_at([cut], lambda slice_: _look(slice_, config.input_format)))
    if all_are and refuse:
        first, other = wrong[0], wrong[0].other or _ANYTHING
        raise UsageError(
            f"{first.url} is not {given}: none of its first {first.bad} records can be read. It looks like "
            f"{other.name}: {other.remedy}. {_OVERRIDE}"
        )
    return [_told(wrong, given, "records")] if wrong else []


def check_enriched(cuts: Sequence[Cut], refuse: bool = True, *, failed_events: bool = False) -> list[str]:
    """In words, the files that hold no enriched events.

    Raises :class:`UsageError` where that is so of all of them, and where events have failed that should not have, or
    the other way round (each kind has tables of its own), unless ``refuse`` is false.
    """
    looks = _look_at(cuts, _look_for_events)
    if refuse:
        _check_kind(looks, failed_events)
    wrong, all_are = _wrong(looks)
    if all_are and refuse:
        other = wrong[0].other or _ANYTHING
        looks_like = "" if other is _ANYTHING else f"It looks like {other.name}: "
        raise UsageError(
            f"{wrong[0].url} holds no enriched events: those have {len(NAMES)} columns, and no line of it has as many. "
            f"{looks_like}{other.remedy}. {_OVERRIDE}"
        )
    return [_told(wrong, "enriched events", "lines")] if wrong else []


def _check_kind(looks: Iterable[_Look], failed_events: bool) -> None:
    for look in looks:
        if failed_events and look.good and not look.failed:
            raise UsageError(f"{look.url} holds no failed events: leave --failed-events out")
        if not failed_events and look.good and look.failed == look.good:
            raise UsageError(
                f"{look.url} holds failed events: give --failed-events, and an --output-folder of their own"
            )


def _wrong(looks: Sequence[_Look]) -> tuple[list[_Look], bool]:
    """The files that are something else, and whether there is no other."""
    wrong = [look for look in looks if look.is_wrong]
    return wrong, bool(wrong) and not any(look.good for look in looks)


def _told(wrong: Sequence[_Look], given: str, records: str) -> str:
    other = wrong[0].other or _ANYTHING
    but = "" if other is _ANYTHING else f", but like {other.name}"
    return f"{_named(wrong)} not look like {given}{but}: the {records} become bad rows"


def undelivered(ignored: Iterable[Ignored]) -> list[str]:
    """In words, the files left out that hold what Amazon Data Firehose could not deliver: nothing else tells of it."""
    number = size = 0
    first = ""
    for file in ignored:
        if undelivered_by(file.url):
            first = first or file.url
            number += 1
            size += file.size
    if not number:
        return []
    return [
        f"left out {count(number, 'file')} ({size:,} bytes) with what Firehose could not deliver, such as {first}: "
        "records stand there as rawData, in base64"
    ]


def _named(wrong: Sequence[_Look]) -> str:
    names = ", ".join(look.url for look in wrong[:_SHOWN])
    if len(wrong) == 1:
        return f"{names} does"
    return f"{count(len(wrong), 'file')} ({names}{', …' if len(wrong) > _SHOWN else ''}) do"


def _look_at(cuts: Sequence[Cut], look: Callable[[Slice], _Look]) -> list[_Look]:
    """A look at the beginning of every file that has records."""
    number = sum(len(cut.files) for cut in cuts)
    every = chain.from_iterable(cut.work.splits for cut in cuts)
    beginnings = (slice_ for split in every for slice_ in split.slices if slice_.start == 0)
    slices = list(islice(beginnings, 0, None, -(-number // _FILES) or 1))
    with ThreadPoolExecutor(_THREADS) as pool:
        return [found for found in pool.map(look, slices) if found.good or found.bad]


def _look(slice_: Slice, given: str) -> _Look:
    good, bad = _try(slice_, given)
    if not bad and not (good and format_of(given).takes_adapter):
        return _Look(slice_.url, good, bad)  # lines that any adapter may take are looked at
    other = None if good and bad else _output_of_a_verb(slice_)
    if other is _BAD_ROWS and format_of(given).takes_format:  # none of the first can be mended
        return _Look(slice_.url, good, bad)
    if other is not None:
        return _Look(slice_.url, 0, good + bad, other)
    return _Look(slice_.url, good, bad, None if good else _raw_format(slice_, but=format_of(given)))


def _look_for_events(slice_: Slice) -> _Look:
    lines = _lines(slice_)
    events = list(filter(_is_event, lines))
    if events or not lines:
        failed = sum(_FAILURE in str(line) for line in events)
        return _Look(slice_.url, len(events), len(lines) - len(events), failed=failed)
    raw = _raw_format(slice_)
    first = raw and _Kind(raw.name, f"{raw.remedy} to `snowetl enrich`, and transform what comes out")
    return _Look(slice_.url, 0, len(lines), _output_of_a_verb(slice_) or first or _ANYTHING)


def _raw_format(slice_: Slice, but: type[Loader] | None = None) -> _Kind | None:
    """The format that reads all first records of a file."""
    for one in formats().values():
        if one is but or not one.tells_apart:
            continue
        could, could_not = _try(slice_, f"{one.name}/{_ANY_ADAPTER}" if one.takes_adapter else one.name)
        if could and not could_not:
            spelled = one.spelling() if one.takes_adapter else one.name
            return _Kind(f"'{spelled}'", f"give --input-format {spelled}")
    return None


def _output_of_a_verb(slice_: Slice) -> _Kind | None:
    """What verb wrote all first lines of a file, if one did."""
    lines = _lines(slice_)
    for kind, is_one in _OUTPUTS.items():
        if lines and all(map(is_one, lines)):
            return kind
    return None


def _is_event(line: bytes | str) -> bool:
    return isinstance(line, str) and line.count("\t") + 1 >= _FEWEST_COLUMNS


def _is_bad_row(line: bytes | str) -> bool:
    return isinstance(line, str) and read_bad_row(line) is not None


def _is_wide_row(line: bytes | str) -> bool:
    if not isinstance(line, str) or not line.startswith("{"):
        return False
    try:
        row = jsontext.loads(line)
    except ValueError:
        return False
    return isinstance(row, dict) and all(key in row for key in _WIDE_ROW_KEYS)


_OUTPUTS = {_EVENTS: _is_event, _BAD_ROWS: _is_bad_row, _WIDE_ROWS: _is_wide_row}


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


def _lines(slice_: Slice) -> list[bytes | str]:
    """The first records of a file as lines of text, whatever they are."""
    return [one.data for one in islice(splits.read(slice_, binary=False), _RECORDS) if isinstance(one, Record)]
