"""The steps of a report page: where every record went, tables that are new or changed, timings, slowest splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from snowetl.reporting.markup import Report, bar, duration, name, number, share, step_of, text
from snowetl.reporting.page_head import rows_loaded

_SLOWEST = 10
_UNITS = {"transform": "events", "load": "rows"}
"""What the rate of a step counts; records otherwise."""


def flow(report: Report) -> str:
    """One step: what went in, and each way out with its share, also as a bar."""
    ways = list(_ways(report))
    if not ways:
        return ""
    came_in = int(report.get("records") or 0)
    whole = max([came_in, *(count for _, count, _ in ways)], default=1) or 1
    rows = "".join(
        f'<tr class="{kind}"><th>{name(what)}</th><td class="n">{number(count)}</td>'
        f'<td class="n soft">{share(count, whole)}</td>{bar(count, whole)}</tr>'
        for what, count, kind in ways
    )
    step = text(step_of(report))
    note = f"{number(came_in)} in" if came_in else ""
    return f'<div class="step"><h3>{step} <small>{note}</small></h3><table class="flow">{rows}</table></div>'


def _ways(report: Report) -> Iterable[tuple[str, int, str]]:
    step = report.get("step")
    if step == "load":
        for table in report.get("tables", ()):
            yield table["table"], table["rows"], _kind_of_table(table["table"], report)
            if table.get("rejected"):
                yield f"{table['table']}, put aside", table["rejected"], "bad"
        for aside in report.get("aside", ()):
            yield f"{aside['schema']}, put aside", aside["rows"], "bad"
        return
    if "events" in report:
        kind = "failed" if report.get("ofFailedEvents") else "good"
        yield "events" if step == "enrich" else "events transformed", report["events"], kind
    for kind, count in (report.get("duplicatesByKind") or {}).items():
        yield f"{kind} duplicates dropped", count, "gone"
    for kind, count in (report.get("badRows") or {}).items():
        yield kind, count, "bad"
    if step == "enrich" and "failedEvents" in report:
        yield "failed events, beside their bad rows", report["failedEvents"], "failed"
    for reason, count in (report.get("discarded") or {}).items():
        yield f"discarded: {reason}", count, "gone"


def _kind_of_table(table: str, load: Report) -> str:
    if table.endswith(".bad_rows"):
        return "bad"
    return "failed" if load.get("ofFailedEvents") else "good"


def tables(reports: Sequence[Report]) -> str:
    """Tables that the load created or altered, what it put aside and why, schemas it left out, its warnings."""
    rows = ""
    loads = [report for report in reports if report.get("step") == "load"]
    for report in loads:
        for table in report.get("tables", ()):
            if table.get("change"):
                rows += f"<tr><th>{name(table['table'])}</th><td>{name(str(table['change']))}</td></tr>"
        for aside in report.get("aside", ()):
            rows += (
                f'<tr class="bad"><th>{name(aside["schema"])}</th>'
                f"<td>{number(aside['rows'])} rows put aside: {text(aside['reason'])}</td></tr>"
            )
        for schema in report.get("skipped", ()):
            rows += f"<tr><th>{name(schema)}</th><td>left out (--skip-schema)</td></tr>"
    warnings = "".join(f"<li>{text(each)}</li>" for report in loads for each in report.get("warnings", ()))
    table = f'<div class="wide"><table class="plain">{rows}</table></div>' if rows else ""
    return table + (f'<ul class="wrong">{warnings}</ul>' if warnings else "")


def timings(reports: Sequence[Report]) -> str:
    longest = max((report.get("seconds", 0) for report in reports), default=0) or 1
    rows = "".join(
        f'<tr><th>{text(step_of(report))}</th><td class="n">{duration(report.get("seconds", 0))}</td>'
        f'<td class="n">{_rate(report)}</td>{bar(report.get("seconds", 0), longest)}</tr>'
        for report in reports
    )
    return f'<table class="flow">{rows}</table>' if reports else ""


def _rate(report: Report) -> str:
    count = int(report.get("records") or 0) or rows_loaded(report)
    seconds = report.get("seconds", 0)
    unit = _UNITS.get(report.get("step", ""), "records")
    return f"{number(round(count / seconds))} {unit}/s" if count and seconds else ""


def after(whole: Report | None) -> str:
    """Steps after the load (models, dbt, a vacuum), each with what it did and its slowest parts."""
    return "".join(map(_after_step, (whole or {}).get("after", ())))


def _after_step(step: Mapping[str, Any]) -> str:
    parts = sorted(step.get("parts", ()), key=lambda part: -part["seconds"])
    longest = max((part["seconds"] for part in parts), default=0) or 1
    rows = "".join(
        f"<tr><th>{name(part['name'])}</th><td>{text(part['status'])}</td>"
        f'<td class="n">{duration(part["seconds"])}</td>{bar(part["seconds"], longest)}</tr>'
        for part in parts[:_SLOWEST]
    )
    note = f"{text(step.get('words', ''))}, {duration(step.get('seconds', 0))}"
    return (
        f'<div class="step"><h3>{text(step["step"])} <small>{note}</small></h3><table class="flow">{rows}</table></div>'
    )


def splits(reports: Sequence[Report]) -> str:
    found = [(step_of(report), split) for report in reports for split in report.get("splits", ())]
    found.sort(key=lambda item: -item[1]["seconds"])
    rows = "".join(
        f'<tr><th>{text(step)} {split["index"]}</th><td class="n">{duration(split["seconds"])}</td>'
        f'<td class="n">{number(split["records"])}</td><td>{name(", ".join(split["files"][:2]))}'
        f"{_more(split)}</td></tr>"
        for step, split in found[:_SLOWEST]
    )
    if not rows:
        return ""
    head = '<tr><th>split</th><th class="n">time</th><th class="n">records</th><th>files</th></tr>'
    return f'<div class="wide"><table class="plain"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _more(split: Mapping[str, Any]) -> str:
    more = int(split.get("fileCount", len(split["files"]))) - len(split["files"][:2])
    return f" and {more:,} more" if more > 0 else ""
