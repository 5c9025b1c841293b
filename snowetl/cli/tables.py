"""Plans and reports as text a person reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from snowetl.cli.progress import duration
from snowetl.settings.words import count

if TYPE_CHECKING:
    from snowetl.steps.enrich import Prepared

_SHOWN_FILES = 5

Row = tuple[str, str, str]


def report(document: dict[str, Any]) -> str:
    """The report of an enrich run: what went in, what came out, how fast."""
    settings, inputs, output = document["settings"], document["input"], document["output"]
    rate = document["records"] / document["seconds"] if document["seconds"] else 0
    rows: list[Row] = [
        ("records", f"{document['records']:,}", amount(inputs["files"], inputs["bytes"])),
        *(("  discarded", f"{number:,}", reason) for reason, number in document["discarded"].items()),
        ("events", f"{document['events']:,}", size(output["good"]["bytes"])),
        ("bad rows", f"{sum(document['badRows'].values()):,}", size(output["bad"]["bytes"])),
        *(("", f"{number:,}", kind) for kind, number in document["badRows"].items()),
    ]
    if document["damages"]:
        rows.append(("damages", f"{document['damages']:,}", "places where a file is damaged; each is a bad row"))
    rows.append(("time", duration(document["seconds"]), f"{rate:,.0f} records/s"))
    return "\n".join(
        [
            f"run={document['run']}",
            *_aligned(rows),
            f"  events    {settings['outputFolder']}",
            f"  bad rows  {settings['badFolder']}",
        ]
    )


def plan(prepared: Prepared) -> str:
    """What a job would do (``--dry-run``)."""
    config, run = prepared.config, prepared.run
    rows: list[Row] = [
        ("input", f"{len(prepared.files):,}", f"files, {size(prepared.bytes)}, {prepared.settings.input_format}"),
        ("tasks", f"{len(prepared.work):,}", f"the largest {size(max(work.bytes for work in prepared.work))}"),
        ("ignored", f"{len(prepared.ignored):,}", "files"),
    ]
    lines = [f"run={run.id} (dry run: nothing is written)", *_aligned(rows)]
    lines += [f"    {file.url}: {file.reason}" for file in prepared.ignored[:_SHOWN_FILES]]
    if len(prepared.ignored) > _SHOWN_FILES:
        lines.append(f"    and {len(prepared.ignored) - _SHOWN_FILES:,} more")
    lines += [f"  needs     {asset.uri}" for asset in config.assets()]
    lines += [f"  events    {run.folders[0]}", f"  bad rows  {run.folders[1]}"]
    return "\n".join(lines)


def intention(prepared: Prepared) -> str:
    """One line before the work starts."""
    text = f"run={prepared.run.id}: {amount(len(prepared.files), prepared.bytes, len(prepared.work))}"
    return text + (f", {count(len(prepared.ignored), 'file')} ignored" if prepared.ignored else "")


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
