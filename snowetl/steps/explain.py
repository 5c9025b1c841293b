"""The explain step: the way of records, one by one, to the events, bad rows and discards they become.

Records are given as they stand, by their place (``FILE:N``, ``FILE:10-20``), on standard input, or as the bad rows that
were made of them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from snowetl.collector import Loader, format_of
from snowetl.collector.bad_row_record import Lost, read_bad_row, record_of
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.pipeline import OF_PARAMETERS, OF_PAYLOAD, Enricher
from snowetl.enrich.tracker_parameters import columns_of
from snowetl.errors import UsageError
from snowetl.jvm.commons_codec import decode_base64
from snowetl.model import reasons
from snowetl.steps import assets
from snowetl.steps.settings import ExplainSettings
from snowetl.storage import Record, filesystem, splits

_PLACE = re.compile(r"(?P<file>[^\t\n{}]+):(?P<first>\d+)(?P<range>-(?P<last>\d*))?")
_ADDRESS = re.compile(r"(?:s3[an]?|hdfs|file)://\S+")
_STDIN = "-"
_BLANK = re.compile(r"\s*")

_FROM_PAYLOAD = {
    "collector_tstamp": "timestamp",
    "network_userid": "networkUserId",
    "user_ipaddress": "ipAddress",
    "useragent": "useragent",
    "v_collector": "collector",
    "etl_tstamp": "the run",
    "v_etl": "the run",
}
"""Columns filled before any parameter is looked at, and the field of the payload that fills each."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the way and what it made; ``origins`` says what each of its columns comes from."""

    name: str
    detail: Any
    origins: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"stage": self.name, "detail": self.detail, "origins": dict(self.origins)}


class Verdict(NamedTuple):
    """How one result ended. ``kind``: ``event``, ``bad_row`` or ``discarded``."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{_MARKS[self.kind]} {self.text}"


_MARKS = {"event": "✓", "bad_row": "✗", "discarded": "–"}


@dataclass(slots=True)
class Way:
    """The results of one record at every stage.

    ``place`` is where the record is (``log.gz:17``), '' for one given as it is; ``note`` says how a record was made of
    a bad row, or why it cannot be.
    """

    place: str
    note: str = ""
    stages: list[Stage] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "place": self.place or None,
            "note": self.note or None,
            "stages": [stage.to_json() for stage in self.stages],
            "verdicts": [{"kind": verdict.kind, "text": verdict.text} for verdict in self.verdicts],
        }


def explain(settings: ExplainSettings) -> Iterator[tuple[str, Any]]:
    """(stage, what it made), in order, of all records. Raises as :func:`ways`."""
    for way in ways(settings):
        yield from ((stage.name, stage.detail) for stage in way.stages)


def ways(settings: ExplainSettings, stdin: Iterable[bytes] = ()) -> Iterator[Way]:
    """The way of each record that the settings name, in order. ``stdin`` are the lines that ``-`` stands for.

    Raises ``UsageError`` for a file or record that is not there, ``ConfigError``, ``RegistryUnavailable``.
    """
    config = settings.enrich_config(settings.etl_timestamp or 0)
    loader = format_of(settings.input_format)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="snowetl-"))
        wanted = config.assets()
        files = assets.in_working_folder(wanted) if settings.local else assets.fetch_all(wanted, Path(folder))
        enrichers = _Enrichers(config.with_assets(files), stack)
        for given in _records(settings.record, stdin, loader):
            yield _way(given, enrichers, loader.binary)


class _Enrichers:
    """One for each input format that is met: a bad row may hold a record of another format than was given."""

    def __init__(self, config: EnrichConfig, stack: ExitStack) -> None:
        self._config = config
        self._stack = stack
        self._opened: dict[str, Enricher] = {}
        self.mends = config.recoveries is not None
        """Whether bad rows are mended before they are read."""
        self.of(config.input_format)

    def of(self, input_format: str | None) -> Enricher:
        """The enricher of a format; ``None`` is the one that was given."""
        input_format = input_format or self._config.input_format
        if input_format not in self._opened:
            config = replace(self._config, input_format=input_format)
            self._opened[input_format] = self._stack.enter_context(Enricher(config))
        return self._opened[input_format]


# --- the way of a record --------------------------------------------------------------------------------------------


class _Given(NamedTuple):
    """A record, or the text of a bad row. ``place`` is for people; ``source`` and ``number`` are a job's."""

    data: bytes | str
    place: str
    source: str
    number: int


def _way(given: _Given, enrichers: _Enrichers, binary: bool) -> Way:
    way = Way(given.place)
    data, input_format = given.data, None
    bad_row = read_bad_row(data) if isinstance(data, str) else None
    if bad_row is not None and enrichers.mends:
        way.note = f"a bad row of the kind {bad_row['schema'].split('/')[1]} is mended (--recoveries), and tried again"
    elif bad_row is not None:
        kind = bad_row["schema"].split("/")[1]
        found = record_of(bad_row, binary=binary)
        if isinstance(found, Lost):
            way.note = f"a bad row of the kind {kind} cannot be tried again: {found.reason}"
            way.stages.append(Stage("bad row", dict(bad_row)))
            way.verdicts.append(_of_bad_row(bad_row))
            return way
        way.note = f"a bad row of the kind {kind} is tried again with {found.note}"
        data, input_format = found.record, found.input_format
    elif binary and isinstance(data, str):
        data = decode_base64(data)
    parameters: Mapping[str, Any] = {}
    for name, detail in enrichers.of(input_format).explain(data, given.source, given.number):
        if name == "raw event":
            parameters = detail
        way.stages.append(Stage(name, detail, _origins(name, detail, parameters)))
        verdict = _verdict(name, detail, data)
        if verdict is not None:
            way.verdicts.append(verdict)
    return way


