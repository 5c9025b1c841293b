"""``snowetl run --skip``, ``--resume-from``, ``--include``: parts of a run, and what of it is done later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.cli.main import main
from tests.integration.support import ROOT
from tests.integration.test_growing import arguments, rows, runs, write
from tests.integration.test_models import query

RUN = "2026-03-05-12-00-00"


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    tmp_path.chmod(0o755)
    write(tmp_path, "a.log", 1, 2, 3)


def report(folder: Path, run: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"out/runs/run={run}/report.json").read_text())
    return found


def said(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    return " ".join((captured.out + captured.err).split())


def test_a_run_without_its_load_is_done_and_loaded_later(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path, "--run-id", RUN, "--skip", "rdb_load")) == 0
    assert [step["step"] for step in report(tmp_path, RUN)["steps"]] == ["enrich", "transform"]
    assert not (tmp_path / "out/warehouse").exists()
    said(capsys)
    assert main(["status", "-o", str(tmp_path / "out")]) == 0
    assert "done 1 file" in (told := said(capsys)) and "without load (--skip)" in told
    assert main(["plan", *arguments(tmp_path, "--run-id", RUN, "--skip", "load")[1:]]) == 0
    assert "load skip --skip leaves it out" in said(capsys)

    write(tmp_path, "b.log", 4, 5)
    assert main(arguments(tmp_path)) == 0, "the next run does not wait for it"
    assert rows(tmp_path) == 2
    assert main(arguments(tmp_path, "--run-id", RUN)) == 0
    assert rows(tmp_path) == 5
    assert "skipped" not in report(tmp_path, RUN)
    assert len(runs(tmp_path)) == 2


def test_only_the_enrichment(tmp_path: Path) -> None:
    assert main(arguments(tmp_path, "--run-id", RUN, "--skip", "transform,load")) == 0
    assert [step["step"] for step in report(tmp_path, RUN)["steps"]] == ["enrich"]
    assert main(arguments(tmp_path, "--run-id", RUN, "--skip", "load")) == 0
    assert [step["step"] for step in report(tmp_path, RUN)["steps"]] == ["enrich", "transform"]
    assert main(arguments(tmp_path, "--run-id", RUN)) == 0
    assert rows(tmp_path) == 3


def test_a_step_that_would_find_nothing_is_refused_before_files_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path, "--skip", "transform")) == 2
    assert "load reads what transform writes" in said(capsys)
    assert main(arguments(tmp_path, "--skip", "enrich")) == 2
    assert "--skip enrich,transform" in said(capsys)
    assert not (tmp_path / "out/runs").exists() or not runs(tmp_path)
    assert main(arguments(tmp_path, "--resume-from", "shred")) == 3
    assert "no run waits to be finished" in said(capsys)


def test_a_run_that_failed_is_resumed_from_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql/a.sql").write_text("SELECT 1 FROM nowhere;")
    given = ("--models", str(tmp_path / "sql"))
    assert main(arguments(tmp_path, *given)) == 1
    (tmp_path / "sql/a.sql").write_text("CREATE TABLE atomic.again AS SELECT count(*) AS n FROM atomic.events;")
    said(capsys)
    assert main(arguments(tmp_path, *given, "--resume-from", "dbt")) == 2
    assert "this run has no step dbt" in said(capsys)
    assert main(arguments(tmp_path, *given, "--resume-from", "models", "--include", "vacuum")) == 2
    assert "vacuum of run=" in said(capsys)
    assert main(arguments(tmp_path, *given, "--resume-from", "models")) == 0
    assert query(tmp_path, "SELECT n FROM atomic.again") == [(3,)]


def test_tables_are_vacuumed_where_that_is_asked_for(tmp_path: Path) -> None:
    assert main(arguments(tmp_path, "--run-id", RUN, "--include", "vacuum")) == 0
    [after] = report(tmp_path, RUN)["after"]
    assert (after["step"], after["words"]) == ("vacuum", "1 table")
    assert [part["name"] for part in after["parts"]] == ["atomic.events"]
    counted = "SELECT vacuum_count > 0 FROM pg_stat_all_tables WHERE schemaname = 'atomic' AND relname = 'events'"
    assert query(tmp_path, counted) == [(True,)]


def test_old_steps_without_work_here_are_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(tmp_path, "--skip", "archive_raw,elasticsearch")) == 0
    assert "archive_raw: there is no such step here: a ledger knows which files were taken" in said(capsys)
    assert rows(tmp_path) == 3
