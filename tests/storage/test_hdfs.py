"""The HDFS room against pyarrow's local file system: the same calls, another binding below them."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import StorageError, UsageError
from snowetl.storage.hdfs import HdfsFileSystem
from snowetl.storage.splits import plan, read

BASE = "hdfs://node:8020"


class Connect:
    """A picklable stand-in for a cluster: each authority is a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, authority: str) -> Any:
        from pyarrow import fs

        return fs.SubTreeFileSystem(self.folder, fs.LocalFileSystem())


@pytest.fixture
def files(tmp_path: Path) -> HdfsFileSystem:
    return HdfsFileSystem(Connect(str(tmp_path)))


def test_listing_reading_and_splits(files: HdfsFileSystem) -> None:
    for name in ("in/a.txt", "in/deep/b.txt", "in/_SUCCESS", "in/_tmp/c.txt", "inn/d.log"):
        files.put(f"{BASE}/{name}", f"{name}\n".encode() * 100)
    urls = [info.url for info in files.list(f"{BASE}/in")]
    assert urls == [f"{BASE}/in/a.txt", f"{BASE}/in/deep/b.txt"]
    assert [info.url for info in files.list(f"{BASE}/in*/*.{{txt,log}}")] == [urls[0], f"{BASE}/inn/d.log"]
    assert [info.url for info in files.list(f"{BASE}/in/*")] == urls
    assert [info.size for info in files.list(urls[0])] == [900]
    assert files.list(f"{BASE}/none/*") == []
    assert files.open(urls[0], 9, 18).read() == b"in/a.txt\n"
    assert files.open(urls[0], 899).read() == b"\n"
    assert files.open(urls[0], 5000).read() == b""
    splits = plan(files.list(f"{BASE}/in"), binary=False, target_bytes=400, fs=files)
    items = [item.data for split in splits for part in split.parts for item in read(part, binary=False, fs=files)]
    assert items == ["in/a.txt"] * 100 + ["in/deep/b.txt"] * 100


def test_two_phase_writes(files: HdfsFileSystem, tmp_path: Path) -> None:
    url = f"{BASE}/out/x"
    files.put(url, b"old")
    staged = files.stage(url)
    staged.write(b"new ")
    staged.write(b"data")
    token = staged.close()
    assert files.get(url) == b"old"
    assert len(files.list(f"{BASE}/out")) == 1
    other = pickle.loads(pickle.dumps(files))
    other.commit(token)
    other.commit(token)
    files.abort(token)
    assert files.get(url) == b"new data"
    aborted = files.stage(url)
    aborted.write(b"x")
    aborted.abort()
    token = files.stage(url).close()
    files.abort(token)
    files.abort(token)
    with pytest.raises(StorageError, match="is gone"):
        files.commit(token)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x"]


def test_exclusive_creation_has_one_winner(files: HdfsFileSystem, tmp_path: Path) -> None:
    url = f"{BASE}/run/lock"
    assert files.create_exclusive(url, b"1")
    assert not files.create_exclusive(url, b"2")
    assert files.get(url) == b"1"
    (tmp_path / "run/lock").unlink()
    assert not files.create_exclusive(url, b"2")  # somebody holds the claim and is about to write
    files.delete_tree(url)
    assert list((tmp_path / "run").iterdir()) == []
    assert files.create_exclusive(url, b"3")


def test_delete_tree_and_sweep(files: HdfsFileSystem, tmp_path: Path) -> None:
    files.put(f"{BASE}/run=1/a", b"")
    files.put(f"{BASE}/run=10/a", b"")
    for name in ("run=1/b", "run=10/deep/b", "single"):
        files.stage(f"{BASE}/{name}").close()
    files.delete_tree(f"{BASE}/run=1")
    files.delete_tree(f"{BASE}/run=1")
    files.delete_tree(f"{BASE}/single")
    files.sweep(f"{BASE}/run=10")
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["run=10", "run=10/a", "run=10/deep"]


def test_what_is_not_there(files: HdfsFileSystem) -> None:
    for call in (files.list, files.get, files.open):
        with pytest.raises(UsageError, match=r"hdfs://node:8020/x.*check"):
            call(f"{BASE}/x")
    assert not files.exists(f"{BASE}/x")
    files.put(f"{BASE}/x/y", b"")
    assert files.exists(f"{BASE}/x")
    assert files.exists("hdfs:///x/y")


def test_no_cluster_is_a_message_not_a_crash() -> None:
    with pytest.raises(StorageError, match=r"cannot connect to hdfs://node:8020.*CLASSPATH"):
        HdfsFileSystem().list(f"{BASE}/x")


def test_replace_has_one_winner(files: HdfsFileSystem) -> None:
    url = f"{BASE}/run/lease"
    assert not files.replace(url, b"1", b"")  # it is not there
    files.put(url, b"1")
    assert not files.replace(url, b"2", b"another")
    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda number: files.replace(url, f"by {number}".encode(), b"1"), range(6)))
    assert done.count(True) == 1
    assert files.get(url) == f"by {done.index(True)}".encode()
    assert [info.url for info in files.list(url.rpartition("/")[0])] == [url]
