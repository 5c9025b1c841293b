"""What a load did, table by table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from snowetl.jvm import jsontext
from snowetl.jvm.text import to_utf8
from snowetl.reporting import html
from snowetl.storage import filesystem

FORMAT = "snowetl-load-report/1"
REPORT, PAGE = "_load_report.json", "_load_report.html"


@dataclass(slots=True)
class TableLoad:
    """Rows of one table: ``rows`` now in it from this run, ``rejected`` kept aside because they do not fit it."""

    table: str
    rows: int = 0
    rejected: int = 0
    files: int = 0
    seconds: float = 0.0
    change: str | None = None
    """``created``, ``migrated to 1-0-2``, or nothing."""


@dataclass(slots=True)
class LoadReport:
    """One run. ``outcome`` is ``loaded``, ``already loaded`` or ``empty``."""

    base: str
    warehouse: str
    outcome: str
    tables: list[TableLoad] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    def to_dict(self) -> dict[str, Any]:
        name = self.base.rstrip("/").rpartition("/")[2].removeprefix("run=")
        return {"format": FORMAT, "step": "load", "run": name} | asdict(self)


def save(report: LoadReport) -> None:
    """Leave the report, and a page of it, in the run's folder. Raises ``StorageError``."""
    document, fs = report.to_dict(), filesystem(report.base)
    fs.put(report.base + PAGE, to_utf8(html.render(f"run={document['run']}", [document])))
    fs.put(report.base + REPORT, to_utf8(jsontext.dumps(document)) + b"\n")
