"""A file by its address: no sign in it stands for others."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowetl.storage import filesystem
from snowetl.storage.s3 import S3FileSystem
from tests.storage.conftest import BUCKET


@pytest.fixture(params=["local", "s3"])
def folder(request: pytest.FixtureRequest, s3: S3FileSystem, tmp_path: Path) -> str:
    return str(tmp_path / "in") if request.param == "local" else f"s3://{BUCKET}/info"


@pytest.mark.parametrize("name", ["a", "a[1]", "{a,b}", "a*?", "_a", ".a", "ü +%20"])
def test_it_is_what_a_listing_says(folder: str, name: str) -> None:
    fs = filesystem(folder)
    fs.put(f"{folder}/below/{name}", b"content")
    fs.put(f"{folder}/below/other", b"")
    found = fs.info(f"{folder}/below/{name}")
    assert found is not None
    assert (found.url, found.size) == (f"{folder}/below/{name}", 7)
    listed = {file.url: file for file in fs.list(folder)}
    assert name[0] in "_." or listed[found.url] == found
    fs.delete_tree(folder)


def test_folders_and_what_is_not_there(folder: str) -> None:
    fs = filesystem(folder)
    fs.put(f"{folder}/below/a", b"content")
    for name in ("", "/below", "/below/", "/below/b", "/below/[a]"):
        assert fs.info(f"{folder}{name}") is None
    fs.delete_tree(folder)
