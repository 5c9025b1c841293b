"""Runs whose raw files are archived: once, verified, and made up for when it failed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import UsageError
from snowetl.orchestrator import RunSettings, overview
from snowetl.orchestrator.archive import drive, record
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.validate import problems
from snowetl.steps.base import Unwatched
from snowetl.storage import FileInfo, filesystem

RUN = "2026-03-05-10-00-00"
LATER = 1 << 60


class Heard(Unwatched):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)


def settings(folder: Path, **changed: Any) -> RunSettings:
    given = {"input_folder": str(folder / "raw"), "output_folder": str(folder / "out"), "input_format": "thrift"}
    given |= {"iglu_config": {"name": "x"}, "archive": str(folder / "archive")}
    return RunSettings(**(given | changed))


def begun(given: RunSettings, folder: Path, *names: str, run: str = RUN) -> Entry:
    entry = Entry(run, given.runs_folder)
    for name in names:
        path = folder / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
    listed = {file.url: file for file in filesystem("/").list(str(folder / "raw"))}
    entry.begin(given, [listed[f"{folder}/raw/{name}"] for name in sorted(names)])
    return entry


def archived(folder: Path, run: str = RUN) -> dict[str, str]:
    base = folder / "archive" / f"run={run}"
    return {str(path.relative_to(base)): path.read_text() for path in base.rglob("*") if path.is_file()}


def test_every_file_is_copied_and_stays(tmp_path: Path) -> None:
    given = settings(tmp_path)
    entry = begun(given, tmp_path, "a", "2026/03/b", "c.lzo.index")
    done = drive.archive(entry, str(tmp_path / "archive"), Heard())
    assert (done.done, done.files, done.copied, done.failed) == (True, 3, 3, 0)
    assert done.bytes == sum(file.size for file in entry.inputs())
    assert archived(tmp_path) == {name: f"content of {name}" for name in ("a", "2026/03/b", "c.lzo.index")}
    assert sorted(path.name for path in (tmp_path / "raw").rglob("*") if path.is_file()) == ["a", "b", "c.lzo.index"]
    assert record.of(entry) == done
    assert record.waiting(given.runs_folder) == []
    again = drive.archive(entry, str(tmp_path / "archive"), Heard())
    assert (again.files, again.copied, again.done) == (3, 0, True)


def test_what_failed_is_named_and_made_up_for(tmp_path: Path) -> None:
    given = settings(tmp_path)
    entry = begun(given, tmp_path, "a", "b", "c")
    entry.finish({"run": RUN, "steps": [], "archive": {}})
    (tmp_path / "raw" / "b").rename(tmp_path / "b")
    heard = Heard()
    tried = drive.archive(entry, str(tmp_path / "archive"), heard)
    assert (tried.done, tried.files, tried.failed) == (False, 2, 1)
    assert "raw/b" in heard.warned[0]
    assert "The next run tries again" in heard.warned[0]
    assert record.waiting(given.runs_folder) == [entry]
    [view] = overview.overview(given.runs_folder)
    assert (view.state, view.archived) == ("done", False)
    assert "archive: 1 file not copied to" in view.why
    drive.catch_up(given, heard, tried.at)  # that was a moment ago
    assert record.waiting(given.runs_folder) == [entry]
    drive.catch_up(settings(tmp_path, archive=None), heard, LATER)
    assert record.waiting(given.runs_folder) == [entry]
    (tmp_path / "b").rename(tmp_path / "raw" / "b")
    drive.catch_up(given, heard, LATER)
    assert record.waiting(given.runs_folder) == []
    assert sorted(archived(tmp_path)) == ["a", "b", "c"]
    [view] = overview.overview(given.runs_folder)
    assert (view.why, view.archived) == ("", True)


def test_killed_at_any_moment_it_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings(tmp_path)
    entry = begun(given, tmp_path, "a", "b", "c")
    copied = []

    def dies(file: FileInfo, url: str) -> bool:
        if len(copied) == 1:
            raise KeyboardInterrupt
        copied.append(url)
        return drive_copy(file, url)

    drive_copy = drive.copy_verified
    monkeypatch.setattr(drive, "copy_verified", dies)
    with pytest.raises(KeyboardInterrupt):
        drive.archive(entry, str(tmp_path / "archive"), Heard())
    monkeypatch.undo()
    assert record.waiting(given.runs_folder) == [entry]
    drive.catch_up(given, Heard(), LATER)  # of a run that is not done: its own end archives it
    assert len(archived(tmp_path)) == 1
    done = drive.archive(entry, str(tmp_path / "archive"), Heard())
    assert (done.files, done.copied) == (3, 2)


def test_notes_of_runs_that_are_no_more_go(tmp_path: Path) -> None:
    given = settings(tmp_path)
    entry = begun(given, tmp_path, "a")
    record.begun(entry, record.Archived(folder=str(tmp_path / "archive"), at=1))
    shutil.rmtree(entry.folder)
    drive.catch_up(given, Heard(), LATER)
    assert record.waiting(given.runs_folder) == []


def test_two_pipelines_do_not_replace_each_others_files(tmp_path: Path) -> None:
    given = settings(tmp_path)
    entry = begun(given, tmp_path, "a")
    (tmp_path / "archive" / f"run={RUN}").mkdir(parents=True)
    (tmp_path / "archive" / f"run={RUN}" / "a").write_text("of another one")
    heard = Heard()
    assert not drive.archive(entry, str(tmp_path / "archive"), heard).done
    assert "is there already" in heard.warned[0]
    assert archived(tmp_path) == {"a": "of another one"}


@pytest.mark.parametrize("place", ["raw/archive", "raw", "raw/_archive/"])
def test_an_archive_in_the_input_is_refused(place: str, tmp_path: Path) -> None:
    given = settings(tmp_path, archive=f"{tmp_path}/{place}")
    with pytest.raises(UsageError, match="lies in the input folder"):
        drive.check(given)
    assert any("lies in the input folder" in problem for problem in problems(given))


def test_an_archive_that_cannot_be_written_to_fails_nothing(tmp_path: Path) -> None:
    given = settings(tmp_path)
    entry = begun(given, tmp_path, "a")
    (tmp_path / "archive").write_text("a file")
    assert not drive.archive(entry, str(tmp_path / "archive"), Heard()).done
    note = json.loads(Path(record.note_url(entry)).read_text())
    assert (note["failed"], note["done"]) == (1, False)


def test_what_lies_in_the_archive_is_not_copied_into_it_again(tmp_path: Path) -> None:
    earlier = tmp_path / "archive" / "run=2026-03-05-09-00-00"
    given = settings(tmp_path, input_folder=str(earlier))
    (tmp_path / "raw").mkdir()
    earlier.mkdir(parents=True)
    (earlier / "a").write_text("content of a")
    entry = Entry(RUN, given.runs_folder)
    entry.begin(given, filesystem("/").list(str(earlier)))
    done = drive.archive(entry, str(tmp_path / "archive"), Heard())
    assert (done.done, done.files, done.copied) == (True, 1, 0)
    assert [path.name for path in (tmp_path / "archive").iterdir()] == [earlier.name]
