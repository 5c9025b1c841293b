"""What sql_query and api_request take from an event: a column, or a value inside an entity or the event's own JSON.

Source: enrich 3.9.0 ``sqlquery.Input``, ``apirequest.Input``, ``utils.JsonPath``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from snowetl.enrich.draft import Draft
from snowetl.jvm import gatling_json_path, jsontext
from snowetl.model.fields import FIELDS, INDEX
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, self_describing

_FIELDS = ("derived_contexts", "contexts", "unstruct_event")
_CONTEXTS = INDEX["contexts"]
_UNSTRUCT_EVENT = INDEX["unstruct_event"]
COLUMN_TYPES: dict[str, str] = {field.name: field.type for field in FIELDS}


class Column(NamedTuple):
    """``pojo``: a column of the event."""

    field: str


class Json(NamedTuple):
    """``json``: what a path selects in the first entity (or event) whose schema fits."""

    field: str
    criterion: SchemaCriterion
    path: str


def parse_source(given: Any) -> Column | Json:
    """Read ``pojo`` or ``json`` of an input. Raises ``ValueError`` in the reference's words."""
    pojo, json = (given.get(name) if isinstance(given, dict) else None for name in ("pojo", "json"))
    if pojo is not None and json is not None:
        raise ValueError("Either json or pojo input must be specified, both provided")
    if pojo is None and json is None:
        raise ValueError("Either json or pojo input must be specified")
    if json is None:
        return Column(_text(pojo, "field"))
    return Json(_text(json, "field"), SchemaCriterion.parse(_text(json, "schemaCriterion")), _text(json, "jsonPath"))


def _text(given: Any, name: str) -> str:
    value = given.get(name) if isinstance(given, dict) else None
    if not isinstance(value, str):
        raise ValueError(f"{name} is missing, or no text")
    return value


class Entities:
    """The JSON of one event, parsed when it is first asked for."""

    __slots__ = ("_draft", "_parsed")

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._parsed: dict[str, list[tuple[SchemaKey, Any]]] = {}

    def first(self, field: str, criterion: SchemaCriterion) -> tuple[Any] | None:
        """The data (in a tuple: it may be null) of the first that fits."""
        if field == "derived_contexts":
            for entity in self._draft.entities:
                if criterion.matches(SchemaKey.parse(entity.schema)):
                    return (jsontext.loads_exact(entity.json)["data"],)
            return None
        listed = self._parsed.get(field)
        if listed is None:
            listed = self._parsed[field] = list(self._listed(field))
        return next(((data,) for key, data in listed if criterion.matches(key)), None)

    def _listed(self, field: str) -> Iterator[tuple[SchemaKey, Any]]:
        text = self._draft.values[_CONTEXTS if field == "contexts" else _UNSTRUCT_EVENT]
        try:
            data = jsontext.loads_exact(text).get("data") if text else []
        except (jsontext.JsonError, AttributeError):  # a script may have left anything there
            return
        for item in data if field == "contexts" and isinstance(data, list) else [data]:
            try:
                yield self_describing(item)
            except ParseError:
                continue


class JsonReader:
    """A ``json`` input, compiled. ``faults`` are what is wrong with it; then every event fails."""

    def __init__(self, given: Json, wrong_field: str) -> None:
        """``wrong_field`` precedes the text about a field that does not exist."""
        self._field = given.field
        self._criterion = given.criterion
        self.faults: list[str] = []
        if given.field not in _FIELDS:
            self.faults.append(
                f"{wrong_field}wrong field [{given.field}] passed to Input.getFromJson. "
                f"Should be one of: {', '.join(_FIELDS)}"
            )
        try:
            self._path = gatling_json_path.compile_path(given.path)
        except gatling_json_path.PathFault as fault:
            self.faults.append(str(fault))

    def values(self, entities: Entities) -> list[Any] | None:
        """What the path selects; ``None`` where no entity fits."""
        found = entities.first(self._field, self._criterion)
        return None if found is None else self._path.values(found[0])
