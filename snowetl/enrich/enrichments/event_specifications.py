"""event_specifications: which event of the tracking plan an event is, and how it fails to be it (Enrich 6.7.0, 6.10.0).

The reference gets its plan from Snowplow's console; here it is a file. Rules from the public documentation:

- An event without the entity ``event_specification`` gets one for each specification it fulfils (inference).
- An event with one, of the id and version of a specification, is held against that. What it does not fulfil stands in
  an entity ``event_specification_validation``; the event is good either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any, ClassVar

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Asset, Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.enrichments.tracking_plan import DataStructure, Specification, read_plan, structure
from snowetl.enrich.services import Services
from snowetl.iglu.validation import ValidationCrash, Validator
from snowetl.jvm import jsontext
from snowetl.model.fields import INDEX
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, self_describing

_VENDOR = "com.snowplowanalytics.snowetl"
_DECLARED = "iglu:com.snowplowanalytics.snowplow/event_specification/jsonschema/1-"
_SPECIFICATION = f"{_DECLARED}0-4"
_VALIDATION = "iglu:com.snowplowanalytics.snowplow/event_specification_validation/jsonschema/1-0-0"
_CONTEXTS, _UNSTRUCT_EVENT, _APP_ID = INDEX["contexts"], INDEX["unstruct_event"], INDEX["app_id"]
_EVENT_SCHEMA = slice(INDEX["event_vendor"], INDEX["event_version"] + 1)
_MOST_ERRORS = 100

Error = dict[str, str]


@configuration
class EventSpecificationsConf:
    """``plan`` is the file with the specifications."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("event_specifications", vendor=_VENDOR)
    place: ClassVar[Place] = Place(228)

    schema_key: SchemaKey
    plan: Asset

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> EventSpecificationsConf:
        given = Parameters(data)
        plan = given.asset("parameters.uri", "parameters.database", "event_specifications")
        given.check()
        return cls(key, plan)

    def needs(self) -> Needs:
        return Needs(files=(self.plan,))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(EventSpecifications(read_plan(services.files[self.plan.uri])))


ENRICHMENT: type[Enrichment] = EventSpecificationsConf


class EventSpecifications:
    """The step: the last that adds entities, so that it counts those of other enrichments, too."""

    def __init__(self, specifications: Sequence[Specification]) -> None:
        self._declared = {(one.id, one.version): one for one in specifications}
        newest: dict[str, Specification] = {}
        for one in sorted(specifications, key=lambda one: one.version or 0):
            newest[one.id] = one
        self._inferred: dict[DataStructure, list[tuple[Specification, Entity]]] = {}
        for one in specifications:
            if newest[one.id] is one:
                self._inferred.setdefault(structure(one.event), []).append((one, _entity(_SPECIFICATION, one.about)))

    def __call__(self, draft: Draft) -> None:
        event = _Event(draft)
        if _DECLARED in draft.values[_CONTEXTS]:
            declared = list(event.declared())
            if declared:
                self._validate(draft, event, declared)
                return
        self._infer(draft, event)

    def _validate(self, draft: Draft, event: _Event, declared: Iterable[Any]) -> None:
        """Only events that tell a version are held against it."""
        errors: list[Error] = []
        for data in declared:
            id_, version = data.get("id"), data.get("version")
            if isinstance(id_, str) and isinstance(version, (int, float)):
                one = self._declared.get((id_, int(version))) or self._declared.get((id_, None))
                errors += _errors(one, event) if one is not None else ()
        if errors:
            if len(errors) > _MOST_ERRORS:
                left = len(errors) - _MOST_ERRORS
                errors[_MOST_ERRORS:] = [{"message": f"and {left} more"}]
            draft.add(_entity(_VALIDATION, {"isValid": False, "errors": errors}))

    def _infer(self, draft: Draft, event: _Event) -> None:
        key = event.structure
        app = draft.values[_APP_ID]
        found = [
            entity
            for one, entity in (self._inferred.get(key, ()) if key is not None else ())
            if (not one.apps or app in one.apps) and next(_errors(one, event), None) is None
        ]
        draft.add(*found)


def _errors(one: Specification, event: _Event) -> Iterator[Error]:
    """What the event does not fulfil: instructions for its properties, numbers of entities, instructions for theirs."""
    if one.instructions is not None and event.data is not None and event.structure == structure(one.event):
        yield from _violations(one.instructions, event.data, one.event)
    for rule in one.entities:
        found = event.entities.get(structure(rule.schema), [])
        if not rule.least <= len(found) <= (len(found) if rule.most is None else rule.most):
            bounds = f"at least {rule.least}" if rule.most is None else f"{rule.least} to {rule.most}"
            bounds = str(rule.least) if rule.least == rule.most else bounds
            yield {"message": f"{len(found)} entities of this schema, not {bounds}", "schema": rule.schema.uri}
        if rule.instructions is not None:
            for data in found:
                yield from _violations(rule.instructions, data, rule.schema)


def _violations(instructions: Validator, data: Any, schema: SchemaKey) -> Iterator[Error]:
    try:
        reports = [] if instructions.fits(data) else instructions.reports(data)
    except ValidationCrash as crash:  # a pattern that runs away on this value
        yield {"message": f"cannot be checked: {crash}", "schema": schema.uri}
        return
    for report in reports:
        yield {"message": report.message, "schema": schema.uri, "path": report.path or "$"}


class _Event:
    """The parts of a draft that specifications speak of, parsed when one does."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    @cached_property
    def structure(self) -> DataStructure | None:
        vendor, name, format_, version = self._draft.values[_EVENT_SCHEMA]
        model = version.partition("-")[0]
        return (vendor, name, format_, int(model)) if model.isdecimal() else None

    @cached_property
    def data(self) -> Any:
        """Of a self-describing event; ``None`` for any other, whose properties are columns."""
        return next((data for _, data in _parsed(self._draft.values[_UNSTRUCT_EVENT])), None)

    @cached_property
    def _tracked(self) -> list[tuple[SchemaKey, Any]]:
        return list(_parsed(self._draft.values[_CONTEXTS]))

    @cached_property
    def entities(self) -> dict[DataStructure, list[Any]]:
        """All, the tracker's and the enrichments'."""
        found: dict[DataStructure, list[Any]] = {}
        for key, data in self._tracked:
            found.setdefault(structure(key), []).append(data)
        for entity in self._draft.entities:
            data = jsontext.loads(entity.json)["data"]
            found.setdefault(structure(SchemaKey.parse(entity.schema)), []).append(data)
        return found

    def declared(self) -> Iterator[dict[str, Any]]:
        """The data of the tracker's entities ``event_specification``."""
        for key, data in self._tracked:
            if key.uri.startswith(_DECLARED) and isinstance(data, dict):
                yield data


def _parsed(text: str) -> Iterator[tuple[SchemaKey, Any]]:
    """What a JSON column holds. A script may have left anything there."""
    try:
        inside = jsontext.loads(text)["data"] if text else []
    except (jsontext.JsonError, LookupError, TypeError):
        return
    for item in inside if isinstance(inside, list) else [inside]:
        try:
            yield self_describing(item)
        except ParseError:
            continue


def _entity(schema: str, data: dict[str, Any]) -> Entity:
    return Entity(schema, jsontext.dumps({"schema": schema, "data": data}))
