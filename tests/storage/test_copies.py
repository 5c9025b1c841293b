"""Copies that are verified: within S3, within this machine, and between."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from snowetl.errors import StorageError
from snowetl.storage import copies, filesystem
from snowetl.storage.base import FileInfo
from snowetl.storage.copies import copy_verified
from snowetl.storage.s3 import S3FileSystem
from tests.storage.conftest import BUCKET

Place = Callable[[str], str]


@pytest.fixture(params=["local to local", "local to s3", "s3 to local", "s3 to s3"])
def places(request: pytest.FixtureRequest, s3: S3FileSystem, tmp_path: Path) -> tuple[Place, Place]:
    kinds: dict[str, Place] = {"local": lambda name: f"{tmp_path}/{name}", "s3": lambda name: f"s3://{BUCKET}/{name}"}
    first, second = request.param.split(" to ")
    return kinds[first], kinds[second]


def listed(url: str) -> FileInfo:
    file = filesystem(url).info(url)
    assert file is not None
    return file


def put(url: str, data: bytes) -> FileInfo:
    filesystem(url).put(url, data)
    return listed(url)


def test_once(places: tuple[Place, Place]) -> None:
    here, there = places
    file = put(here("in/a[1] {b}*?+ü"), b"content")
    assert copy_verified(file, there("out/_x/a[1] {b}*?+ü"))
    assert filesystem(there("x")).get(there("out/_x/a[1] {b}*?+ü")) == b"content"
    assert not copy_verified(file, there("out/_x/a[1] {b}*?+ü"))
    assert filesystem(here("x")).get(file.url) == b"content"


def test_an_empty_file(places: tuple[Place, Place]) -> None:
    here, there = places
    assert copy_verified(put(here("in/a"), b""), there("out/a"))
    assert listed(there("out/a")).size == 0


@pytest.mark.parametrize("other", [b"another", b"longer than it"])
def test_what_is_there_is_not_replaced(places: tuple[Place, Place], other: bytes) -> None:
    here, there = places
    file = put(here("in/a"), b"content")
    put(there("out/a"), other)
    with pytest.raises(StorageError, match="is there already, and is not what"):
        copy_verified(file, there("out/a"))
    assert filesystem(there("x")).get(there("out/a")) == other


@pytest.mark.parametrize("later", [b"another", b"longer than it", None])
def test_what_is_not_as_it_was_listed_is_not_copied(places: tuple[Place, Place], later: bytes | None) -> None:
    here, there = places
    file = put(here("in/a"), b"content")
    if later is None:
        filesystem(file.url).delete_tree(file.url)
    else:
        put(file.url, later)
    with pytest.raises(StorageError, match="in/a (was replaced|was written to|has vanished|has grown)"):
        copy_verified(file, there("out/a"))
    assert not filesystem(there("x")).exists(there("out/a"))


def test_a_copy_that_differs_is_named(places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = places
    file = put(here("in/a"), b"content")

    def damaged(*_: object) -> None:
        put(there("out/a"), b"c0ntent")

    monkeypatch.setattr(copies, "_copy", damaged)
    monkeypatch.setattr(copies, "_copy_within_s3", damaged)
    with pytest.raises(StorageError, match="out/a is not what .*in/a is, although it was copied from there: delete it"):
        copy_verified(file, there("out/a"))


def test_objects_that_were_written_in_parts(s3: S3FileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their ETags are not those of their bytes: the copy's differs where its parts do."""
    url = f"s3://{BUCKET}/in/large"
    staged = s3.stage(url)
    for number in range(18):
        staged.write(bytes([number]) * (1 << 20))
    s3.commit(staged.close())
    file = listed(url)
    assert file.etag.endswith("-3")
    read: list[str] = []
    digest = copies._digest
    monkeypatch.setattr(copies, "_digest", lambda *given: read.append(given[1]) or digest(*given))
    assert copy_verified(file, f"s3://{BUCKET}/out/whole")
    monkeypatch.setattr(copies, "ONE_REQUEST", 6 << 20)
    monkeypatch.setattr(copies, "PART", 6 << 20)
    assert copy_verified(file, f"s3://{BUCKET}/out/parts")
    assert not copy_verified(file, f"s3://{BUCKET}/out/parts")
    copied = listed(f"s3://{BUCKET}/out/parts")
    assert (copied.size, copied.etag.endswith("-3")) == (file.size, True)
    assert copied.etag != file.etag
    assert read == [url, f"s3://{BUCKET}/out/whole", *[url, copied.url] * 2]
    put(f"s3://{BUCKET}/out/other", bytes(file.size))
    with pytest.raises(StorageError, match="is there already"):
        copy_verified(file, f"s3://{BUCKET}/out/other")


def test_a_copy_in_parts_that_fails_leaves_no_upload(s3: S3FileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(f"s3://{BUCKET}/in/large", bytes(7 << 20))
    monkeypatch.setattr(copies, "ONE_REQUEST", 6 << 20)
    monkeypatch.setattr(copies, "PART", 6 << 20)

    def fails(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3")

    client: Any = vars(filesystem(file.url))["_clients"][os.getpid()]
    monkeypatch.setattr(client, "upload_part_copy", fails)
    with pytest.raises(StorageError, match="cannot write s3://.*/out/large"):
        copy_verified(file, f"s3://{BUCKET}/out/large")
    assert not s3.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def test_checksums_of_the_whole_object_show_that_two_are_equal() -> None:
    """Where keys of KMS make ETags differ, S3's own checksum does not."""
    same = {"ContentLength": 7, "ChecksumType": "FULL_OBJECT", "ChecksumCRC64NVME": "AAA="}
    heads = {"in": same | {"ETag": '"1"'}, "out": same | {"ETag": '"2"'}, "other": same | {"ETag": '"3"'}}
    heads["other"] |= {"ChecksumCRC64NVME": "BBB="}
    heads["parts"] = same | {"ETag": '"4"', "ChecksumType": "COMPOSITE"}

    class Client:
        def head_object(self, Bucket: str, Key: str, ChecksumMode: str) -> dict[str, object]:  # noqa: N803 (as boto3)
            return heads[Key]

    file = FileInfo("s3://b/in", 7, "1")
    assert copies._is_same(Client(), file, "s3://b/out")
    assert copies._checksums(heads["parts"]) == {}
    assert copies._checksums(heads["in"]).items().isdisjoint(copies._checksums(heads["other"]).items())
