"""Events of a report page: over time with gaps, how late they came, who sent them, and by type and hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from snowetl.reporting import charts
from snowetl.reporting.markup import Report, cut, duration, number, section, shares, short, text
from snowetl.reporting.timeline import Bars, Lateness, Timeline, bars, lateness

_MAX_HOURS = 48
_MAX_TYPES = 24
_MAX_SOURCES = 12
_MAX_GAPS = 5


def timeline_of(reports: Sequence[Report]) -> Timeline:
    """Events by collector time of the first step that counted them."""
    found = next((report["timeline"] for report in reports if report.get("timeline")), None)
    return Timeline() if found is None else Timeline(found["grain"], dict(found["counts"]))


def lateness_of(reports: Sequence[Report], whole: Report | None) -> Lateness | None:
    """How old events were at the end of the run, or of the step."""
    with suppress(ValueError, TypeError):
        finished = str((whole or (reports[-1] if reports else {})).get("finished"))
        return lateness(timeline_of(reports), datetime.fromisoformat(finished).astimezone(UTC))
    return None


def events(reports: Sequence[Report], whole: Report | None) -> str:
    shown = bars(timeline_of(reports))
    body = charts.over_time(shown) + _gaps(shown) + _late(reports, whole)
    note = f"one bar: {charts.length(shown.minutes)}, by collector time (UTC)" if shown.bars else ""
    return section("Events over time", body, note) + section("Who sent them", _sources(reports))


def _gaps(shown: Bars) -> str:
    strays = "".join(
        f"<p><small>{number(count)} events far {where} are not shown.</small></p>"
        for count, where in ((shown.before, "earlier"), (shown.after, "later"))
        if count
    )
    gaps = shown.gaps
    if not gaps:
        return strays
    told = [
        f"{charts.when(start, shown.minutes)} to {charts.when(end, shown.minutes)}"
        for start, end in sorted(gaps, key=lambda gap: gap[0] - gap[1])[:_MAX_GAPS]
    ]
    more = f" and {len(gaps) - _MAX_GAPS} shorter ones" if len(gaps) > _MAX_GAPS else ""
    return f'<p class="gaps">No events: {"; ".join(told)}{more}.</p>{strays}'


def _late(reports: Sequence[Report], whole: Report | None) -> str:
    late = lateness_of(reports, whole)
    if late is None:
        return ""
    end = "loaded" if reports[-1].get("step") == "load" else "done"
    cells = "".join(
        f"<li><b>{duration(seconds)}</b>{label}</li>"
        for seconds, label in ((late.median, "half of them"), (late.most, "95%"), (late.longest, "all"))
    )
    return f'<h3>From the collector until {end}</h3><ul class="tiles small">{cells}</ul>'


def _sources(reports: Sequence[Report]) -> str:
    """Three tables: events by application, platform, tracker."""
    sources: Sequence[Mapping[str, Any]] = next((r["sources"] for r in reports if r.get("sources")), ())
    whole = sum(source["events"] for source in sources)
    cards = ""
    for title, key in (("Application", "appId"), ("Platform", "platform"), ("Tracker", "tracker")):
        counts: dict[str, int] = {}
        for source in sources:
            counts[source[key]] = counts.get(source[key], 0) + source["events"]
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        rest = sum(count for _, count in ranked[_MAX_SOURCES:])
        more = [(f"{len(ranked) - _MAX_SOURCES} others", rest)] if rest else []
        cards += shares(title, ranked[:_MAX_SOURCES] + more, whole)
    return f'<div class="cards">{cards}</div>' if cards else ""


def types(reports: Sequence[Report]) -> str:
    """Types down, hours across, darker for more."""
    counts: Mapping[str, Mapping[str, int]] = next((r["eventTypes"] for r in reports if r.get("eventTypes")), {})
    if not counts:
        return ""
    ranked = sorted(counts, key=lambda name: -sum(counts[name].values()))
    hours = sorted({hour for by_hour in counts.values() for hour in by_hour})
    left_out = len(hours) - _MAX_HOURS
    hours = hours[-_MAX_HOURS:]
    most = max((by_hour.get(hour, 0) for by_hour in counts.values() for hour in hours), default=1)
    head = "".join(f"<th><span>{text(hour)}</span></th>" for hour in hours)
    body = "".join(_type_row(name, counts[name], hours, most) for name in ranked[:_MAX_TYPES])
    note = f"<p>{left_out} earlier hours are not shown.</p>" if left_out > 0 else ""
    if len(ranked) > _MAX_TYPES:
        note += f"<p>{len(ranked) - _MAX_TYPES} rarer types are not shown.</p>"
    return (
        '<div class="wide"><table class="hours"><thead><tr><th>type</th><th>all</th>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>{note}"
    )


def _type_row(name: str, by_hour: Mapping[str, int], hours: Sequence[str], most: int) -> str:
    cells = "".join(_cell(by_hour.get(hour, 0), most, hour) for hour in hours)
    return f'<tr><th>{text(cut(name))}</th><td class="n">{number(sum(by_hour.values()))}</td>{cells}</tr>'


def _cell(count: int, most: int, hour: str) -> str:
    if not count:
        return "<td></td>"
    strength = 0.15 + 0.85 * count / most
    return f'<td class="heat" style="--heat:{strength:.2f}" title="{text(hour)}: {number(count)}">{short(count)}</td>'
