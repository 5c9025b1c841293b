"""Which run is meant, from what earlier ones have left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import OutputExists, StorageError
from snowetl.orchestrator import ledger
from snowetl.orchestrator.ledger import Entry
from snowetl.storage import FileInfo

ABOUT = {"inputFolder": "/raw", "warehouse": "postgres"}


def entry(folder: Path, id_: str, inputs: str = "x", about: dict[str, Any] = ABOUT, done: bool = True) -> Entry:
    made = Entry(f"2026-01-02-03-04-{id_}", str(folder / "runs"))
    made.begin(about, inputs)
    if done:
        made.finish({"run": made.id, "settings": about, "steps": []})
    return made


def test_nothing_is_found_where_nothing_was(tmp_path: Path) -> None:
    assert ledger.waiting(str(tmp_path / "runs"), ABOUT) is None
    assert ledger.same_files(str(tmp_path / "runs"), ABOUT, "x") is None


def test_a_run_that_waits_is_found(tmp_path: Path) -> None:
    waits = entry(tmp_path, "01", done=False)
    entry(tmp_path, "02")
    assert ledger.waiting(waits.runs_folder, ABOUT) == waits
    waits.finish({"run": waits.id, "settings": ABOUT, "steps": []})
    assert ledger.waiting(waits.runs_folder, ABOUT) is None


def test_a_run_that_did_the_very_same_files_is_found(tmp_path: Path) -> None:
    done = entry(tmp_path, "01", inputs="x")
    entry(tmp_path, "02", inputs="y")
    assert ledger.same_files(done.runs_folder, ABOUT, "x") == done
    assert ledger.same_files(done.runs_folder, ABOUT, "z") is None
    assert done.report(ABOUT) is not None


def test_runs_of_other_settings_do_not_count(tmp_path: Path) -> None:
    other = entry(tmp_path, "01", about=ABOUT | {"warehouse": "redshift"}, done=False)
    entry(tmp_path, "02", about=ABOUT | {"warehouse": "redshift"})
    assert ledger.waiting(other.runs_folder, ABOUT) is None
    assert ledger.same_files(other.runs_folder, ABOUT, "x") is None


def test_a_run_done_with_other_settings_is_refused(tmp_path: Path) -> None:
    done = entry(tmp_path, "01")
    with pytest.raises(OutputExists, match="differs in: warehouse"):
        done.report(ABOUT | {"warehouse": "redshift"})


def test_a_record_that_cannot_be_read(tmp_path: Path) -> None:
    done = entry(tmp_path, "01")
    Path(done.folder, "report.json").write_text("{")
    with pytest.raises(StorageError, match=r"report\.json cannot be read"):
        done.report(ABOUT)


def test_a_page_is_left_with_the_report(tmp_path: Path) -> None:
    assert Path(entry(tmp_path, "01").page_url).read_text().startswith("<!DOCTYPE html>")


def test_files_are_known_again_whatever_their_order() -> None:
    files = [FileInfo("a", 1, "t"), FileInfo("b", 2, "t")]
    assert ledger.fingerprint(files) == ledger.fingerprint(reversed(files))
    assert ledger.fingerprint(files) != ledger.fingerprint([FileInfo("a", 1, "later"), files[1]])
