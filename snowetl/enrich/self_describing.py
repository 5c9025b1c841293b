"""Validation and re-wrapping of the two input JSON columns (enrich 3.9.0 ``IgluUtils``)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

from snowetl.caching import Memo
from snowetl.enrich.draft import Entity
from snowetl.iglu.failures import MAX_REPORTS, left_out
from snowetl.iglu.validation import ValidationCrash
from snowetl.jvm import jsontext
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, self_describing

_SNOWPLOW: Final = "com.snowplowanalytics.snowplow"
_CONTEXTS: Final = SchemaCriterion(_SNOWPLOW, "contexts", "jsonschema", 1, 0, None)
_UNSTRUCT_EVENT: Final = SchemaCriterion(_SNOWPLOW, "unstruct_event", "jsonschema", 1, 0, None)
_CONTEXTS_OPEN: Final = f'{{"schema":"iglu:{_SNOWPLOW}/contexts/jsonschema/1-0-1","data":'
_UNSTRUCT_OPEN: Final = f'{{"schema":"iglu:{_SNOWPLOW}/unstruct_event/jsonschema/1-0-0","data":'
_VALIDATION_INFO: Final = "iglu:com.snowplowanalytics.iglu/validation_info/jsonschema/1-0-0"
_KEYS: Final = ["schema", "data"]


class Checker(Protocol):
    """One schema, ready to validate (``snowetl.iglu``)."""

    @property
    def key(self) -> SchemaKey: ...
    @property
    def superseded_by(self) -> SchemaKey | None: ...
    def fits(self, data: Any, /) -> bool: ...
    def check(self, data: Any) -> Message | None: ...


class Schemas(Protocol):
    """Where checkers come from (``snowetl.iglu.IgluClient``)."""

    def checker(self, uri: str) -> Checker: ...
    def known(self, uri: str, /) -> Checker | None: ...


class Column:
    """A validated column: its new text, the key of what it holds (unstruct_event only), and superseding notes."""

    __slots__ = ("key", "notes", "text")

    def __init__(self, text: str, key: SchemaKey | None, notes: list[Entity]) -> None:
        self.text = text
        self.key = key
        self.notes = notes


class Violation(NamedTuple):
    """What is wrong with one piece of a column, and the piece as parsed JSON: an entity, the event, the envelope.

    Of entities that were not looked at, because so many before them are invalid, ``piece`` is ``None``.
    """

    message: Message
    piece: Any


class Invalid(NamedTuple):
    """A column that is not valid: its violations, and the column without the invalid pieces (its text may be empty)."""

    violations: list[Violation]
    rest: Column


def check_contexts(schemas: Schemas, value: Any, text: str) -> Column | Invalid:
    """Validate ``contexts``: the envelope, then every item. ``text`` is the compact text of ``value``."""
    invalid = _envelope(schemas, value, _CONTEXTS)
    if invalid is not None:
        return invalid
    items = value["data"]
    if not items:
        return Column(text, None, [])
    violations: list[Violation] = []
    notes: list[Entity] = []
    as_sent = list(value) == _KEYS
    reports = 0
    seen = len(items)
    for place, item in enumerate(items, 1):
        checker = _fitting(schemas, item) or _item(schemas, item, violations)
        if checker is None:
            reports += _reports_in(violations[-1].message)
            if reports >= MAX_REPORTS and place < len(items):
                seen = place
                rest = f"{len(items) - place} more entities are not looked at: {len(violations)} of {place} are invalid"
                violations.append(Violation(badrow.iglu_error(value["schema"], left_out(rest)), None))
                break
            continue
        if checker.superseded_by is not None:
            _supersede(item, checker, notes)
            as_sent = False
        elif as_sent and next(iter(item)) != "schema":
            as_sent = False
    if violations:
        pieces = {id(violation.piece) for violation in violations}
        valid = [item for item in items[:seen] if id(item) not in pieces]
        rest = _CONTEXTS_OPEN + jsontext.dumps(list(map(_ordered, valid))) + "}" if valid else ""
        return Invalid(violations, Column(rest, None, notes))
    return Column(_rewrap(_CONTEXTS_OPEN, value, text, as_sent), None, notes)


def _reports_in(violation: Message) -> int:
    """How many faults one violation tells of."""
    error = violation.get("error")
    return len(error.get("dataReports", ())) or 1 if isinstance(error, dict) else 1


def check_unstruct_event(schemas: Schemas, value: Any, text: str) -> Column | Invalid:
    """Validate ``unstruct_event``: the envelope, then the event inside it.

    Of an invalid event the key remains, where it names one.
    """
    invalid = _envelope(schemas, value, _UNSTRUCT_EVENT)
    if invalid is not None:
        return invalid
    violations: list[Violation] = []
    notes: list[Entity] = []
    item = value["data"]
    checker = _fitting(schemas, item) or _item(schemas, item, violations)
    if checker is None:
        return Invalid(violations, Column("", _key_of(item), []))
    key, as_sent = checker.key, list(value) == _KEYS and next(iter(item)) == "schema"
    if checker.superseded_by is not None:
        key, as_sent = checker.superseded_by, False
        _supersede(item, checker, notes)
    return Column(_rewrap(_UNSTRUCT_OPEN, value, text, as_sent), key, notes)


def _envelope(schemas: Schemas, value: Any, criterion: SchemaCriterion) -> Invalid | None:
    """What is wrong with an envelope, whatever it holds."""
    checker = _fitting(schemas, value)
    if checker is not None and criterion.matches(checker.key):
        return None
    try:
        key, data = self_describing(value)
    except ParseError as error:
        return _nothing_valid(badrow.not_iglu(value, error.code), value)
    if not criterion.matches(key):
        return _nothing_valid(badrow.criterion_mismatch(value["schema"], str(criterion)), value)
    fault = schemas.checker(value["schema"]).check(data)
    return None if fault is None else _nothing_valid(badrow.iglu_error(value["schema"], fault), value)


def _fitting(schemas: Schemas, value: Any) -> Checker | None:
    """The checker of self-describing JSON that is valid under a known schema; all other JSON needs a closer look."""
    if value.__class__ is not dict or "data" not in value:
        return None
    uri = value.get("schema")
    checker = schemas.known(uri) if uri.__class__ is str else None
    try:
        return checker if checker is not None and checker.fits(value["data"]) else None
    except (RecursionError, ValidationCrash):
        return None


def no_json(column: str, text: str, error: str) -> Invalid:
    """A column whose text is not JSON (a script wrote it), or nested too deeply."""
    return _nothing_valid(badrow.not_json(column, text, error), None)


def _nothing_valid(message: Message, value: Any) -> Invalid:
    return Invalid([Violation(message, value)], Column("", None, []))


def _item(schemas: Schemas, item: Any, violations: list[Violation]) -> Checker | None:
    """The checker of a valid item; else ``None`` and one violation more."""
    try:
        self_describing(item)
    except ParseError as error:
        violations.append(Violation(badrow.not_iglu(item, error.code), item))
        return None
    checker = schemas.checker(item["schema"])
    fault = checker.check(item["data"])
    if fault is not None:
        violations.append(Violation(badrow.iglu_error(item["schema"], fault), item))
        return None
    return checker


def _key_of(item: Any) -> SchemaKey | None:
    try:
        return self_describing(item)[0]
    except ParseError:
        return None


def _supersede(item: dict[str, Any], checker: Checker, notes: list[Entity]) -> None:
    """Give the item the version it was validated with, and note that in a ``validation_info`` entity."""
    new = checker.superseded_by
    assert new is not None
    notes.append(_note(item["schema"], new))
    item["schema"] = new.uri


def _note(schema: str, superseded_by: SchemaKey) -> Entity:
    data = {"originalSchema": schema, "validatedWith": str(superseded_by.version)}
    return Entity(_VALIDATION_INFO, jsontext.dumps({"schema": _VALIDATION_INFO, "data": data}))


def _rewrap(opening: str, value: dict[str, Any], text: str, as_sent: bool) -> str:
    """The column's text under the current envelope; cut out of the sent text where its keys stand in order."""
    if as_sent:
        start = len(value["schema"]) + len('{"schema":"","data":')
        return opening + text[start:]
    data = value["data"]
    ordered = list(map(_ordered, data)) if isinstance(data, list) else _ordered(data)
    return opening + jsontext.dumps(ordered) + "}"


