"""An enriched line, read and checked (analytics SDK 3.1.0 ``Event.parse``), ready to be printed in any form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec

from snowetl.jvm import doubles, instants, jsontext, uuid
from snowetl.jvm.doubles import double_text, parse_double
from snowetl.jvm.instants import CANONICAL, Instant
from snowetl.jvm.integers import parse_int
from snowetl.jvm.strings import utf16_length
from snowetl.jvm.uuid import parse_uuid
from snowetl.model.badrow import Message
from snowetl.model.fields import FIELDS, INDEX
from snowetl.model.schema import INVALID_IGLUURI, ParseError, SchemaCriterion, SchemaKey

UNSTRUCT_EVENT = "unstruct_event"
CONTEXTS = "contexts"
DERIVED_CONTEXTS = "derived_contexts"


def _columns_of(*types: str) -> tuple[int, ...]:
    return tuple(index for index, field in enumerate(FIELDS) if field.type in types)


TIMESTAMPS = _columns_of("ts")
INTEGERS = _columns_of("int", "txn")
DOUBLES = _columns_of("float", "dec")
BOOLEANS = _columns_of("bool")
ATOMIC_COLUMNS = _columns_of("str", "ts", "int", "txn", "float", "dec", "bool")
"""The 128 columns of the table ``events``: all but those that hold entities."""
_ENTITY_COLUMNS = tuple(reversed(_columns_of("json")))
_EVENT_ID = INDEX["event_id"]
_REQUIRED_STRINGS = (INDEX["v_collector"], INDEX["v_etl"])
_REQUIRED = (INDEX["collector_tstamp"], _EVENT_ID, *_REQUIRED_STRINGS)
_COLLECTOR_TSTAMP = INDEX["collector_tstamp"]
_CONTEXTS, _UNSTRUCT, _DERIVED = INDEX[CONTEXTS], INDEX[UNSTRUCT_EVENT], INDEX[DERIVED_CONTEXTS]
_STRINGS = tuple(index for index in _columns_of("str") if index != _EVENT_ID)

_CONTEXTS_CRITERION = SchemaCriterion.parse("iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-*")
_UNSTRUCT_CRITERION = SchemaCriterion.parse("iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-*")
_LONGEST_URI = 2000
ATOMIC = SchemaKey.parse("iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0")
"""The schema that stands for the event itself."""
CONTEXTS_URI = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
UNSTRUCT_URI = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"


class ParsedEntity(msgspec.Struct, gc=False, forbid_unknown_fields=True):  # type: ignore[call-arg, unused-ignore]
    """A self-describing JSON inside an event: the URI of its schema and its data."""

    uri: str = msgspec.field(name="schema")
    data: Any

    @property
    def key(self) -> SchemaKey:
        return SchemaKey.parse(self.uri)


class Event:
    """One enriched event.

    ``columns`` holds 131 texts as the atomic TSV prints them; ``""`` is null. What such a text cannot tell stands in
    ``exact``, by column: an :class:`Instant` that is finer than a millisecond or beyond the year 9999, or the name of a
    double that is not finite (null everywhere but in ``geo_location``).
    ``plain`` tells that no text inside the entities holds an escaped character.
    """

    __slots__ = ("columns", "contexts", "derived_contexts", "exact", "plain", "unstruct_event")

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        self.exact: dict[int, Instant | str] = {}
        self.contexts: list[ParsedEntity] = []
        self.derived_contexts: list[ParsedEntity] = []
        self.unstruct_event: ParsedEntity | None = None
        self.plain = True

    def __getitem__(self, column: str) -> str | None:
        """Text of a column as the atomic TSV prints it; ``None`` where null."""
        return self.columns[INDEX[column]] or None

    @property
    def event_id(self) -> str:
        return self.columns[_EVENT_ID]

    @event_id.setter
    def event_id(self, event_id: str) -> None:
        self.columns[_EVENT_ID] = event_id

    def entities(self) -> Iterator[ParsedEntity]:
        """All entities in the order of shredding: the self-describing event, derived contexts, contexts."""
        if self.unstruct_event is not None:
            yield self.unstruct_event
        yield from self.derived_contexts
        yield from self.contexts

    def instant(self, index: int) -> Instant | None:
        """The exact time in a timestamp column, ``None`` where null."""
        exact = self.exact.get(index)
        if exact is not None:
            return exact  # type: ignore[return-value]
        text = self.columns[index]
        return instants.from_canonical(text) if text else None

    def iso(self, index: int) -> str | None:
        """A timestamp column as ISO instant, ``None`` where null."""
        exact = self.exact.get(index)
        if exact is not None:
            return instants.to_iso(exact)  # type: ignore[arg-type]
        text = self.columns[index]
        return instants.canonical_to_iso(text) if text else None


def atomic(columns: list[str]) -> list[str]:
    """The texts of :data:`ATOMIC_COLUMNS`, of all 131."""
    texts = columns.copy()
    for index in _ENTITY_COLUMNS:
        del texts[index]
    return texts


def parse(line: str, max_lengths: Mapping[int, int] | None = None) -> Event | Message:
    """Read an enriched line (no line end). A line that is not an event gives the failure of ``loader_parsing_error``.

    ``max_lengths`` (column -> UTF-16 units) cuts string columns that are longer.
    """
    columns = line.split("\t")
    if len(columns) != len(FIELDS):
        return {"type": "NotTSV"} if len(columns) == 1 else {"type": "FieldNumberMismatch", "fieldCount": len(columns)}
    event = Event(columns)
    errors: list[tuple[int, str]] = []
    _check_scalars(event, errors)
    _read_entities(event, errors)
    if errors:
        return _failure(line, errors)
    if max_lengths:
        _truncate(columns, max_lengths)
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


_BOOLEAN_TEXTS = frozenset(("", "0", "1"))
_booleans, _required_strings = itemgetter(*BOOLEANS), itemgetter(*_REQUIRED_STRINGS)
_FORMS = {
    _EVENT_ID: uuid.CANONICAL_FORM,
    **dict.fromkeys(TIMESTAMPS, f"(?:{instants.CANONICAL_FORM})?+"),
    **dict.fromkeys(INTEGERS, "(?:0|[1-9][0-9]{0,8}+)?+"),
    **dict.fromkeys(DOUBLES, f"(?:{doubles.CANONICAL_FORM})?+"),
    _COLLECTOR_TSTAMP: instants.CANONICAL_FORM,
}
"""What columns hold in nearly all events: text that is right, and is printed as it was read."""
_formed, _has_forms = itemgetter(*_FORMS), re.compile("\t".join(_FORMS.values())).fullmatch


def _check_scalars(event: Event, errors: list[tuple[int, str]]) -> None:
    columns = event.columns
    if (
        _has_forms("\t".join(_formed(columns)))
        and _BOOLEAN_TEXTS.issuperset(_booleans(columns))
        and all(_required_strings(columns))
    ):
        return
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
    if columns[_EVENT_ID]:
        _replace(columns, _EVENT_ID, parse_uuid, "UUID", errors)


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


# --- entities -----------------------------------------------------------------------------------------------------


class _NotEntities(Exception):
    """JSON that is not what its column should hold; the message is circe's."""


