"""One page for one run: counts as a flow, bad rows with examples, events by type and hour, timings, slowest splits."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from snowetl.reporting.style import STYLE

_EXAMPLE_CHARS = 4000
_MAX_HOURS = 48
_MAX_TYPES = 24
_SLOWEST = 10
_UNITS = {"transform": "events", "load": "rows"}
"""What the rate of a step counts; records otherwise."""

_BREAKS = re.compile(r"([._/])(?=\w)")

Report = Mapping[str, Any]


def render(run: str, reports: Sequence[Report]) -> str:
    """The page of ``run`` from the JSON reports of its steps, in order.

    Keys a report may have: ``step`` (``enrich``, ``transform``, ``load``), ``seconds``, ``records``, ``discarded``,
    ``events``, ``badRows``, ``badRowSchemas``, ``badExamples`` (schema -> rows), ``eventTypes`` (type -> hour ->
    count), ``splits`` (``index``, ``files``, ``fileCount``, ``records``, ``seconds``), ``duplicatesByKind``; of a load
    ``tables`` (``table``, ``rows``, ``rejected``). What is absent is left out of the page.
    """
    parts = [
        _head(run),
        f"<header><h1>{_text(run)}</h1>{_tiles(reports)}</header>",
        _section("Where every record went", "".join(_flow(report) for report in reports)),
        _section("Bad rows", _bad_rows(reports)),
        _section("Events by type and hour", _hours(reports)),
        _section("Timings", _timings(reports)),
        _section("Slowest splits", _splits(reports)),
        "<footer>made by snowetl; this file needs no network</footer></main></body></html>\n",
    ]
    return "".join(parts)


def _head(run: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>snowetl {_text(run)}</title><style>{STYLE}</style></head><body><main>"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>" if body else ""


# --- the counts -----------------------------------------------------------------------------------------------------


def _tiles(reports: Sequence[Report]) -> str:
    tiles: list[tuple[str, str, str]] = []
    for report in reports:
        if report.get("step") == "enrich":
            tiles.append((_number(report.get("records", 0)), "records read", ""))
            tiles.append((_number(report.get("events", 0)), "enriched events", "good"))
            tiles.append((_number(_total(report.get("badRows"))), "bad rows", "bad"))
        elif report.get("step") == "load":
            tiles.append((_number(_rows_loaded(report)), "rows loaded", "good"))
    what = "in all steps" if len(reports) > 1 else "altogether"
    tiles.append((_duration(sum(report.get("seconds", 0) for report in reports)), what, ""))
    cells = "".join(f'<li class="{kind}"><b>{value}</b>{label}</li>' for value, label, kind in tiles)
    return f'<ul class="tiles">{cells}</ul>'


def _flow(report: Report) -> str:
    """One step: what went in, and each way out with its share as a bar."""
    ways = list(_ways(report))
    if not ways:
        return ""
    came_in = _came_in(report)
    whole = max([came_in, *(count for _, count, _ in ways)], default=1) or 1
    rows = "".join(
        f'<tr class="{kind}"><th>{_name(name)}</th><td class="n">{_number(count)}</td>'
        f'<td class="bar"><i style="width:{100 * count / whole:.2f}%"></i></td></tr>'
        for name, count, kind in ways
    )
    step = _text(report.get("step", ""))
    note = f"{_number(came_in)} in" if came_in else ""
    return f'<div class="step"><h3>{step} <small>{note}</small></h3><table class="flow">{rows}</table></div>'


def _came_in(report: Report) -> int:
    return int(report.get("records") or 0)


def _rows_loaded(report: Report) -> int:
    return sum(table["rows"] for table in report.get("tables", ())) if report.get("step") == "load" else 0


def _ways(report: Report) -> Iterable[tuple[str, int, str]]:
    step = report.get("step")
    if step == "load":
        for table in report.get("tables", ()):
            yield table["table"], table["rows"], "bad" if table["table"].endswith(".bad_rows") else "good"
            if table.get("rejected"):
                yield f"{table['table']}, put aside", table["rejected"], "bad"
        return
    if "events" in report:
        yield "events" if step == "enrich" else "events transformed", report["events"], "good"
    for kind, count in (report.get("duplicatesByKind") or {}).items():
        yield f"{kind} duplicates dropped", count, "gone"
    for kind, count in (report.get("badRows") or {}).items():
        yield kind, count, "bad"
    for reason, count in (report.get("discarded") or {}).items():
        yield f"discarded: {reason}", count, "gone"


# --- bad rows -------------------------------------------------------------------------------------------------------


def _bad_rows(reports: Sequence[Report]) -> str:
    blocks = []
    for report in reports:
        counts = report.get("badRowSchemas") or {}
        examples = report.get("badExamples") or {}
        for schema, count in sorted(counts.items(), key=lambda item: -item[1]):
            shown = "".join(f"<pre>{_example(row)}</pre>" for row in examples.get(schema, ())[:3])
            title = f"<span>{_name(_schema_name(schema))} <small>{_name(schema)}</small></span>"
            blocks.append(
                f'<details><summary><b class="n">{_number(count)}</b> {title}</summary>'
                f"{shown or '<p>no example was kept</p>'}</details>"
            )
    return "".join(blocks) or "<p>None.</p>"


def _schema_name(schema: str) -> str:
    return schema.split("/")[1] if schema.count("/") >= 3 else schema


def _example(row: Any) -> str:
    text = row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)
    with suppress(ValueError):  # an example that was cut is shown as it is
        text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    if len(text) > _EXAMPLE_CHARS:
        text = f"{text[:_EXAMPLE_CHARS]}\n… ({_number(len(text))} characters)"
    return _text(text)


# --- events ---------------------------------------------------------------------------------------------------------


def _hours(reports: Sequence[Report]) -> str:
    """Types down, hours across, darker for more."""
    counts: Mapping[str, Mapping[str, int]] = next((r["eventTypes"] for r in reports if r.get("eventTypes")), {})
    if not counts:
        return ""
    types = sorted(counts, key=lambda name: -sum(counts[name].values()))
    hours = sorted({hour for by_hour in counts.values() for hour in by_hour})
    left_out = len(hours) - _MAX_HOURS
    hours = hours[-_MAX_HOURS:]
    most = max((by_hour.get(hour, 0) for by_hour in counts.values() for hour in hours), default=1)
    head = "".join(f"<th><span>{_text(hour)}</span></th>" for hour in hours)
    body = "".join(_type_row(name, counts[name], hours, most) for name in types[:_MAX_TYPES])
    note = f"<p>{left_out} earlier hours are not shown.</p>" if left_out > 0 else ""
    if len(types) > _MAX_TYPES:
        note += f"<p>{len(types) - _MAX_TYPES} rarer types are not shown.</p>"
    return (
        '<div class="wide"><table class="hours"><thead><tr><th>type</th><th>all</th>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>{note}"
    )


def _type_row(name: str, by_hour: Mapping[str, int], hours: Sequence[str], most: int) -> str:
    cells = "".join(_cell(by_hour.get(hour, 0), most, hour) for hour in hours)
    return f'<tr><th>{_text(name)}</th><td class="n">{_number(sum(by_hour.values()))}</td>{cells}</tr>'


def _cell(count: int, most: int, hour: str) -> str:
    if not count:
        return "<td></td>"
    strength = 0.15 + 0.85 * count / most
    return (
        f'<td class="heat" style="--heat:{strength:.2f}" title="{_text(hour)}: {_number(count)}">{_short(count)}</td>'
    )


# --- timings --------------------------------------------------------------------------------------------------------


def _timings(reports: Sequence[Report]) -> str:
    longest = max((report.get("seconds", 0) for report in reports), default=0) or 1
    rows = "".join(
        f"<tr><th>{_text(report.get('step', ''))}</th><td class='n'>{_duration(report.get('seconds', 0))}</td>"
        f"<td class='n'>{_rate(report)}</td>"
        f"<td class='bar'><i style='width:{100 * report.get('seconds', 0) / longest:.2f}%'></i></td></tr>"
        for report in reports
    )
    return f"<table class='flow'>{rows}</table>" if reports else ""


def _rate(report: Report) -> str:
    count = _came_in(report) or _rows_loaded(report)
    seconds = report.get("seconds", 0)
    unit = _UNITS.get(report.get("step", ""), "records")
    return f"{_number(round(count / seconds))} {unit}/s" if count and seconds else ""


def _splits(reports: Sequence[Report]) -> str:
    splits = [(report.get("step", ""), split) for report in reports for split in report.get("splits", ())]
    splits.sort(key=lambda item: -item[1]["seconds"])
    rows = "".join(
        f"<tr><th>{_text(step)} {split['index']}</th><td class='n'>{_duration(split['seconds'])}</td>"
        f"<td class='n'>{_number(split['records'])}</td><td>{_text(', '.join(split['files'][:2]))}"
        f"{_more(split)}</td></tr>"
        for step, split in splits[:_SLOWEST]
    )
    if not rows:
        return ""
    head = '<tr><th>split</th><th class="n">time</th><th class="n">records</th><th>files</th></tr>'
    return f'<div class="wide"><table class="plain"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _more(split: Mapping[str, Any]) -> str:
    more = int(split.get("fileCount", len(split["files"]))) - len(split["files"][:2])
    return f" and {more:,} more" if more > 0 else ""


# --- text -----------------------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    """Escaped for HTML; characters that cannot be shown are replaced."""
    return html.escape(str(value).encode("utf-8", "replace").decode("utf-8"))


def _name(name: str) -> str:
    """Escaped; a long name may be broken where it has a dot, an underscore or a slash."""
    return _BREAKS.sub(r"\1<wbr>", _text(name))


def _number(count: int) -> str:
    return f"{count:,}"


def _short(count: int) -> str:
    return (
        f"{count / 1_000_000:.1f}m" if count >= 1_000_000 else f"{count / 1000:.1f}k" if count >= 1000 else str(count)
    )


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _total(counts: Mapping[str, int] | None) -> int:
    return sum((counts or {}).values())
