"""One page for all runs of a pipeline: how events, bad rows, duration and lateness went, and each run in a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snowetl.reporting import charts
from snowetl.reporting.html import page
from snowetl.reporting.markup import Report, duration, link, number, share, text, total
from snowetl.reporting.page_events import lateness_of
from snowetl.reporting.page_head import rows_loaded, status

MAX_RUNS = 300
"""Runs that are shown and remembered: the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """What the page tells of a run. ``lateness``: seconds from the collector to the end, of the middle event."""

    run: str
    started: str = ""
    seconds: float = 0.0
    records: int = 0
    events: int = 0
    bad_rows: int = 0
    rows: int = 0
    lateness: float | None = None
    status: str = "good"
    """``good``, ``warn`` or ``bad``; ``begun`` for a run that is not done."""
    words: str = "done"

    @property
    def bad_share(self) -> float:
        """Bad rows of all that came out of the run, from 0 to 1."""
        return self.bad_rows / (self.bad_rows + self.events) if self.bad_rows else 0.0


def line_of(report: Report) -> RunLine:
    """The line of a run that is done, from its report."""
    steps = report["steps"]
    enriched: Report = next((step for step in steps if step.get("step") == "enrich"), {})
    late = lateness_of(steps, report)
    kind, words = status(steps, report)
    return RunLine(
        run=report["run"],
        started=str(report.get("started", "")),
        seconds=float(report.get("seconds", 0)),
        records=enriched.get("records", 0),
        events=enriched.get("events", 0),
        bad_rows=sum(total(step.get("badRows")) for step in steps),
        rows=sum(rows_loaded(step) for step in steps),
        lateness=None if late is None else late.median,
        status=kind,
        words=words,
    )


def latest(lines: Sequence[RunLine]) -> list[RunLine]:
    """The latest runs in order; of two lines of one run the later counts."""
    by_run = {line.run: line for line in lines}
    return [by_run[run] for run in sorted(by_run)][-MAX_RUNS:]


def render(lines: Sequence[RunLine], begun: Sequence[str] = ()) -> str:
    """The page. ``lines`` are runs that are done, ``begun`` the ids of those that are not."""
    shown = latest([*lines, *(RunLine(run=run, status="begun", words="not finished") for run in begun)])
    done = [line for line in shown if line.status != "begun"]
    heading = f"<header><h1>Runs <small>{number(len(shown))}, the latest first</small></h1></header>"
    rows = "".join(_row(line) for line in reversed(shown))
    head = (
        '<tr><th>run</th><th>state</th><th class="n">events</th><th class="n">bad rows</th><th class="n">bad</th>'
        '<th class="n">rows loaded</th><th class="n">took</th><th class="n">late</th></tr>'
    )
    table = f'<div class="wide"><table class="plain runs"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
    note = "<p><small>late: from the collector to the end of the run, half of the events</small></p>"
    return page("snowetl runs", f"{heading}{_trends(done)}<section>{table}{note}</section>")


def _trends(lines: Sequence[RunLine]) -> str:
    """A sparkline for each number, with the latest run's beside it."""
    if not lines:
        return ""
    trends: tuple[tuple[str, Callable[[RunLine], float | None], Callable[[RunLine], str]], ...] = (
        ("events", lambda line: line.events, lambda line: number(line.events)),
        ("bad rows", lambda line: line.bad_share, _bad),
        ("duration", lambda line: line.seconds, lambda line: duration(line.seconds)),
        ("lateness", lambda line: line.lateness, _late),
    )
    cells = "".join(
        f"<li><b>{told(lines[-1]) or '–'}</b>{label}"
        f"{charts.sparkline([value(line) for line in lines], [f'{line.run}: {told(line)}' for line in lines])}</li>"
        for label, value, told in trends
    )
    return f'<ul class="tiles trends">{cells}</ul>'


def _bad(line: RunLine) -> str:
    return share(line.bad_rows, line.bad_rows + line.events) or "0%"


def _late(line: RunLine) -> str:
    return "" if line.lateness is None else duration(line.lateness)


def _row(line: RunLine) -> str:
    state = f'<span class="status {text(line.status)}">{text(line.words)}</span>'
    if line.status == "begun":
        return f'<tr><th>{text(line.run)}</th><td>{state}</td><td colspan="6"></td></tr>'
    cells = (
        number(line.events),
        number(line.bad_rows),
        _bad(line),
        number(line.rows),
        duration(line.seconds),
        _late(line),
    )
    numbers = "".join(f'<td class="n">{cell}</td>' for cell in cells)
    return f"<tr><th>{link(f'run={line.run}/report.html', line.run)}</th><td>{state}</td>{numbers}</tr>"