class _Contexts(msgspec.Struct, gc=False, forbid_unknown_fields=True):  # type: ignore[call-arg, unused-ignore]
    uri: str = msgspec.field(name="schema")
    data: list[ParsedEntity]


class _Unstruct(msgspec.Struct, gc=False, forbid_unknown_fields=True):  # type: ignore[call-arg, unused-ignore]
    uri: str = msgspec.field(name="schema")
    data: ParsedEntity


_read_contexts, _read_unstruct = jsontext.exact_reader(_Contexts), jsontext.exact_reader(_Unstruct)


def _read_entities(event: Event, errors: list[tuple[int, str]]) -> None:
    columns = event.columns
    contexts, unstruct, derived = columns[_CONTEXTS], columns[_UNSTRUCT], columns[_DERIVED]
    event.plain = "\\" not in contexts and "\\" not in unstruct and "\\" not in derived
    if contexts:
        event.contexts = _entities(_CONTEXTS, contexts, errors)
    if unstruct:
        event.unstruct_event = _entity_of_unstruct(unstruct, errors)
    if derived:
        event.derived_contexts = _entities(_DERIVED, derived, errors)


def _entities(index: int, text: str, errors: list[tuple[int, str]]) -> list[ParsedEntity]:
    found = _read_contexts(text)
    if found is not None and _are_known(_CONTEXTS_CRITERION, found.uri, found.data):
        return found.data
    with _told(index, errors):
        value = _envelope(text, _CONTEXTS_CRITERION)
        if type(value) is not list:
            raise _wrong_type(value, "array", "")
        return [_entity(item, f"[{place}]") for place, item in enumerate(value)]
    return []


