"""Which run is chosen, and which files a new one takes, from what lies in the folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import NothingToDo
from snowetl.orchestrator import RunSettings
from snowetl.orchestrator.choice import Choice, choose
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.ledger import Ledger
from snowetl.runs.run import run_id
from snowetl.steps.base import World

START = 1_767_322_800_000  # 2026-01-02 03:00:00 UTC
HOUR = 3_600_000


def settings(folder: Path, **changed: Any) -> RunSettings:
    given: dict[str, Any] = {"input_folder": str(folder / "raw"), "output_folder": str(folder / "out")}
    given |= {"input_format": "thrift", "iglu_config": {"name": "x"}}
    return RunSettings(**(given | changed))


def write(folder: Path, *names: str, to: str = "raw") -> None:
    for name in names:
        path = folder / to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def begin(choice: Choice, made_from: RunSettings, done: bool = True) -> Entry:
    assert choice.files is not None
    choice.entry.begin(made_from, choice.files)
    if done:
        choice.entry.finish({"run": choice.entry.id, "steps": []})
    return choice.entry


def at(hour: int) -> World:
    return World(START + hour * HOUR)


def names(choice: Choice) -> list[str]:
    return [file.url.rpartition("/")[2] for file in choice.files or ()]


@pytest.mark.slow
def test_a_run_waits_however_many_runs_of_another_input_follow(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    other = settings(tmp_path, input_folder=str(tmp_path / "other"))
    write(tmp_path, "a")
    waits = begin(choose(ours, at(0)), ours, done=False)
    for hour in range(1, 41):
        write(tmp_path, str(hour), to="other")
        chosen = choose(other, at(hour))
        assert list(chosen.others) == [waits]
        begin(chosen, other)
    assert choose(ours, at(50)).entry == waits


@pytest.mark.slow
def test_a_run_whose_folder_is_gone_is_not_done_again_unless_it_is_named(tmp_path: Path) -> None:
    """Once lists are merged the ledger remembers more than the folders: old ones may be cleared away."""
    ours = settings(tmp_path)
    write(tmp_path, "a", "b")
    first = begin(choose(ours, at(0)), ours)
    others = settings(tmp_path, input_folder=str(tmp_path / "other"))
    for hour in range(1, 27):
        write(tmp_path, str(hour), to="other")
        begin(choose(others, at(hour)), others)
    Ledger.of(ours.runs_folder).merge()
    assert choose(ours, at(30)).entry == first
    shutil.rmtree(first.folder)
    with pytest.raises(NothingToDo):
        choose(ours, at(30))
    write(tmp_path, "c")
    assert names(choose(ours, at(30))) == ["c"]
    named = settings(tmp_path, run_id=first.id)
    anew = choose(named, at(30))
    assert names(anew) == ["a", "b", "c"]
    Ledger.of(ours.runs_folder).leave_out(first.id)
    begin(anew, named, done=False)
    taken = [(taken.url.rpartition("/")[2], taken.run) for taken in Ledger.of(ours.runs_folder).taken()]
    assert [one for one in taken if one[1] == first.id] == [("a", first.id), ("b", first.id), ("c", first.id)]
    with pytest.raises(NothingToDo):
        choose(settings(tmp_path, run_id=run_id(START + 31 * HOUR)), at(31))


def test_one_file_by_two_ways_is_taken_once(tmp_path: Path) -> None:
    write(tmp_path, "in/a", "in/b")
    (tmp_path / "raw" / "link").symlink_to(tmp_path / "raw" / "in")
    both = settings(tmp_path, input_folder=[f"{tmp_path}/raw/in", f"{tmp_path}/raw/link/"])
    assert names(choose(both, at(0))) == ["a", "b"]


def test_files_of_a_folder_with_a_like_name_are_not_missed(tmp_path: Path) -> None:
    wide = settings(tmp_path, input_folder=[f"{tmp_path}/raw", f"{tmp_path}/raw2"])
    write(tmp_path, "a")
    write(tmp_path, "b", to="raw2")
    begin(choose(wide, at(0)), wide)
    shutil.rmtree(tmp_path / "raw2")
    ours = settings(tmp_path)
    write(tmp_path, "c")
    found = choose(ours, at(1)).found
    assert found is not None
    assert (found.taken.files, found.vanished.files) == (1, 0)
    (tmp_path / "raw" / "a").unlink()
    found = choose(ours, at(1)).found
    assert found is not None
    assert found.vanished.files == 1


@pytest.mark.parametrize("spelling", ["{0}/raw/", "file://{0}/raw", "{0}/raw/*", "{0}/r[a]w", "{0}/link"])
def test_files_taken_by_an_earlier_release_stay_taken(spelling: str, tmp_path: Path) -> None:
    """Its plans hold the files themselves, by the addresses that the listing gave then."""
    ours = settings(tmp_path)
    write(tmp_path, "a", "b")
    entry = begin(choose(ours, at(0)), ours)
    (tmp_path / "link").symlink_to(tmp_path / "raw")
    earlier = list(entry.inputs())
    Path(entry.inputs_url).unlink()
    plan = entry.plan() or {}
    plan["files"] = [[f"{tmp_path}/link/{file.url.rpartition('/')[2]}", file.size, file.etag] for file in earlier]
    Path(entry.folder, "plan.json").write_text(json.dumps(plan))
    write(tmp_path, "c")
    chosen = choose(settings(tmp_path, input_folder=spelling.format(tmp_path)), at(1))
    assert names(chosen) == ["c"]


def test_a_run_that_is_redone_keeps_its_files(tmp_path: Path) -> None:
    """Between what it throws away and what it begins again, no other run may take them."""
    ours = settings(tmp_path)
    write(tmp_path, "a")
    entry = begin(choose(ours, at(0)), ours)
    entry.forget()
    assert choose(ours, at(1)).entry == entry
    assert [taken.run for taken in Ledger.of(ours.runs_folder).taken()] == [entry.id]
