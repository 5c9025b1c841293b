"""The entities in the columns of an event, or what is wrong with them in the words of the analytics SDK (3.1.0)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from snowetl.jvm import jsontext
from snowetl.model.schema import INVALID_IGLUURI, ParseError, SchemaCriterion, SchemaKey
from snowetl.transform.entity import ParsedEntity, Readers

_CONTEXTS: Final = SchemaCriterion.parse("iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-*")
_UNSTRUCT: Final = SchemaCriterion.parse("iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-*")
_LONGEST_URI: Final = 2000


class NotEntities(Exception):
    """JSON that is not what its column should hold. The message is circe's."""


def of_contexts(text: str, readers: Readers) -> list[ParsedEntity]:
    """The entities of a column of contexts. Raises :class:`NotEntities`."""
    found = readers.contexts(text)
    if found is not None and _are_known(_CONTEXTS, found.uri, found.data):
        return found.data
    value = _envelope(text, _CONTEXTS)
    if type(value) is not list:
        raise _wrong_type(value, "array", "")
    return [_entity(item, f"[{place}]") for place, item in enumerate(value)]


def of_unstruct(text: str, readers: Readers) -> ParsedEntity:
    """The entity of ``unstruct_event``. Raises :class:`NotEntities`."""
    found = readers.unstruct(text)
    if found is not None and _are_known(_UNSTRUCT, found.uri, [found.data]):
        return found.data
    return _entity(_envelope(text, _UNSTRUCT), "")


def _are_known(criterion: SchemaCriterion, uri: str, entities: list[ParsedEntity]) -> bool:
    """Whether ``uri`` fits, and those of the entities name schemas."""
    try:
        for entity in entities:
            _known_uri(entity.uri)
        return _fits(criterion, uri)
    except ParseError:
        return False


def _envelope(text: str, criterion: SchemaCriterion) -> Any:
    """``data`` of the column's self-describing JSON, whose schema must fit ``criterion``."""
    try:
        value = jsontext.loads_exact(text)
    except jsontext.JsonError as error:
        raise NotEntities(f"ParsingFailure: {error}") from None
    envelope = _entity(value, "")
    if not _fits(criterion, envelope.uri):
        raise NotEntities(f"Unknown payload: {envelope.uri}")
    return envelope.data


@lru_cache(maxsize=256)
def _fits(criterion: SchemaCriterion, uri: str) -> bool:
    return criterion.matches(SchemaKey.parse(uri))


def _entity(value: Any, path: str) -> ParsedEntity:
    if type(value) is not dict:
        raise _wrong_type(value, "object", path)
    if "schema" not in value:
        raise NotEntities(f"DecodingFailure at {path}: schema key is not available")
    uri = value["schema"]
    if type(uri) is not str:
        raise _wrong_type(uri, "string", "")
    try:
        _known_uri(uri)
    except ParseError as error:
        what = "schema version" if error.code == "INVALID_SCHEMAVER" else "Iglu URI"
        raise NotEntities(f"DecodingFailure at {path}: Invalid {what}: {uri}, code: {error.code}") from None
    if "data" not in value:
        raise NotEntities(f"DecodingFailure at {path}: data key is not available")
    return ParsedEntity(uri, value["data"])


@lru_cache(maxsize=8192)
def _known_uri(uri: str) -> None:
    """Raises ``ParseError`` when ``uri`` names no schema (which is not cached).

    A name of thousands of characters is none, so that nobody's events fill the caches of names.
    """
    if len(uri) > _LONGEST_URI:
        raise ParseError(INVALID_IGLUURI)
    SchemaKey.parse(uri)


def _wrong_type(value: Any, expected: str, path: str) -> NotEntities:
    shown = jsontext.dumps(value)
    return NotEntities(f"DecodingFailure at {path}: Got value '{shown}' with wrong type, expecting {expected}")
