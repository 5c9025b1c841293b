"""The arithmetic of a run: every record that came in, and the rows it became. Pure: reports in, text or numbers out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from snowetl.ddl.names import FAILED, failed_table, table_name
from snowetl.load.run import ATOMIC
from snowetl.model.schema import SchemaKey, SchemaVer

Report = Mapping[str, Any]
_WIDE = "output=good"
"""The folder of wide rows, one for each event."""


class Line(NamedTuple):
    """One line of the table of counts; ``level`` is its indentation."""

    name: str
    number: int
    level: int = 0


def table_of(reports: Sequence[Report]) -> Iterator[Line]:
    """The counts of a run from the reports of its steps, in the order in which data flow."""
    for report in reports:
        yield from _LINES[report["step"]](report)


def _enrich(report: Report) -> Iterator[Line]:
    yield Line("raw records", report["records"])
    for reason, count in report["discarded"].items():
        yield Line(f"discarded: {reason}", count, 1)
    yield Line("enriched events", report["events"])
    yield from _bad_rows("bad rows of enrich", report)
    if "failedEvents" in report:
        yield Line("failed events, beside their bad rows", report["failedEvents"])


def _transform(report: Report) -> Iterator[Line]:
    events = _events(report)
    yield Line(f"{events} read by transform", report["records"])
    for kind, count in report["duplicatesByKind"].items():
        yield Line(f"{kind} duplicates dropped", count, 1)
    if report["newIds"]:
        yield Line("given a new id", report["newIds"], 1)
    yield from _bad_rows("bad rows of transform", report)
    yield Line(f"{events} transformed", report["events"])
    rows = rows_by_table(report)
    if rows:
        yield Line(f"rows for tables of {events} and entities", sum(rows.values()))


def _events(report: Report) -> str:
    return "failed events" if report.get("ofFailedEvents") else "events"


def _load(report: Report) -> Iterator[Line]:
    name = "rows loaded" if report["outcome"] == "loaded" else f"rows ({report['outcome']})"
    yield Line(
        f"{name} of failed events" if report.get("ofFailedEvents") else name,
        sum(table["rows"] for table in report["tables"]),
    )
    for table in report["tables"]:
        yield Line(table["table"], table["rows"], 1)
        if table["rejected"]:
            yield Line(f"{table['table']}, put aside in rejected_rows", table["rejected"], 1)
    for aside in report.get("aside", ()):
        yield Line(f"{aside['schema']}, put aside: it has no table", aside["rows"], 1)


def _bad_rows(name: str, report: Report) -> Iterator[Line]:
    yield Line(name, bad_rows(report))
    for kind, count in report["badRows"].items():
        yield Line(kind, count, 1)


_LINES = {"enrich": _enrich, "transform": _transform, "load": _load}


def bad_rows(report: Report) -> int:
    return int(sum(report["badRows"].values()))


def rows_by_table(transform: Report, max_identifier: int = 63) -> dict[str, int]:
    """Rows a transform wrote, by the table they are for (without its schema)."""
    rows: dict[str, int] = {}
    failed = bool(transform.get("ofFailedEvents"))
    for written in transform["tables"]:
        if "model" in written:
            table = _table(written["vendor"], written["name"], written["model"], max_identifier, failed=failed)
            rows[table] = rows.get(table, 0) + written["rows"]
        elif written["table"] == _WIDE:
            rows[failed_table("events") if failed else "events"] = written["rows"]
    return rows


def _table(vendor: str, name: str, model: int, max_identifier: int, *, failed: bool) -> str:
    if name == "rejected_values" and vendor == "com.snowplowanalytics.snowetl":
        return name
    if (vendor, name) == (ATOMIC.vendor, ATOMIC.name):
        table = "events"
    else:
        room = max_identifier - (len(FAILED) if failed else 0)
        table = table_name(SchemaKey(vendor, name, "jsonschema", SchemaVer(model, 0, 0)), room)
    return failed_table(table) if failed else table


def before_load(enrich: Report, transform: Report) -> list[str]:
    """Where the counts of enrich and transform do not meet; empty when all is well."""
    return _unequal(
        ("enriched events", enrich["events"], "lines of enriched output", enrich["output"]["good"]["lines"]),
        ("bad rows of enrich", bad_rows(enrich), "lines of bad output", enrich["output"]["bad"]["lines"]),
        *_transformed(enrich["output"]["good"]["lines"], "lines of enriched output", transform),
    )


def failed_before_load(enrich: Report, transform: Report) -> list[str]:
    """Where the counts of the failed events of enrich and their transform do not meet."""
    lines = enrich["output"]["failed"]["lines"]
    return _unequal(
        ("failed events", enrich["failedEvents"], "lines of failed output", lines),
        *_transformed(lines, "lines of failed output", transform),
    )


def _transformed(lines: int, name: str, transform: Report) -> Iterator[tuple[str, int, str, int]]:
    made = transform["events"] + transform["duplicates"] + bad_rows(transform) - transform["damages"]
    yield name, lines, "lines transform read", transform["records"]
    yield "lines transform read", transform["records"], "what transform made of them", made
    yield "events transformed", transform["events"], "rows for events", _rows_for_events(transform)


def _rows_for_events(transform: Report) -> int:
    """Rows of the table of events, or wide rows, of which each event has one."""
    events = failed_table("events") if transform.get("ofFailedEvents") else "events"
    return rows_by_table(transform).get(events, 0)


def after_load(transform: Report, load: Report, max_identifier: int, bad: int) -> list[str]:
    """Where the rows in the warehouse are not those transformed. ``bad`` is the number of bad rows to load.

    A table may have another name than expected, because that was taken: then only the sums are compared. The load has
    compared each folder with its table already, in its transaction.
    """
    if load["outcome"] != "loaded" or load.get("skipped"):
        return []
    loaded = {table["table"].partition(".")[2]: table["rows"] + table["rejected"] for table in load["tables"]}
    expected = rows_by_table(transform, max_identifier) | ({"bad_rows": bad} if bad else {})
    aside = sum(one["rows"] for one in load.get("aside", ()))
    if sum(expected.values()) == sum(loaded.values()) + aside and set(expected) != set(loaded):
        return []
    return _unequal(
        *(
            (f"rows for {table}", expected.get(table, 0), "rows loaded", loaded.get(table, 0))
            for table in sorted(expected.keys() | loaded.keys())
        )
    )


def _unequal(*pairs: tuple[str, int, str, int]) -> list[str]:
    return [f"{a:,} {name}, but {b:,} {other}" for name, a, other, b in pairs if a != b]
