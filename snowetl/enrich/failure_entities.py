"""Failures as entities: what a failed event says of itself (``failure/1-0-0``, enrich 5.0.0).

One entity for each failure, all with the time of the run. ``source`` tells where the invalid data stood: ``unstruct``,
``contexts``, ``derived_contexts``, ``atomic`` for a column, else the identifier of the enrichment that failed. ``data``
is what was invalid: always an object, so that SQL finds it in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from snowetl.enrich.draft import Entity
from snowetl.enrich.lengths import TooLong
from snowetl.enrich.self_describing import InvalidEntity, Violation
from snowetl.enrich.tracker_parameters import columns_of
from snowetl.iglu.failures import report, violations_of
from snowetl.jvm import jsontext
from snowetl.model import badrow
from snowetl.model.badrow import Message, Origin

ATOMIC = "iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0"
"""The schema of the columns of an event."""
FAILURE = "iglu:com.snowplowanalytics.snowplow/failure/jsonschema/1-0-0"

_SOURCES = {"unstruct_event": "unstruct"}
_ENRICHMENT = "enrichment"


class FailureEntities:
    """Makes the entities of one program's run."""

    def __init__(self, origin: Origin) -> None:
        self._about = {
            "timestamp": origin.instant,
            "componentName": origin.artifact,
            "componentVersion": origin.version,
        }

    def of_parameters(self, messages: Iterable[Message]) -> Iterator[Entity]:
        """Parameters that could not be converted to columns: ``messages`` as in enrichment failures."""
        for one in messages:
            message = one["message"]
            error = {**_parameter_report(message), "source": "atomic"}
            yield self._entity("ValidationError", [error], ATOMIC, {message["field"]: message["value"]})

    def of_column(self, column: str, violations: Iterable[Violation]) -> Iterator[Entity]:
        """Violations in ``contexts`` or ``unstruct_event``."""
        source = _SOURCES.get(column, column)
        for message, piece in violations:
            if "schemaCriterion" in message:
                key, criterion = message["schemaKey"], message["schemaCriterion"]
                error = _error(f"{key} does not match {criterion}", source)
                yield self._entity("CriterionMismatch", [error], key, _data(piece, column))
            elif isinstance(message["error"], dict):
                yield self._of_iglu(message["schemaKey"], message["error"], _data(piece, column), source)
            elif "field" in message:
                value = {message["field"]: message["value"]}
                yield self._entity("NotJSON", [_error(message["error"], source)], None, value)
            else:
                text = f"not self-describing JSON: {message['error']}"
                yield self._entity("NotIglu", [_error(text, source)], None, _object(piece, column))

    def of_entities(self, invalid: Iterable[InvalidEntity]) -> Iterator[Entity]:
        """Entities that enrichments added, and that are invalid."""
        for entity, error in invalid:
            data = _data(jsontext.loads(entity.json), "derived_contexts")
            yield self._of_iglu(entity.schema, error, data, "derived_contexts")

    def of_enrichments(self, messages: Iterable[Message]) -> Iterator[Entity]:
        """Enrichments that failed: ``messages`` as in enrichment failures."""
        for one in messages:
            enrichment, message = one["enrichment"], one["message"]
            source = _ENRICHMENT if enrichment is None else enrichment["identifier"]
            schema = None if enrichment is None else enrichment["schemaKey"]
            if "field" in message:
                error, data = message["expectation"], {message["field"]: message["value"]}
            elif "schemaKey" in message:
                yield self._of_iglu(message["schemaKey"], message["error"], None, source)
                continue
            else:
                error, data = message["error"], None
            yield self._entity("EnrichmentError", [_error(error, source)], schema, data)

    def of_lengths(self, too_long: Iterable[TooLong], values: list[str]) -> Iterator[Entity]:
        """Columns that are too long; ``values`` are those of the event."""
        for one in too_long:
            error = {**_length_report(one), "source": "atomic"}
            yield self._entity("ValidationError", [error], ATOMIC, {one.name: values[one.column]})

    def _of_iglu(self, schema: str, error: Message, data: Any, source: str) -> Entity:
        """``error`` is the Iglu client's: see :mod:`snowetl.iglu.failures`."""
        if error["error"] == "ResolutionError":
            text = f"Resolution error: schema {schema} not found"
            errors = [{**_error(text, source), "lookupHistory": error["lookupHistory"]}]
        else:
            reports = error.get("dataReports") or error.get("schemaIssues") or []
            errors = [{**report, "source": source} for report in reports]
        return self._entity(error["error"], errors, schema, data)

    def _entity(self, kind: str, errors: list[Message], schema: str | None, data: Any) -> Entity:
        content = {"failureType": kind, "errors": errors, "schema": schema, "data": data, **self._about}
        return Entity(FAILURE, jsontext.dumps({"schema": FAILURE, "data": content}))


def one_violation(unread: Sequence[Message], too_long: Sequence[TooLong]) -> list[Message]:
    """All that is wrong with columns as one violation of the atomic schema (enrich 4.2.0); none if nothing is.

    ``unread`` are parameters that could not be converted, as in enrichment failures.
    """
    reports = [_parameter_report(one["message"]) for one in unread] + list(map(_length_report, too_long))
    return [badrow.iglu_error(ATOMIC, violations_of(reports))] if reports else []


def _parameter_report(message: Message) -> Message:
    """A parameter that could not be converted, as a report on the column it is meant for."""
    column = next(iter(columns_of(message["field"])), message["field"])
    return report(message["expectation"], f"$.{column}")


def _length_report(one: TooLong) -> Message:
    return report(one.text, f"$.{one.name}", "maxLength", [str(one.limit)])


def _error(text: str, source: str) -> Message:
    return {"message": text, "source": source}


def _data(piece: Any, column: str) -> Any:
    """The data of a self-describing piece; ``None`` where no piece is meant."""
    return None if piece is None else _object(piece.get("data", piece) if isinstance(piece, dict) else piece, column)


def _object(value: Any, column: str) -> Any:
    """``value`` as an object, if need be as the only member of one."""
    return value if isinstance(value, dict) else {column: value}
