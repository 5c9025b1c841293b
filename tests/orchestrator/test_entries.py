"""Which run is meant, from what earlier ones have left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import OutputExists, StorageError
from snowetl.orchestrator import RunSettings, entries
from snowetl.orchestrator.choice import waiting
from snowetl.orchestrator.entries import Entry
from snowetl.storage import FileInfo

FILES = [FileInfo("/raw/a", 1, "t"), FileInfo("/raw/b", 2, "t")]
OTHERS = [FileInfo("/raw/a", 1, "later"), FILES[1]]


def settings(folder: Path, **changed: Any) -> RunSettings:
    given = {"input_folder": str(folder / "raw"), "input_format": "thrift", "output_folder": str(folder / "out")}
    return RunSettings(**(given | {"iglu_config": {"name": "x"}} | changed))


def entry(folder: Path, id_: str, files: list[FileInfo] = FILES, done: bool = True, **changed: Any) -> Entry:
    made_from = settings(folder, **changed)
    made = Entry(f"2026-01-02-03-04-{id_}", made_from.runs_folder)
    made.begin(made_from, files)
    if done:
        made.finish({"run": made.id, "steps": []})
    return made


def test_nothing_is_found_where_nothing_was(tmp_path: Path) -> None:
    assert waiting(settings(tmp_path))[0] is None
    assert list(entries.entries(settings(tmp_path).runs_folder)) == []


def test_a_run_that_waits_is_found(tmp_path: Path) -> None:
    waits = entry(tmp_path, "01", done=False)
    entry(tmp_path, "02")
    assert waiting(settings(tmp_path)) == (waits, [])
    waits.finish({"run": waits.id, "steps": []})
    assert waiting(settings(tmp_path))[0] is None


def test_a_run_knows_its_files(tmp_path: Path) -> None:
    done = entry(tmp_path, "01", files=OTHERS)
    assert list(done.inputs()) == OTHERS
    assert done.report() is not None
    done.forget()
    assert done.report() is None
    assert done.plan() is not None  # its files stay taken
    assert list(done.inputs()) == OTHERS


def test_a_run_of_an_earlier_release_knows_its_files(tmp_path: Path) -> None:
    done = entry(tmp_path, "01")
    Path(done.inputs_url).unlink()
    plan = done.plan() or {}
    before = plan | {"files": [list(file[:3]) for file in reversed(FILES)]}
    Path(done.folder, "plan.json").write_text(json.dumps(before))
    assert list(done.inputs()) == FILES


def test_runs_of_another_place_do_not_count(tmp_path: Path) -> None:
    entry(tmp_path, "01", done=False, input_format="cloudfront")
    entry(tmp_path, "02", transformed_folder=str(tmp_path / "elsewhere"))
    assert waiting(settings(tmp_path))[0] is None


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"iglu_config": {"name": "y"}}, "iglu-config"),
        ({"accept_invalid": True}, "accept-invalid"),
        ({"natural": False, "synthetic": "NONE"}, "natural, synthetic"),
        ({"truncate_atomic_fields": True}, "truncate-atomic-fields"),
        ({"max_record_bytes": 1000}, "max-record-bytes"),
    ],
)
@pytest.mark.parametrize("done", [False, True])
def test_L2_other_settings_are_refused_by_name(changed: dict[str, Any], key: str, done: bool, tmp_path: Path) -> None:
    begun = entry(tmp_path, "01", done=done)
    other = settings(tmp_path, **changed)
    assert waiting(other)[0] == (None if done else begun)
    with pytest.raises(OutputExists, match=f"with other settings: {key}\\. Go on with the settings it has"):
        begun.check(other)


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"database": "postgresql://elsewhere/db", "schema": "other"},
        {"master": "none", "workers": 3, "split_size": 1 << 20, "max_bad": "5%"},
    ],
)
def test_the_warehouse_and_the_way_of_working_are_no_part_of_a_run(same: dict[str, Any], tmp_path: Path) -> None:
    entry(tmp_path, "01").check(settings(tmp_path, **same))


def test_a_plan_holds_no_secrets(tmp_path: Path) -> None:
    made = entry(tmp_path, "01", database="postgresql://me:s3cret@host/db")
    assert "s3cret" not in Path(made.folder, "plan.json").read_text()


def test_a_record_that_cannot_be_read(tmp_path: Path) -> None:
    done = entry(tmp_path, "01")
    Path(done.folder, "report.json").write_text("{")
    with pytest.raises(StorageError, match=r"report\.json cannot be read"):
        done.report()


def test_a_page_is_left_with_the_report(tmp_path: Path) -> None:
    assert Path(entry(tmp_path, "01").page_url).read_text().startswith("<!DOCTYPE html>")
