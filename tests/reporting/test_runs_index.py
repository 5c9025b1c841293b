"""The page of all runs: its lines, what is shown of them, and how it is kept beside the runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowetl.orchestrator import runs_page
from snowetl.reporting.runs_index import MAX_RUNS, RunLine, latest, line_of, render
from tests.reporting.test_html import ENRICH, LOAD, TRANSFORM, check


def report(run: str, **more: Any) -> dict[str, Any]:
    return {
        "run": run,
        "started": "2026-01-02T05:00:00.000Z",
        "finished": "2026-01-02T05:10:00.000Z",
        "seconds": 600,
        "settings": {
            "enrichedFolder": "/out/enriched",
            "badFolder": "s3://bad/rows",
            "transformedFolder": "/out/transformed",
        },
        "differences": [],
        "steps": [ENRICH, TRANSFORM, LOAD],
    } | more


def test_the_line_of_a_run() -> None:
    line = line_of(report("2026-01-02-03-04-05"))
    assert (line.records, line.events, line.bad_rows, line.rows, line.seconds) == (1000, 1200, 24, 1200, 600)
    assert line.lateness == 2 * 3600 + 600
    assert line.bad_share == 24 / 1224
    assert (line.status, line.words) == ("warn", "done; 6 rows are put aside")
    assert line_of(report("x", differences=["1 is 2"])).status == "bad"


def test_the_page_shows_every_run_and_needs_no_network() -> None:
    lines = [line_of(report(f"2026-01-{day:02d}-00-00-00")) for day in range(1, 29)]
    page = render(lines, ["2026-01-29-00-00-00", "<script>"])
    check(page)
    assert 'href="run=2026-01-28-00-00-00/report.html"' in page
    assert page.count("not finished") == 2
    assert page.count("<svg") == 4
    assert "<script>" not in page
    check(render([]))


def test_the_latest_runs_are_remembered_each_once() -> None:
    lines = [RunLine(run=f"{number:04d}") for number in range(MAX_RUNS + 50)]
    kept = latest([*lines, RunLine(run="0349", events=7)])
    assert len(kept) == MAX_RUNS
    assert kept[-1].events == 7


def finish(runs: Path, run: str) -> None:
    folder = runs / f"run={run}"
    folder.mkdir()
    (folder / "plan.json").write_text("{}")
    (folder / "summary.json").write_text(runs_page.summary_of(report(run)))


def test_it_is_kept_beside_the_runs(tmp_path: Path) -> None:
    runs_page.update(str(tmp_path))
    for run in ("2026-01-01-00-00-00", "2026-01-02-00-00-00"):
        finish(tmp_path, run)
    (tmp_path / "run=2026-01-03-00-00-00").mkdir()
    (tmp_path / "run=2026-01-03-00-00-00" / "plan.json").write_text("{}")
    (tmp_path / "._staging-index.html-0815").write_text("of a process that was killed")
    runs_page.update(str(tmp_path))
    page = (tmp_path / "index.html").read_text()
    assert page.count("report.html") == 2
    assert page.count("not finished") == 1
    assert runs_page.previous(str(tmp_path), "2026-01-02-00-00-00") == "2026-01-01-00-00-00"
    assert runs_page.previous(str(tmp_path), "2026-01-01-00-00-00") is None
    assert sorted(path.name for path in tmp_path.iterdir())[0] == "index.html"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run": 7}', '{"events": 1}'])
def test_a_summary_that_cannot_be_read_is_shown_as_not_finished(content: str, tmp_path: Path) -> None:
    finish(tmp_path, "2026-01-01-00-00-00")
    (tmp_path / "run=2026-01-01-00-00-00" / "summary.json").write_text(content)
    runs_page.update(str(tmp_path))
    assert "not finished" in (tmp_path / "index.html").read_text()


def test_links_are_relative_where_both_lie_in_one_place() -> None:
    found = {label: href for label, href, _ in runs_page.links("/out/runs", report("r"), "q")}
    assert found == {
        "report of enrich": "../../enriched/run=r/_report.html",
        "report of transform": "../../transformed/run=r/_report.html",
        "report of load": "../../transformed/run=r/_load_report.html",
        "bad rows": None,
        "previous run": "../run=q/report.html",
        "all runs": "../index.html",
    }
    on_s3 = dict.fromkeys(("enrichedFolder", "transformedFolder"), "s3://lake/a")
    found = {label: href for label, href, _ in runs_page.links("s3://lake/runs", report("r", settings=on_s3))}
    assert found["report of enrich"] == "../../a/run=r/_report.html"
