"""A file that is not what was listed any more: reading it fails, and names it (L11)."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from isal import igzip

from snowetl.errors import StorageError
from snowetl.storage.base import FileSystem
from snowetl.storage.hdfs import HdfsFileSystem
from snowetl.storage.local import LocalFileSystem
from snowetl.storage.s3 import S3FileSystem
from snowetl.storage.splits import Split, plan, read
from tests.storage.conftest import BUCKET

_random = random.Random(1)
LINES = "".join(f"line {number} {_random.random()}\n" for number in range(40_000)).encode()
OTHER = LINES[::-1]


@pytest.fixture(params=["local", "s3", pytest.param("hdfs", marks=pytest.mark.slow)])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[FileSystem, str]:
    if request.param == "s3":
        files: S3FileSystem = request.getfixturevalue("s3")
        return files, f"s3://{BUCKET}/in"
    if request.param == "hdfs":
        return HdfsFileSystem(), f"{request.getfixturevalue('hdfs')}{tmp_path}/in"
    return LocalFileSystem(), str(tmp_path / "in")


def lines(splits: list[Split], files: FileSystem) -> int:
    return sum(1 for split in splits for piece in split.slices for _ in read(piece, binary=False, fs=files))


CHANGES: dict[str, Callable[[FileSystem, str, bytes], None]] = {
    "shrunk": lambda files, url, data: files.put(url, data[:-100]),
    "grown": lambda files, url, data: files.put(url, data + data[:100]),
    "replaced by one of the same size": lambda files, url, data: files.put(url, data[:-1] + b"?"),
    "vanished": lambda files, url, _: files.delete_tree(url),
    "emptied": lambda files, url, _: files.put(url, b""),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["a.log", "a.log.gz"])
def test_L11_a_file_that_changed_between_listing_and_reading(
    storage: tuple[FileSystem, str], name: str, change: str
) -> None:
    files, folder = storage
    data = igzip.compress(LINES) if name.endswith(".gz") else LINES
    files.put(f"{folder}/{name}", data)
    splits = plan(files.list(folder), binary=False, target_bytes=len(LINES) // 3, fs=files)
    assert lines(splits, files) == 40_000
    CHANGES[change](files, f"{folder}/{name}", data)
    with pytest.raises(StorageError, match=rf"in/{name} (was|has) .* since it was listed"):
        lines(splits, files)


def test_L11_a_file_that_is_truncated_while_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_bytes(LINES * 4)
    files = LocalFileSystem()
    (split,) = plan(files.list(str(tmp_path)), binary=False, fs=files)
    records = read(split.slices[0], binary=False, fs=files)
    next(records)
    os.truncate(file, len(LINES) * 2)
    with pytest.raises(StorageError, match=r"a\.log has shrunk"):
        list(records)


def test_L11_a_split_carries_what_was_listed(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LINES)
    files = LocalFileSystem()
    (listed,) = files.list(str(tmp_path))
    (split,) = plan([listed], binary=False, fs=files)
    assert Split.from_json(split.to_json()).slices[0].file == listed._replace(modified=0)


def test_H7_a_link_loop_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/deep/a.log").write_bytes(b"a\n")
    (tmp_path / "in/deep/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/self").symlink_to("self")
    assert [info.url for info in LocalFileSystem().list(str(tmp_path / "in"))] == [str(tmp_path / "in/deep/a.log")]


def test_H7_a_file_is_read_once_whatever_links_to_it(tmp_path: Path) -> None:
    (tmp_path / "in/z").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/b.log").write_bytes(b"b\n")
    (tmp_path / "in/z/a.log").write_bytes(b"a\n")
    (tmp_path / "in/a-link.log").symlink_to(tmp_path / "in/z/a.log")
    (tmp_path / "in/y").symlink_to(tmp_path / "in/z")
    (tmp_path / "in/mounted").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/mounted-again").symlink_to(tmp_path / "elsewhere")
    names = [os.path.relpath(info.url, tmp_path / "in") for info in LocalFileSystem().list(str(tmp_path / "in"))]
    assert names == ["mounted-again/b.log", "z/a.log"]
    names = [os.path.relpath(info.url, tmp_path) for info in LocalFileSystem().list(str(tmp_path / "in/*.log"))]
    assert names == ["in/a-link.log"]


def test_H7_a_file_of_several_names_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "b.log").write_bytes(b"b\n")
    (tmp_path / "c.log").hardlink_to(tmp_path / "b.log")
    (tmp_path / "a.log").symlink_to(tmp_path / "c.log")
    (tmp_path / "d.log").write_bytes(b"b\n")  # the same content is another file
    assert [Path(info.url).name for info in LocalFileSystem().list(str(tmp_path))] == ["b.log", "d.log"]
