"""Keeps ``index.html`` beside the runs of a pipeline: a line for each run, from the summary in its folder.

The page is made of what lies there, so that a run that was killed, or two that end together, leave nothing to mend.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from snowetl.errors import StorageError, UsageError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.orchestrator import run_folders
from snowetl.reporting import runs_index
from snowetl.reporting.html import Link
from snowetl.reporting.json_form import from_json, to_json
from snowetl.reporting.runs_index import MAX_RUNS, RunLine
from snowetl.runs.run import PAGE as STEP_PAGE
from snowetl.storage import filesystem

FORMAT = "snowetl-run-summary/1"
SUMMARY, PAGE = "summary.json", "index.html"
_PLAN = "plan.json"
_READERS = 16


def summary_of(report: Mapping[str, Any]) -> str:
    """What a run that is done keeps for the page, as JSON."""
    return jsontext.dumps({"format": FORMAT, **to_json(runs_index.line_of(report))})


def update(runs_folder: str) -> None:
    """Write the page of the latest runs anew. Raises :class:`StorageError`."""
    fs, url = filesystem(runs_folder), f"{runs_folder}/{PAGE}"
    latest = sorted(run_folders.latest(runs_folder, MAX_RUNS, _PLAN))
    with ThreadPoolExecutor(_READERS) as readers:
        found = dict(zip(latest, readers.map(lambda run: _line(runs_folder, run), latest), strict=True))
    lines = [line for line in found.values() if line is not None]
    page = runs_index.render(lines, [run for run, line in found.items() if line is None])
    fs.delete_tree(url)  # with what a killed process has staged for it
    fs.put(url, to_utf8(page))


def previous(runs_folder: str, run: str) -> str | None:
    """The run before ``run``. Raises :class:`StorageError`."""
    before = (each for each in reversed(run_folders.run_ids(runs_folder)) if each < run)
    return next(run_folders.holding(runs_folder, before, _PLAN), None)


def _line(runs_folder: str, run: str) -> RunLine | None:
    """The line of a run; ``None`` for one that is not done, or that an earlier release has done."""
    try:
        content = filesystem(runs_folder).get(f"{runs_folder}/run={run}/{SUMMARY}")
        return from_json(RunLine, jsontext.loads(content.decode("utf-8")))
    except (UsageError, StorageError, ValueError):
        return None


def links(runs_folder: str, report: Mapping[str, Any], before: str | None = None) -> list[Link]:
    """What the page of a run leads to: pages of its steps, bad rows, the run ``before``, all runs."""
    run, about = report["run"], report.get("settings") or {}
    here = f"{runs_folder}/run={run}"
    found: list[tuple[str, str]] = []
    pages = {
        "enrich": ("report of enrich", about.get("enrichedFolder"), STEP_PAGE),
        "transform": ("report of transform", about.get("transformedFolder"), STEP_PAGE),
        "load": ("report of load", about.get("transformedFolder"), "_load_report.html"),
    }
    for step in report["steps"]:
        label, folder, page = pages[step["step"]]
        if step.get("ofFailedEvents"):
            label, folder = f"{label} of failed events", about.get("transformedFailedFolder")
        if folder:
            found.append((label, f"{folder}/run={run}/{page}"))
    if about.get("badFolder"):
        found.append(("bad rows", f"{about['badFolder']}/run={run}/"))
    if about.get("failedFolder"):
        found.append(("failed events", f"{about['failedFolder']}/run={run}/"))
    if before is not None:
        found.append(("previous run", f"{runs_folder}/run={before}/report.html"))
    found.append(("all runs", f"{runs_folder}/{PAGE}"))
    return [(label, _relative(url, here), url) for label, url in found]


def _relative(url: str, folder: str) -> str | None:
    """The way from ``folder`` to ``url`` where both lie in one place (a machine, a bucket), else ``None``."""
    (place, path), (own_place, own_path) = _placed(url), _placed(folder)
    if place != own_place:
        return None
    way = posixpath.relpath(path, own_path)
    return way + "/" if url.endswith("/") else way


def _placed(url: str) -> tuple[str, str]:
    """(scheme and host or bucket, path) of an address; local paths have no place."""
    scheme, colon, rest = url.partition("://")
    if not colon or scheme == "file":
        return "", rest if colon else url
    host, _, path = rest.partition("/")
    return f"{scheme}://{host}", f"/{path}"
