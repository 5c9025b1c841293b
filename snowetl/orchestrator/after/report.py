"""What a step after the load leaves in the run's folder: the evidence that it is done, and how long its parts took."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.orchestrator.entries import Entry, read_document
from snowetl.reporting.json_form import from_json, to_json
from snowetl.storage import filesystem

FORMAT = "snowetl-after-report/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One model, test or table. ``status`` is the program's own word for how it ended."""

    name: str
    seconds: float = 0.0
    status: str = "success"
    rows: int | None = None
    """Rows that it has brought, where they are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterReport:
    """A step after the load: ``words`` say in short what was done; ``done`` is false while parts are left."""

    step: str
    seconds: float = 0.0
    parts: tuple[Part, ...] = ()
    words: str = ""
    done: bool = True

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **to_json(self)}

    def with_part(self, part: Part) -> AfterReport:
        return replace(self, parts=(*self.parts, part), seconds=round(self.seconds + part.seconds, 3))


def read(entry: Entry, step: str) -> AfterReport | None:
    """The report that lies in the run's folder, finished or not. Raises ``StorageError``."""
    document = read_document(_url(entry, step))
    return None if document is None or document.get("format") != FORMAT else from_json(AfterReport, document)


def evidence(entry: Entry, step: str) -> AfterReport | None:
    """The report of a step that is done."""
    report = read(entry, step)
    return report if report is not None and report.done else None


def save(report: AfterReport, entry: Entry) -> None:
    url = _url(entry, report.step)
    filesystem(url).put(url, to_utf8(jsontext.dumps(report.to_json())) + b"\n")


def _url(entry: Entry, step: str) -> str:
    return f"{entry.folder}/{step}.json"