def _ordered(item: dict[str, Any]) -> dict[str, Any]:
    return {"schema": item["schema"], "data": item["data"]}


class InvalidEntity(NamedTuple):
    """An entity that does not fit its schema, and the Iglu error."""

    entity: Entity
    error: Message

    def failure(self) -> Message:
        """What an ``enrichment_failures`` bad row says of it."""
        message = badrow.iglu_error(self.entity.schema, self.error)
        return badrow.enrichment_message(message, self.entity.schema, "enrichments-contexts-validation")

    def violation(self) -> Message:
        """What a ``schema_violations`` bad row says of it."""
        return badrow.iglu_error(self.entity.schema, self.error)


class _Invalid(Exception):
    def __init__(self, error: Message) -> None:
        self.error = error


class EntityValidator:
    """Checks the entities that enrichments added; a text found valid once is not checked again.

    An entity whose schema is superseded keeps it, and a note tells what it was validated with (enrich 6.4.0).
    """

    _REMEMBERED = 20_000
    _LONGEST = 8_192

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._verdict = Memo(self._check, self._REMEMBERED, self._LONGEST, length=lambda entity: len(entity.json))

    def check(self, entities: list[Entity]) -> tuple[list[InvalidEntity], list[Entity]]:
        """Those that are invalid, and the notes about superseded schemas of the others, both in order."""
        invalid: list[InvalidEntity] = []
        notes: list[Entity] = []
        for entity in entities:
            try:
                note = self._verdict[entity]
            except _Invalid as error:
                invalid.append(InvalidEntity(entity, error.error))
            else:
                if note is not None:
                    notes.append(note)
        return invalid, notes

    def _check(self, entity: Entity) -> Entity | None:
        schema, text = entity
        checker = self._schemas.checker(schema)
        fault = checker.check(jsontext.loads(text)["data"])
        if fault is not None:
            raise _Invalid(fault)
        return None if checker.superseded_by is None else _note(schema, checker.superseded_by)


def contexts_text(entities: list[Entity]) -> str:
    """Text of a contexts column holding ``entities``."""
    return _CONTEXTS_OPEN + "[" + ",".join([entity.json for entity in entities]) + "]}"
