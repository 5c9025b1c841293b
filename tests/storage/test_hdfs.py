"""The HDFS room against a real name node and data node."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from snowetl.errors import StorageError, UsageError
from snowetl.storage.hdfs import HdfsFileSystem, connect_hdfs
from snowetl.storage.splits import plan, read

pytestmark = pytest.mark.slow


@pytest.fixture
def files() -> HdfsFileSystem:
    return HdfsFileSystem()


@pytest.fixture
def base(hdfs: str, files: HdfsFileSystem, tmp_path: Path) -> Iterator[str]:
    """An empty folder of the cluster."""
    yield f"{hdfs}{tmp_path}"
    files.delete_tree(f"{hdfs}{tmp_path}")


def tree(files: HdfsFileSystem, folder: str) -> list[str]:
    """All names below ``folder``, hidden ones too."""
    _, path, client = files._locate(folder)
    return sorted(status.path.removeprefix(f"{path}/") for status in client.list_status(path, recursive=True))


def test_listing_reading_and_splits(files: HdfsFileSystem, base: str) -> None:
    for name in ("in/a.txt", "in/deep/b.txt", "in/_SUCCESS", "in/_tmp/c.txt", "inn/d.log"):
        files.put(f"{base}/{name}", f"{name}\n".encode() * 100)
    urls = [info.url for info in files.list(f"{base}/in")]
    assert urls == [f"{base}/in/a.txt", f"{base}/in/deep/b.txt"]
    assert [info.url for info in files.list(f"{base}/in*/*.{{txt,log}}")] == [urls[0], f"{base}/inn/d.log"]
    assert [info.url for info in files.list(f"{base}/in/*")] == urls
    assert [info.size for info in files.list(urls[0])] == [900]
    assert files.list(f"{base}/none/*") == []
    assert files.open(urls[0], 9, 18).read() == b"in/a.txt\n"
    assert files.open(urls[0], 899).read() == b"\n"
    assert files.open(urls[0], 5000).read() == b""
    splits = plan(files.list(f"{base}/in"), binary=False, target_bytes=400, fs=files)
    items = [item.data for split in splits for piece in split.slices for item in read(piece, binary=False, fs=files)]
    assert items == ["in/a.txt"] * 100 + ["in/deep/b.txt"] * 100


def test_a_file_of_several_megabytes_is_streamed(files: HdfsFileSystem, base: str) -> None:
    data = bytes(range(256)) * 40_000
    files.put(f"{base}/large", data)
    with files.open(f"{base}/large") as stream:
        assert stream.read(100) == data[:100]
        assert stream.read() == data[100:]
    assert files.open(f"{base}/large", 5_000_001, 5_000_101).read() == data[5_000_001:5_000_101]


def test_two_phase_writes(files: HdfsFileSystem, base: str) -> None:
    url = f"{base}/out/x"
    files.put(url, b"old")
    staged = files.stage(url)
    staged.write(b"new ")
    staged.write(b"data")
    token = staged.close()
    assert files.get(url) == b"old"
    assert len(files.list(f"{base}/out")) == 1
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
    assert tree(files, f"{base}/out") == ["x"]


def test_exclusive_creation_has_one_winner(files: HdfsFileSystem, base: str) -> None:
    url = f"{base}/run/lock"
    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda number: files.create_exclusive(url, f"by {number}".encode()), range(6)))
    assert done.count(True) == 1
    assert files.get(url) == f"by {done.index(True)}".encode()
    assert tree(files, f"{base}/run") == ["lock"]
    files.delete_tree(url)
    assert files.create_exclusive(url, b"3")


def test_replace_has_one_winner(files: HdfsFileSystem, base: str) -> None:
    url = f"{base}/run/lease"
    assert not files.replace(url, b"1", b"")  # it is not there
    files.put(url, b"1")
    assert not files.replace(url, b"2", b"another")
    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda number: files.replace(url, f"by {number}".encode(), b"1"), range(6)))
    assert done.count(True) == 1
    assert files.get(url) == f"by {done.index(True)}".encode()
    assert tree(files, f"{base}/run") == ["lease"]


def test_delete_tree_and_sweep(files: HdfsFileSystem, base: str) -> None:
    files.put(f"{base}/run=1/a", b"")
    files.put(f"{base}/run=10/a", b"")
    for name in ("run=1/b", "run=10/deep/b", "single"):
        files.stage(f"{base}/{name}").close()
    files.delete_tree(f"{base}/run=1")
    files.delete_tree(f"{base}/run=1")
    files.delete_tree(f"{base}/single")
    files.sweep(f"{base}/run=10")
    assert tree(files, base) == ["run=10", "run=10/a", "run=10/deep"]


def test_what_is_not_there(files: HdfsFileSystem, base: str) -> None:
    for call in (files.list, files.get, files.open):
        with pytest.raises(UsageError, match=r"hdfs://127.*/x.*check"):
            call(f"{base}/x")
    assert not files.exists(f"{base}/x")
    files.put(f"{base}/x/y", b"")
    assert files.exists(f"{base}/x")
    with pytest.raises((UsageError, StorageError), match="/x/y/z"):
        files.put(f"{base}/x/y/z", b"")


def test_no_cluster_is_a_message_not_a_crash() -> None:
    files = HdfsFileSystem(partial(connect_hdfs, attempts=2))
    with pytest.raises(StorageError, match=r"cannot .* hdfs://127\.0\.0\.1:1/x: .*HADOOP_CONF_DIR"):
        files.list("hdfs://127.0.0.1:1/x")
