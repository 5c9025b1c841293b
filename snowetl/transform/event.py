"""An enriched line, read and checked (analytics SDK 3.1.0 ``Event.parse``), ready to be printed in any form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from snowetl.jvm import doubles, instants, uuid
from snowetl.jvm.doubles import double_text, parse_double
from snowetl.jvm.instants import CANONICAL, Instant
from snowetl.jvm.integers import parse_int
from snowetl.jvm.strings import utf16_length
from snowetl.jvm.uuid import parse_uuid
from snowetl.model.badrow import Message
from snowetl.model.fields import FIELDS, INDEX
from snowetl.model.schema import SchemaKey
from snowetl.transform.entities import NotEntities, of_contexts, of_unstruct
from snowetl.transform.entity import WHOLE, ParsedEntity, Readers

UNSTRUCT_EVENT: Final = "unstruct_event"
CONTEXTS: Final = "contexts"
DERIVED_CONTEXTS: Final = "derived_contexts"


def _columns_of(*types: str) -> tuple[int, ...]:
    return tuple(index for index, field in enumerate(FIELDS) if field.type in types)


TIMESTAMPS: Final = _columns_of("ts")
INTEGERS: Final = _columns_of("int", "txn")
DOUBLES: Final = _columns_of("float", "dec")
BOOLEANS: Final = _columns_of("bool")
ATOMIC_COLUMNS: Final = _columns_of("str", "ts", "int", "txn", "float", "dec", "bool")
"""The 128 columns of the table ``events``: all but those that hold entities."""
_ENTITY_COLUMNS: Final = tuple(reversed(_columns_of("json")))
"""From right to left."""
EVENT_ID: Final = INDEX["event_id"]
COLLECTOR_TSTAMP: Final = INDEX["collector_tstamp"]
ETL_TSTAMP: Final = INDEX["etl_tstamp"]
FINGERPRINT: Final = INDEX["event_fingerprint"]
_REQUIRED_STRINGS: Final = (INDEX["v_collector"], INDEX["v_etl"])
_REQUIRED: Final = (COLLECTOR_TSTAMP, EVENT_ID, *_REQUIRED_STRINGS)
_CONTEXTS: Final = INDEX[CONTEXTS]
_UNSTRUCT: Final = INDEX[UNSTRUCT_EVENT]
_STRINGS: Final = tuple(index for index in _columns_of("str") if index != EVENT_ID)

ATOMIC: Final = SchemaKey.parse("iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0")
"""The schema that stands for the event itself."""
CONTEXTS_URI: Final = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
UNSTRUCT_URI: Final = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"


# --- ordinary lines -------------------------------------------------------------------------------------------------

_MONEY: Final = tuple(index for index in _columns_of("dec") if FIELDS[index].name != "se_value")
_FORMS: Final = {
    **{index: f"[^\t]{{0,{field.max_length}}}+" for index, field in enumerate(FIELDS) if field.max_length is not None},
    **dict.fromkeys(_columns_of("json"), "[^\t]*+"),
    **dict.fromkeys(TIMESTAMPS, f"(?:{instants.CANONICAL_FORM})?+"),
    **dict.fromkeys(INTEGERS, "(?:0|[1-9][0-9]{0,8}+)?+"),
    **dict.fromkeys(DOUBLES, f"(?:{doubles.CANONICAL_FORM})?+"),
    **dict.fromkeys(_MONEY, r"(?:-?(?:0|[1-9][0-9]{0,6})\.(?:[0-9]?[1-9]|0))?+"),
    **dict.fromkeys(BOOLEANS, "[01]?+"),
    **{index: f"[^\t]{{1,{FIELDS[index].max_length}}}+" for index in _REQUIRED_STRINGS},
    COLLECTOR_TSTAMP: instants.CANONICAL_FORM,
    EVENT_ID: uuid.CANONICAL_FORM,
}
"""What columns hold in nearly all events: text that is right, is printed as it was read, and fits the column of every
warehouse, as far as that counts characters."""
_GROUPS: Final = {
    index: number
    for number, index in enumerate(
        sorted((*_ENTITY_COLUMNS, EVENT_ID, COLLECTOR_TSTAMP, ETL_TSTAMP, FINGERPRINT)), start=1
    )
}
"""The columns that are looked at without splitting the line, and their numbers in the match."""
_ordinary: Final = re.compile(
    "\t".join(f"({form})" if index in _GROUPS else form for index, form in sorted(_FORMS.items()))
).fullmatch


class Event:
    """One enriched event.

    ``columns`` holds 131 texts as the atomic TSV prints them; ``""`` is null. What such a text cannot tell stands in
    ``exact``, by column: an :class:`Instant` that is finer than a millisecond or beyond the year 9999, or the name of a
    double that is not finite (null everywhere but in ``geo_location``).
    ``ordinary`` tells that each column holds what it does in nearly all events (:data:`_FORMS`), ``clean`` that the
    line holds no backslash, carriage return or NUL, ``plain`` that no text inside the entities holds an escaped
    character.
    """

    __slots__ = (
        "_columns",
        "_match",
        "_root",
        "clean",
        "contexts",
        "derived_contexts",
        "exact",
        "ordinary",
        "plain",
        "unstruct_event",
    )

    def __init__(self, line: str) -> None:
        self._match: re.Match[str] | None = _ordinary(line)
        self._columns: list[str] | None = line.split("\t") if self._match is None else None
        self._root: str | None = None
        self.ordinary = self._match is not None
        self.clean = not ("\\" in line or "\r" in line or "\x00" in line)
        self.plain = True
        self.exact: dict[int, Instant | str] = {}
        self.contexts: list[ParsedEntity] = []
        self.derived_contexts: list[ParsedEntity] = []
        self.unstruct_event: ParsedEntity | None = None

    @property
    def columns(self) -> list[str]:
        if self._columns is None:
            assert self._match is not None
            self._columns = self._match.string.split("\t")
        return self._columns

    def text(self, index: int) -> str:
        """Text of one column. Of those of :data:`_GROUPS`, it is had without splitting the line."""
        if self._columns is None and self._match is not None and index in _GROUPS:
            return self._match[_GROUPS[index]]
        return self.columns[index]

    def row(self) -> str:
        """The texts of :data:`ATOMIC_COLUMNS` with tabs between them."""
        if self._columns is not None or self._match is None:
            return "\t".join(atomic(self.columns))
        row = self._match.string
        for index in _ENTITY_COLUMNS:
            start, end = self._match.span(_GROUPS[index])
            row = row[: start - 1] + row[end:]
        return row

    def __getitem__(self, column: str) -> str | None:
        """Text of a column as the atomic TSV prints it; ``None`` where null."""
        return self.columns[INDEX[column]] or None

    @property
    def event_id(self) -> str:
        return self.text(EVENT_ID)

    @event_id.setter
    def event_id(self, event_id: str) -> None:
        self.columns[EVENT_ID] = event_id
        self._root = None

    @property
    def collector_tstamp(self) -> str:
        return self.text(COLLECTOR_TSTAMP)

    def root(self) -> str:
        """What leads from other rows to the event: its id and its time."""
        if self._root is None:
            self._root = f"{self.event_id}\t{self.collector_tstamp}"
        return self._root

    def entities(self) -> list[ParsedEntity]:
        """All entities in the order of shredding: the self-describing event, derived contexts, contexts."""
        of_event = [] if self.unstruct_event is None else [self.unstruct_event]
        return [*of_event, *self.derived_contexts, *self.contexts]

    def instant(self, index: int) -> Instant | None:
        """The exact time in a timestamp column, ``None`` where null."""
        exact = self.exact.get(index)
        if exact is not None:
            assert isinstance(exact, Instant)
            return exact
        text = self.text(index)
        return instants.from_canonical(text) if text else None

    def iso(self, index: int) -> str | None:
        """A timestamp column as ISO instant, ``None`` where null."""
        exact = self.exact.get(index)
        if exact is not None:
            assert isinstance(exact, Instant)
            return instants.to_iso(exact)
        text = self.text(index)
        return instants.canonical_to_iso(text) if text else None


def atomic(columns: list[str]) -> list[str]:
    """The texts of :data:`ATOMIC_COLUMNS`, of all 131."""
    texts = columns.copy()
    for index in _ENTITY_COLUMNS:
        del texts[index]
    return texts


def parse(line: str, max_lengths: Mapping[int, int] | None = None, readers: Readers = WHOLE) -> Event | Message:
    """Read an enriched line (no line end). A line that is not an event gives the failure of ``loader_parsing_error``.

    ``max_lengths`` (column -> UTF-16 units) cuts string columns that are longer.
    """
    event = Event(line)
    errors: list[tuple[int, str]] = []
    if not event.ordinary:
        count = len(event.columns)
        if count != len(FIELDS):
            return {"type": "NotTSV"} if count == 1 else {"type": "FieldNumberMismatch", "fieldCount": count}
        _check_scalars(event, errors)
    _read_entities(event, readers, errors)
    if errors:
        return _failure(line, errors)
    if max_lengths:
        _truncate(event.columns, max_lengths)
    return event


def _failure(line: str, errors: list[tuple[int, str]]) -> Message:
    values = line.split("\t")
    return {
        "type": "RowDecodingError",
        "errors": [
            {"type": "InvalidValue", "key": FIELDS[index].name, "value": values[index], "message": message}
            for index, message in sorted(errors)
        ],
    }


# --- other lines ----------------------------------------------------------------------------------------------------

_BOOLEAN_TEXTS: Final = frozenset(("", "0", "1"))


def _check_scalars(event: Event, errors: list[tuple[int, str]]) -> None:
    columns = event.columns
    for index in _REQUIRED:
        if not columns[index]:
            errors.append((index, f"Field {FIELDS[index].name} cannot be empty"))
    for index in TIMESTAMPS:
        text = columns[index]
        if text and not CANONICAL(text):
            _read_timestamp(event, index, errors)
    for index in BOOLEANS:
        text = columns[index]
        if text and text not in _BOOLEAN_TEXTS:
            errors.append((index, _cannot_parse(index, "boolean")))
    for index in INTEGERS:
        if columns[index]:
            _replace(columns, index, _integer, "integer", errors)
    for index in DOUBLES:
        if columns[index]:
            _replace(columns, index, _double, "double", errors)
            if columns[index][-1:] in ("N", "y"):  # NaN, Infinity
                event.exact[index], columns[index] = columns[index], ""
    if columns[EVENT_ID]:
        _replace(columns, EVENT_ID, parse_uuid, "UUID", errors)


def _cannot_parse(index: int, what: str) -> str:
    return f"Cannot parse key {FIELDS[index].name} into {what}"


def _read_timestamp(event: Event, index: int, errors: list[tuple[int, str]]) -> None:
    instant = instants.parse(event.columns[index])
    if instant is None:
        errors.append((index, _cannot_parse(index, "datetime")))
        return
    event.columns[index] = text = instants.to_tsv(instant)
    if not (CANONICAL(text) and instants.from_canonical(text) == instant):
        event.exact[index] = instant


def _integer(text: str) -> str | None:
    number = parse_int(text)
    return None if number is None else str(number)


def _double(text: str) -> str | None:
    number = parse_double(text)
    return None if number is None else double_text(number)


def _replace(
    columns: list[str], index: int, read: Callable[[str], str | None], what: str, errors: list[tuple[int, str]]
) -> None:
    text = read(columns[index])
    if text is None:
        errors.append((index, _cannot_parse(index, what)))
    else:
        columns[index] = text


def _truncate(columns: list[str], max_lengths: Mapping[int, int]) -> None:
    for index in _STRINGS:
        limit = max_lengths.get(index)
        text = columns[index]
        if limit is not None and len(text) * 2 > limit and utf16_length(text) > limit:
            columns[index] = text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "surrogatepass")


# --- entities -------------------------------------------------------------------------------------------------------


def _read_entities(event: Event, readers: Readers, errors: list[tuple[int, str]]) -> None:
    for index in _ENTITY_COLUMNS:
        text = event.text(index)
        if not text:
            continue
        if not event.clean and "\\" in text:
            event.plain = False
        try:
            if index == _UNSTRUCT:
                event.unstruct_event = of_unstruct(text, readers)
            elif index == _CONTEXTS:
                event.contexts = of_contexts(text, readers)
            else:
                event.derived_contexts = of_contexts(text, readers)
        except NotEntities as wrong:
            errors.append((index, str(wrong)))
