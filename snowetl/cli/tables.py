"""Plans and reports as text a person reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from snowetl.cli.progress import duration
from snowetl.settings.words import count

if TYPE_CHECKING:
    from snowetl.reporting.enrich import EnrichReport
    from snowetl.steps.enrich import EnrichPlan

_SHOWN_FILES = 5

Row = tuple[str, str, str]


def report(done: EnrichReport) -> str:
    """The report of an enrich run: what went in, what came out, how fast."""
    output = done.output
    rate = done.records / done.seconds if done.seconds else 0
    rows: list[Row] = [
        ("records", f"{done.records:,}", amount(done.input.files, done.input.bytes)),
        *(("  discarded", f"{number:,}", reason) for reason, number in done.discarded.items()),
        ("events", f"{done.events:,}", size(output.good.bytes)),
        ("bad rows", f"{sum(done.bad_rows.values()):,}", size(output.bad.bytes)),
        *(("", f"{number:,}", kind) for kind, number in done.bad_rows.items()),
    ]
    if done.damages:
        rows.append(("damages", f"{done.damages:,}", "places where a file is damaged; each is a bad row"))
    rows.append(("time", duration(done.seconds), f"{rate:,.0f} records/s"))
    return "\n".join(
        [
            f"run={done.run}",
            *_aligned(rows),
            f"  events    {done.settings['outputFolder']}",
            f"  bad rows  {done.settings['badFolder']}",
        ]
    )


def plan(planned: EnrichPlan) -> str:
    """What a job would do (``--dry-run``)."""
    config, run = planned.config(), planned.run
    rows: list[Row] = [
        ("input", f"{len(planned.files):,}", f"files, {size(planned.bytes)}, {planned.settings.input_format}"),
        ("tasks", f"{len(planned.work):,}", f"the largest {size(max(work.bytes for work in planned.work))}"),
        ("ignored", f"{len(planned.ignored):,}", "files"),
    ]
    lines = [f"run={run.id} (dry run: nothing is written)", *_aligned(rows)]
    lines += [f"    {file.url}: {file.reason}" for file in planned.ignored[:_SHOWN_FILES]]
    if len(planned.ignored) > _SHOWN_FILES:
        lines.append(f"    and {len(planned.ignored) - _SHOWN_FILES:,} more")
    lines += [f"  needs     {asset.uri}" for asset in config.assets()]
    lines += [f"  events    {run.folders[0]}", f"  bad rows  {run.folders[1]}"]
    return "\n".join(lines)


def intention(planned: EnrichPlan) -> str:
    """One line before the work starts."""
    text = f"run={planned.run.id}: {amount(len(planned.files), planned.bytes, len(planned.work))}"
    return text + (f", {count(len(planned.ignored), 'file')} ignored" if planned.ignored else "")


def amount(files: int, stored: int, tasks: int | None = None) -> str:
    """``1 file, 2.0 KB, 1 task``."""
    return f"{count(files, 'file')}, {size(stored)}" + ("" if tasks is None else f", {count(tasks, 'task')}")


def size(number: int) -> str:
    """``512 B``, ``1.5 KB``, ``20.1 MB`` (units of 1024)."""
    if number < 1024:
        return f"{number} B"
    value = float(number)
    for unit in ("KB", "MB", "GB", "TB"):
        value /= 1024
        if value < 1024 or unit == "TB":
            break
    return f"{value:.1f} {unit}"


def _aligned(rows: Iterable[Row]) -> list[str]:
    rows = list(rows)
    names, numbers = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"  {name:<{names}}  {number:>{numbers}}  {note}".rstrip() for name, number, note in rows]
