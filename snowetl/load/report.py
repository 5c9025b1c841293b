"""The report of a load, table by table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from snowetl.errors import SnowetlError, StorageError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.load.run import run_name
from snowetl.reporting import html
from snowetl.storage import filesystem

FORMAT = "snowetl-load-report/1"
REPORT, PAGE = "_load_report.json", "_load_report.html"
LOADED, ALREADY, EMPTY = "loaded", "already loaded", "empty"


@dataclass(slots=True)
class TableLoad:
    """Rows of one table: ``rows`` now in it from this run, ``rejected`` kept aside because they do not fit it.

    ``values`` are single values that did not fit: their rows are in, without them.
    """

    table: str
    rows: int = 0
    rejected: int = 0
    values: int = 0
    files: int = 0
    seconds: float = 0.0
    change: str | None = None
    """``created``, ``migrated to 1-0-2``, or nothing."""

    @contextmanager
    def timed(self) -> Iterator[TableLoad]:
        """Measure the copy that the block does."""
        started = time.monotonic()
        yield self
        self.seconds = time.monotonic() - started

    def add(self, other: TableLoad) -> None:
        """Count in another copy into the same table."""
        self.rows += other.rows
        self.rejected += other.rejected
        self.values += other.values
        self.files += other.files
        self.seconds += other.seconds


@dataclass(slots=True)
class AsideLoad:
    """An entity whose rows are kept aside: they have no table. ``reason`` says why, and what would help."""

    schema: str
    reason: str
    rows: int = 0


@dataclass(slots=True)
class LoadReport:
    """One run. ``outcome`` is ``loaded``, ``already loaded`` or ``empty``."""

    base: str
    warehouse: str
    outcome: str
    tables: list[TableLoad] = field(default_factory=list)
    aside: list[AsideLoad] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Schemas left out by ``--skip-schema``."""
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    target: str = ""
    """The warehouse's address, without secrets: a run may be loaded into several."""
    of_failed_events: bool = False
    with_bad_rows: bool = False
    """Whether the load was given bad rows, too: they are in the warehouse then, by this load or an earlier one."""

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def rejected(self) -> int:
        """Rows kept aside, for whatever reason."""
        return sum(table.rejected for table in self.tables) + sum(aside.rows for aside in self.aside)

    def to_json(self) -> dict[str, Any]:
        name = run_name(self.base) or self.base.rstrip("/").rpartition("/")[2]
        document = {"format": FORMAT, "step": "load", "run": name} | asdict(self)
        flags = {"ofFailedEvents": document.pop("of_failed_events"), "withBadRows": document.pop("with_bad_rows")}
        return document | {key: True for key, is_so in flags.items() if is_so}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> LoadReport:
        return cls(
            base=document["base"],
            warehouse=document["warehouse"],
            outcome=document["outcome"],
            tables=[TableLoad(**table) for table in document["tables"]],
            aside=[AsideLoad(**aside) for aside in document.get("aside", ())],
            skipped=list(document.get("skipped", ())),
            warnings=list(document.get("warnings", ())),
            seconds=document["seconds"],
            target=document.get("target", ""),
            of_failed_events=bool(document.get("ofFailedEvents")),
            with_bad_rows=bool(document.get("withBadRows")),
        )


def kept(base: str) -> LoadReport | None:
    """The report that the last load of a run has left in its folder. Raises ``StorageError``."""
    url = base.rstrip("/") + "/" + REPORT
    fs = filesystem(url)
    if not fs.exists(url):
        return None
    try:
        return LoadReport.from_json(jsontext.loads(fs.get(url).decode("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{url} is not the report of a load: {error}. Delete it, and load again") from None


def save(report: LoadReport) -> None:
    """Leave the report, and a page of it, in the run's folder. Raises ``StorageError``."""
    document, fs = report.to_json(), filesystem(report.base)
    fs.put(report.base + PAGE, to_utf8(html.render(f"run={document['run']}", [document])))
    fs.put(report.base + REPORT, to_utf8(jsontext.dumps(document)) + b"\n")
    with suppress(SnowetlError):  # what a load left that was killed while it wrote these: invisible
        fs.sweep(report.base)