def _entity_of_unstruct(text: str, errors: list[tuple[int, str]]) -> ParsedEntity | None:
    found = _read_unstruct(text)
    if found is not None and _are_known(_UNSTRUCT_CRITERION, found.uri, [found.data]):
        return found.data
    with _told(_UNSTRUCT, errors):
        return _entity(_envelope(text, _UNSTRUCT_CRITERION), "")
    return None


def _are_known(criterion: SchemaCriterion, uri: str, entities: list[ParsedEntity]) -> bool:
    """Whether ``uri`` fits, and those of the entities name schemas."""
    try:
        for entity in entities:
            _known_uri(entity.uri)
        return _fits(criterion, uri)
    except ParseError:
        return False


@contextmanager
def _told(index: int, errors: list[tuple[int, str]]) -> Iterator[None]:
    """Note what is wrong with the entities of a column."""
    try:
        yield
    except jsontext.JsonError as error:
        errors.append((index, f"ParsingFailure: {error}"))
    except _NotEntities as wrong:
        errors.append((index, str(wrong)))


def _envelope(text: str, criterion: SchemaCriterion) -> Any:
    """``data`` of the column's self-describing JSON, whose schema must fit ``criterion``."""
    envelope = _entity(jsontext.loads_exact(text), "")
    if not _fits(criterion, envelope.uri):
        raise _NotEntities(f"Unknown payload: {envelope.uri}")
    return envelope.data


@lru_cache(maxsize=256)
def _fits(criterion: SchemaCriterion, uri: str) -> bool:
    return criterion.matches(SchemaKey.parse(uri))


def _entity(value: Any, path: str) -> ParsedEntity:
    if type(value) is not dict:
        raise _wrong_type(value, "object", path)
    if "schema" not in value:
        raise _NotEntities(f"DecodingFailure at {path}: schema key is not available")
    uri = value["schema"]
    if type(uri) is not str:
        raise _wrong_type(uri, "string", "")
    try:
        _known_uri(uri)
    except ParseError as error:
        what = "schema version" if error.code == "INVALID_SCHEMAVER" else "Iglu URI"
        raise _NotEntities(f"DecodingFailure at {path}: Invalid {what}: {uri}, code: {error.code}") from None
    if "data" not in value:
        raise _NotEntities(f"DecodingFailure at {path}: data key is not available")
    return ParsedEntity(uri, value["data"])


@lru_cache(maxsize=8192)
def _known_uri(uri: str) -> None:
    """Raises ``ParseError`` when ``uri`` names no schema (which is not cached), ``TypeError`` when it is not text.

    A name of thousands of characters is none, so that nobody's events fill the caches of names.
    """
    if type(uri) is not str:
        raise TypeError("not a URI")
    if len(uri) > _LONGEST_URI:
        raise ParseError(INVALID_IGLUURI)
    SchemaKey.parse(uri)


def _wrong_type(value: Any, expected: str, path: str) -> _NotEntities:
    shown = jsontext.dumps(value)
    return _NotEntities(f"DecodingFailure at {path}: Got value '{shown}' with wrong type, expecting {expected}")
