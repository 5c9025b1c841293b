"""Run ids, run folders, done and not done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snowetl.errors import StorageError, UsageError
from snowetl.runs.run import Run, absolute, run_id, run_start, split_run_folder


def test_ids_are_times() -> None:
    assert run_id(1_767_323_045_678) == "2026-01-02-03-04-05"
    assert run_start("2026-01-02-03-04-05") == 1_767_323_045_000


@pytest.mark.parametrize("text", ["", "today", "2026-01-02", "2026-13-02-03-04-05", "2026-1-2-3-4-5", "../../etc"])
def test_other_texts_are_no_ids(text: str) -> None:
    with pytest.raises(UsageError, match="YYYY-MM-DD-HH-mm-ss"):
        run_start(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/out", ("/out", None)),
        ("/out/", ("/out", None)),
        ("s3://b/good/run=2026-01-02-03-04-05/", ("s3://b/good", "2026-01-02-03-04-05")),
        ("/out/run=2026-01-02-03-04-05", ("/out", "2026-01-02-03-04-05")),
        ("/out/run=2026-01-02-03-04-05/sub", ("/out/run=2026-01-02-03-04-05/sub", None)),
    ],
)
def test_an_output_may_name_its_run(url: str, expected: tuple[str, str | None]) -> None:
    assert split_run_folder(url) == expected


def test_local_paths_become_absolute() -> None:
    assert absolute("x/../y") == f"{os.getcwd()}/y"  # noqa: PTH109
    assert absolute("s3://b/x") == "s3://b/x"
    assert absolute("file:///x") == "file:///x"


def test_a_run_with_a_report_is_done(tmp_path: Path) -> None:
    run = Run("2026-01-02-03-04-05", (f"{tmp_path}/good", f"{tmp_path}/bad"))
    assert run.report() is None
    run.begin("{}")
    run.finish('{"records": 3}', {"_report.html": b"<html>"})
    assert run.report() == {"records": 3}
    left = {path.name for path in (tmp_path / "good" / f"run={run.id}").iterdir()}
    assert left == {"_plan.json", "_work.jsonl.gz", "_report.html", "_report.json", "_SUCCESS"}
    assert {path.name for path in (tmp_path / "bad" / f"run={run.id}").iterdir()} == {"_SUCCESS"}


def test_wiping_touches_nothing_else(tmp_path: Path) -> None:
    run = Run("2026-01-02-03-04-05", (f"{tmp_path}/good", f"{tmp_path}/bad"))
    run.finish("{}", {})
    other = Run("2026-01-02-03-04-06", run.outputs)
    other.finish("{}", {})
    run.wipe()
    run.wipe()
    assert [path.name for path in (tmp_path / "good").iterdir()] == [f"run={other.id}"]
    assert [path.name for path in (tmp_path / "bad").iterdir()] == [f"run={other.id}"]


def test_a_report_that_is_no_json(tmp_path: Path) -> None:
    run = Run("2026-01-02-03-04-05", (str(tmp_path),))
    folder = tmp_path / f"run={run.id}"
    folder.mkdir()
    (folder / "_report.json").write_text("{")
    with pytest.raises(StorageError, match="is not a run report"):
        run.report()
