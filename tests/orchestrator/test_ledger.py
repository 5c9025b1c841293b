"""What runs took, from their lists and from merged ones."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import StorageError
from snowetl.orchestrator import RunSettings
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.ledger import Ledger, Taken
from snowetl.runs import input_list
from snowetl.storage import FileInfo


def settings(folder: Path) -> RunSettings:
    given: dict[str, Any] = {"input_folder": "raw", "input_format": "thrift", "iglu_config": {"name": "x"}}
    return RunSettings(output_folder=str(folder), **given)


def begin(folder: Path, id_: str, files: list[FileInfo], done: bool = True) -> Entry:
    made = Entry(id_, settings(folder).runs_folder)
    made.begin(settings(folder), files)
    if done:
        made.finish({"run": id_, "steps": []})
    return made


def file(name: str, etag: str = "t") -> FileInfo:
    return FileInfo(f"/raw/{name}", len(name), etag)


def ledger(folder: Path) -> Ledger:
    return Ledger.of(settings(folder).runs_folder)


def run_id(number: int) -> str:
    return f"2026-01-02-03-{number // 60:02d}-{number % 60:02d}"


def test_nothing_was_taken(tmp_path: Path) -> None:
    assert list(ledger(tmp_path).taken()) == []
    ledger(tmp_path).merge()


def test_files_of_all_runs_in_the_order_of_their_addresses(tmp_path: Path) -> None:
    begin(tmp_path, run_id(2), [file("a"), file("c")])
    begin(tmp_path, run_id(1), [file("b"), file("c", "before")], done=False)
    assert [(taken.url, taken.etag, taken.run) for taken in ledger(tmp_path).taken()] == [
        ("/raw/a", "t", run_id(2)),
        ("/raw/b", "t", run_id(1)),
        ("/raw/c", "before", run_id(1)),
        ("/raw/c", "t", run_id(2)),
    ]


@pytest.mark.slow
def test_lists_of_many_runs_are_merged_and_say_the_same(tmp_path: Path) -> None:
    """Merged twice, with a run that waits and one whose time lies before those merged first."""
    expected: list[Taken] = []
    for number in range(60):
        if number == 30:
            ledger(tmp_path).merge()
        name = f"{number * 7 % 60:02d}"
        begin(tmp_path, run_id(600 - number), [file(name)], done=number != 10)
        expected.append(Taken(f"/raw/{name}", 2, "t", run_id(600 - number)))
    ledger(tmp_path).merge()
    merged = list(Path(settings(tmp_path).runs_folder, "_ledger").iterdir())
    assert [path.name for path in merged] == ["000000001.jsonl.gz", "000000002.jsonl.gz"]
    now = ledger(tmp_path)
    assert [entry.id for entry in now.entries] == [run_id(590)]
    assert list(now.taken()) == sorted(expected)


def test_few_lists_stay_as_they_are(tmp_path: Path) -> None:
    begin(tmp_path, run_id(1), [file("a")])
    ledger(tmp_path).merge()
    assert not Path(settings(tmp_path).runs_folder, "_ledger").exists()


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08", b"not gzip"])
def test_a_list_that_is_damaged_is_refused(content: bytes, tmp_path: Path) -> None:
    Path(begin(tmp_path, run_id(1), [file("a")]).inputs_url).write_bytes(content)
    if content:
        with pytest.raises(StorageError, match=r"inputs\.jsonl\.gz cannot be read"):
            list(ledger(tmp_path).taken())


def test_a_list_of_something_else_is_refused(tmp_path: Path) -> None:
    made = begin(tmp_path, run_id(1), [file("a")])
    input_list.write_lines(made.inputs_url, [{"a": 1}])
    with pytest.raises(StorageError, match="is not a list of input files"):
        list(ledger(tmp_path).taken())


def test_a_list_is_the_same_bytes_for_the_same_files(tmp_path: Path) -> None:
    one, other = tmp_path / "1", tmp_path / "2"
    assert input_list.write(str(one), [file("a"), file("b")]) == input_list.write(str(other), [file("a"), file("b")])
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
def test_very_many_lists_are_read_few_at_a_time(tmp_path: Path) -> None:
    """As after an upgrade, when no list of years of runs was merged yet."""
    expected = []
    for number in range(250):
        name = f"{number * 7 % 250:03d}"
        begin(tmp_path, run_id(number), [file(name), file("z")], done=False)
        expected += [Taken(f"/raw/{name}", 3, "t", run_id(number)), Taken("/raw/z", 1, "t", run_id(number))]
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 150, limit[1]))
    try:
        found = list(ledger(tmp_path).taken())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert found == sorted(expected)
