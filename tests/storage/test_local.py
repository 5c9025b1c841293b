from __future__ import annotations

import errno
import json
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from snowetl.errors import StorageError, UsageError
from snowetl.storage import FileInfo, filesystem
from snowetl.storage.local import LocalFileSystem


@pytest.fixture
def files(tmp_path: Path) -> LocalFileSystem:
    for name in ("b.gz", "a.txt", "deep/c.gz", "deep/_temporary/x", ".hidden", "_SUCCESS", "deep/.d.crc"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return LocalFileSystem()


def names(infos: list[FileInfo], folder: Path) -> list[str]:
    return [info.url.removeprefix(f"{folder}/") for info in infos]


def test_a_folder_is_listed_with_all_below_it_but_hidden_names(files: LocalFileSystem, tmp_path: Path) -> None:
    infos = files.list(str(tmp_path))
    assert names(infos, tmp_path) == ["a.txt", "b.gz", "deep/c.gz"]
    written = (tmp_path / "a.txt").stat().st_mtime_ns
    assert infos[0] == FileInfo(str(tmp_path / "a.txt"), 5, str(written), written // 1_000_000)


def test_globs_and_single_files(files: LocalFileSystem, tmp_path: Path) -> None:
    assert names(files.list(f"{tmp_path}/*.gz"), tmp_path) == ["b.gz"]
    assert names(files.list(f"{tmp_path}/*"), tmp_path) == ["a.txt", "b.gz", "deep/c.gz"]
    assert names(files.list(f"{tmp_path}/{{*/c,b}}.gz"), tmp_path) == ["b.gz", "deep/c.gz"]
    assert names(files.list(f"{tmp_path}/_SUCCESS"), tmp_path) == ["_SUCCESS"]
    assert files.list(f"{tmp_path}/*.zst") == []
    assert files.list(f"{tmp_path}/nowhere/*") == []


def test_file_urls_come_back_as_file_urls(files: LocalFileSystem, tmp_path: Path) -> None:
    for url in (f"file://{tmp_path}/a.txt", f"file:{tmp_path}/a.txt", f"FILE://{tmp_path}/a.txt"):
        assert [info.url for info in files.list(url)] == [f"file://{tmp_path}/a.txt"]
        assert files.get(url) == b"a.txt"


def test_relative_paths_become_absolute(
    files: LocalFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "deep")
    assert names(files.list("."), tmp_path) == ["deep/c.gz"]
    assert names(files.list("../*.txt"), tmp_path) == ["a.txt"]


def test_names_with_glob_characters_can_be_named(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "odd[1].gz").write_bytes(b"")
    assert names(files.list(f"{tmp_path}/odd[1].gz"), tmp_path) == ["odd[1].gz"]


def test_what_is_not_there_is_a_usage_error(files: LocalFileSystem, tmp_path: Path) -> None:
    for call in (files.list, files.get, files.open):
        with pytest.raises(UsageError, match=r"nowhere.*check"):
            call(f"{tmp_path}/nowhere")
    with pytest.raises(UsageError, match="it is a folder"):
        files.get(str(tmp_path))
    with pytest.raises(UsageError, match=r"a part of its path is a file"):
        files.put(f"{tmp_path}/a.txt/below", b"")
    with pytest.raises(UsageError, match=r"no storage for gs: urls"):
        filesystem("gs://bucket/x")


def test_ranges(files: LocalFileSystem, tmp_path: Path) -> None:
    url = str(tmp_path / "ten")
    files.put(url, b"0123456789")
    assert files.open(url).read() == b"0123456789"
    assert files.open(url, 3).read() == b"3456789"
    assert files.open(url, 3, 5).read() == b"34"
    assert files.open(url, 8, 50).read() == b"89"
    assert files.open(url, 5, 5).read() == b""


def test_staged_files_are_invisible_until_committed(files: LocalFileSystem, tmp_path: Path) -> None:
    url = f"{tmp_path}/out/run=1/part-0"
    staged = files.stage(url)
    staged.write(b"one")
    staged.write(b"two")
    token = staged.close()
    assert not files.exists(url)
    assert files.list(f"{tmp_path}/out") == []
    other = pickle.loads(pickle.dumps(files))
    other.commit(token)
    assert files.get(url) == b"onetwo"
    files.commit(token)
    files.abort(token)
    assert files.get(url) == b"onetwo"
    assert [path.name for path in (tmp_path / "out/run=1").iterdir()] == ["part-0"]


def test_aborted_files_leave_nothing(files: LocalFileSystem, tmp_path: Path) -> None:
    url = f"{tmp_path}/out/x"
    staged = files.stage(url)
    staged.write(b"x" * 3_000_000)
    staged.abort()
    staged.abort()
    token = files.stage(url).close()
    files.abort(token)
    files.abort(token)
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(StorageError, match=r"is gone, so it cannot be published"):
        files.commit(token)


def test_an_interrupt_just_before_the_rename_leaves_nothing(
    files: LocalFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(temporary: str, target: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.put(f"{tmp_path}/reports/report.html", b"new")
    assert list((tmp_path / "reports").iterdir()) == []


def test_a_commit_is_not_mistaken_for_another_ones(files: LocalFileSystem, tmp_path: Path) -> None:
    url = f"{tmp_path}/x"
    mine = files.stage(url)
    mine.write(b"mine")
    token = mine.close()
    files.abort(token)
    files.put(url, b"his!")
    with pytest.raises(StorageError):
        files.commit(token)
    assert files.get(url) == b"his!"


def test_put_replaces_and_exclusive_does_not(files: LocalFileSystem, tmp_path: Path) -> None:
    url = f"{tmp_path}/new/lock"
    assert files.create_exclusive(url, b"1")
    assert not files.create_exclusive(url, b"2")
    assert files.get(url) == b"1"
    files.put(url, b"3")
    assert files.get(url) == b"3"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lock"]


def test_delete_tree_takes_staged_files_along_but_no_neighbours(files: LocalFileSystem, tmp_path: Path) -> None:
    files.put(f"{tmp_path}/run=1/a", b"")
    files.put(f"{tmp_path}/run=10/a", b"")
    files.stage(f"{tmp_path}/run=1/b").close()
    files.stage(f"{tmp_path}/single").close()
    files.delete_tree(f"{tmp_path}/run=1")
    files.delete_tree(f"{tmp_path}/run=1")
    files.delete_tree(f"{tmp_path}/single")
    left = {path.name for path in tmp_path.iterdir()}
    assert "run=10" in left
    assert not any(name == "run=1" or "single" in name for name in left)


def test_sweep_takes_only_staged_files(files: LocalFileSystem, tmp_path: Path) -> None:
    token = files.stage(f"{tmp_path}/run=1/b").close()
    files.sweep(str(tmp_path))
    assert not Path(json.loads(token)["temporary"]).exists()
    assert names(files.list(str(tmp_path)), tmp_path) == ["a.txt", "b.gz", "deep/c.gz"]


def test_exists(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert files.exists(f"{tmp_path}/a.txt")
    assert files.exists(f"{tmp_path}/deep")
    assert not files.exists(f"{tmp_path}/empty")
    assert not files.exists(f"{tmp_path}/nowhere/x")


def test_a_full_disk_says_so(files: LocalFileSystem) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    staged = files.stage("/dev/shm/snowetl-full-disk-test")
    with Path("/dev/full").open("wb", buffering=0) as full:
        staged._file.close()  # type: ignore[attr-defined]
        staged._file = full  # type: ignore[attr-defined]
        with pytest.raises(StorageError, match=r"snowetl-full-disk-test: the disk is full; free some space"):
            staged.write(b"x")
    staged.abort()


def test_a_missing_permission_says_so(files: LocalFileSystem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        error = PermissionError(errno.EACCES, "denied")
        monkeypatch.setattr(Path, "read_bytes", lambda path: (_ for _ in ()).throw(error))
    else:
        (tmp_path / "a.txt").chmod(0)
    with pytest.raises(StorageError, match=r"permission denied; check owner and mode"):
        files.get(f"{tmp_path}/a.txt")


@pytest.mark.parametrize("round_", range(20))  # where one deletes the marker of another's, few rounds show it
def test_replace_has_one_winner(files: LocalFileSystem, tmp_path: Path, round_: int) -> None:
    url = f"{tmp_path}/new/lease"
    assert not files.replace(url, b"1", b"")  # it is not there
    files.put(url, b"1")
    assert not files.replace(url, b"2", b"another")
    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda number: files.replace(url, f"by {number}".encode(), b"1"), range(6)))
    assert done.count(True) == 1
    assert files.get(url) == f"by {done.index(True)}".encode()
    assert [info.url for info in files.list(url.rpartition("/")[0])] == [url]


def test_walking_is_in_the_order_of_addresses_whatever_the_folders(files: LocalFileSystem, tmp_path: Path) -> None:
    for name in ("a/b", "a/b.d/x", "a/b-c", "a.txt", "a-/y", "b/z", "é/1"):
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    urls = [file.url for file in files.walk(str(tmp_path / "raw"))]
    assert len(urls) == 7
    assert urls == sorted(urls)
    assert [*files.walk(f"{tmp_path}/raw/{{a,a*,?}}")] == [*files.walk(str(tmp_path / "raw"))]
    assert [*files.folders(str(tmp_path / "raw"))] == ["a", "a-", "b", "é"]
    assert [*files.folders(str(tmp_path / "nowhere"))] == []


def test_a_folder_reached_by_a_link_holds_the_files_it_holds(files: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "1").write_bytes(b"x")
    (tmp_path / "real" / "0").symlink_to("1")
    (tmp_path / "link").symlink_to("real")
    assert [file.url for file in files.walk(str(tmp_path / "link"))] == [f"{tmp_path}/link/1"]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a").symlink_to(tmp_path / "real")
    assert [file.url for file in files.walk(str(tmp_path / "raw"))] == [f"{tmp_path}/raw/a/0"]