def _origins(stage: str, detail: Any, parameters: Mapping[str, Any]) -> dict[str, str]:
    """What each column of a stage comes from."""
    if stage == OF_PAYLOAD:
        return {column: _FROM_PAYLOAD[column] for column in detail if column in _FROM_PAYLOAD}
    if stage != OF_PARAMETERS:
        return {}
    made: dict[str, list[str]] = {column: [] for column in detail}
    for parameter, value in parameters.items():
        for column in columns_of(parameter) if value is not None else ():
            if column in made:
                made[column].append(parameter)
    origins = {column: ", ".join(names) for column, names in made.items() if names}
    if "event_id" in made and str(parameters.get("eid")).lower() != detail["event_id"]:
        origins["event_id"] = "the record's content and place"
    return origins


def _verdict(stage: str, detail: Any, data: bytes | str) -> Verdict | None:
    """The verdict of a stage that is a result; a failed event goes with its bad row."""
    if stage == "event":
        return Verdict("event", f"event {detail.get('event_name') or detail.get('event') or 'of no type'}")
    if stage == "discarded":
        return Verdict("discarded", f"discarded: {detail}")
    if isinstance(detail, dict) and set(detail) == {"schema", "data"}:
        return _of_bad_row(detail)
    if stage == "loader":  # not a bad row, then: a line that is not a record
        empty = isinstance(data, str) and _BLANK.fullmatch(data)
        return Verdict("discarded", f"discarded: {'empty' if empty else 'header'} line")
    return None


def _of_bad_row(row: Mapping[str, Any]) -> Verdict:
    first, *more = reasons.faults(row["data"])
    others = f" (and {len(more)} more fault{'s' if len(more) > 1 else ''})" if more else ""
    return Verdict("bad_row", f"{row['schema'].split('/')[1]}: {first}{others}")


# --- the records that are meant -------------------------------------------------------------------------------------


def _records(text: str, stdin: Iterable[bytes], loader: type[Loader]) -> Iterator[_Given]:
    """The record itself, those at a place, or the lines of ``stdin``. Raises :class:`UsageError`."""
    if text == _STDIN:
        for number, line in enumerate(stdin, 1):
            yield _Given(line.decode("utf-8", "replace").rstrip("\r\n"), f"{_STDIN}:{number}", "", 0)
        return
    place = _PLACE.fullmatch(text)
    if place is not None:
        file = place["file"]
        if not filesystem(file).exists(file):
            raise _no_file(file)
        first = int(place["first"])
        last = first if place["range"] is None else int(place["last"]) if place["last"] else None
        yield from _of_file(file, first, last, loader)
    elif _is_file(text):
        yield from _of_file(text, 1, 1, loader)
    elif _is_path(text):
        raise _no_file(text)
    else:
        yield _Given(text, "", "", 0)


def _of_file(file: str, first: int, last: int | None, loader: type[Loader]) -> Iterator[_Given]:
    """The records from ``first`` to ``last`` (``None``: to the end), as far as there are any."""
    if first < 1:
        raise UsageError(f"{file} has no record {first}; they are counted from 1")
    if last is not None and last < first:
        raise UsageError(f"{file}:{first}-{last} is an empty range. Give the smaller number first")
    records = _lines(file) if _holds_bad_rows(file) else _read(file, loader)
    number, name = 0, file.rpartition("/")[2]
    for number, record in enumerate(islice(records, first - 1, last), first):
        yield _Given(record.data, f"{name}:{number}", name, record.number)
    if not number:
        raise UsageError(f"{file} has no record {first}; they are counted from 1")


def _read(file: str, loader: type[Loader]) -> Iterator[Record]:
    items = splits.read(splits.Slice(file), binary=loader.binary, text=loader.text)
    return (item for item in items if isinstance(item, Record))


def _lines(file: str) -> Iterator[Record]:
    return (item for item in splits.read(splits.Slice(file), binary=False) if isinstance(item, Record))


def _holds_bad_rows(file: str) -> bool:
    """Whether a file holds bad rows, where records of another kind are expected."""
    first = next(_lines(file), None)
    return first is not None and isinstance(first.data, str) and read_bad_row(first.data) is not None


def _is_file(text: str) -> bool:
    """Whether a record is the name of a file, rather than a record."""
    if _ADDRESS.fullmatch(text):
        return filesystem(text).exists(text)
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _is_path(text: str) -> bool:
    """Whether a record that is not a file was meant as one: an address, a folder, or a name in a folder that exists."""
    try:
        return (
            _ADDRESS.fullmatch(text) is not None or Path(text).is_dir() or ("/" in text and Path(text).parent.is_dir())
        )
    except (OSError, ValueError):
        return False


def _no_file(path: str) -> UsageError:
    if not _ADDRESS.fullmatch(path) and Path(path).is_dir():
        return UsageError(f"{path} is a folder. Name a file of it: FILE, FILE:N or FILE:N-M")
    return UsageError(f"there is no file {path} (give a record as FILE:N, or the record itself)")
