"""What became of the records of a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent


@dataclass(frozen=True)
class Result:
    """Events and bad rows, each in the order of the records they come from.

    ``failed_events`` are the valid parts of events that failed, if the pipeline has ``failed_events=True``.
    """

    events: list[EnrichedEvent]
    bad_rows: list[BadRow]
    failed_events: list[EnrichedEvent] = field(default_factory=list)

    def reasons(self) -> list[str]:
        """Why there are bad rows, one line for each fault, such as
        ``schema_violations: iglu:com.acme/login/jsonschema/1-0-0: $.user: is missing but it is required``.

        Empty if every event is good.
        """
        return [f"{row.type}: {reason}" for row in self.bad_rows for reason in _faults(row.data["failure"])]


def _faults(failure: Any) -> Iterator[str]:
    """The faults in the ``failure`` of a bad row of any type."""
    if "errors" in failure:
        yield from map(str, failure["errors"])
    elif "expectation" in failure:
        yield str(failure["expectation"])
    else:
        for message in failure["messages"] if "messages" in failure else [failure["message"]]:
            yield from _message(message)


def _message(message: dict[str, Any]) -> Iterator[str]:
    """One failure message as text: the schema or field it is about, and what is wrong with it."""
    inner = message.get("message", message)
    about = message.get("schemaKey") or inner.get("schemaKey") or inner.get("field") or inner.get("payloadField")
    told = inner.get("error") or inner.get("expectation") or inner
    prefix = f"{about}: " if about else ""
    reports = told.get("dataReports") if isinstance(told, dict) else None
    if reports:
        for report in reports:
            yield prefix + str(report["message"])
    elif isinstance(told, dict):
        yield prefix + json.dumps(told, ensure_ascii=False, default=str)
    else:
        yield prefix + str(told)
