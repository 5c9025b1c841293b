from __future__ import annotations

import gzip
import json
import pickle
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from snowetl.errors import StorageError, UsageError
from snowetl.storage import filesystem, s3_streams
from snowetl.storage.records import Record
from snowetl.storage.s3 import S3FileSystem
from snowetl.storage.splits import plan, read
from tests.storage.conftest import BUCKET, FaultyProxy

BASE = f"s3://{BUCKET}"


@pytest.fixture
def through_proxy(s3: S3FileSystem, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3FileSystem]:
    """A second client of the same bucket, by way of the proxy."""
    monkeypatch.setenv("SNOWETL_S3_ENDPOINT", proxy.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "4")
    monkeypatch.setattr(s3_streams, "_FIRST_PAUSE", 0.01)
    yield S3FileSystem()


def names(files: S3FileSystem, pattern: str) -> list[str]:
    return [info.url.removeprefix(f"{BASE}/") for info in files.list(pattern)]


def test_all_s3_schemes_are_one_storage() -> None:
    assert type(filesystem("s3://b/k")) is type(filesystem("s3a://b/k")) is type(filesystem("S3N://b/k"))


def test_listing_files_folders_and_globs(s3: S3FileSystem) -> None:
    for key in ("in/a.gz", "in/b.txt", "in/deep/c.gz", "in/_SUCCESS", "in/.x", "in/_tmp/d.gz", "in/e/", "inn/f.gz"):
        s3.put(f"{BASE}/{key}", key.encode())
    assert names(s3, f"{BASE}/in") == names(s3, f"{BASE}/in/") == ["in/a.gz", "in/b.txt", "in/deep/c.gz"]
    assert names(s3, BASE) == ["in/a.gz", "in/b.txt", "in/deep/c.gz", "inn/f.gz"]
    assert names(s3, f"{BASE}/in/a.gz") == ["in/a.gz"]
    assert names(s3, f"{BASE}/in/*.gz") == ["in/a.gz"]
    assert names(s3, f"{BASE}/in*/*.gz") == ["in/a.gz", "inn/f.gz"]
    assert names(s3, f"{BASE}/in/{{b.txt,deep}}") == ["in/b.txt", "in/deep/c.gz"]
    assert names(s3, f"{BASE}/nothing/*") == []
    info = s3.list(f"s3a://{BUCKET}/in/a.gz")[0]
    assert info.url == f"s3a://{BUCKET}/in/a.gz"
    assert info == s3.list(f"s3a://{BUCKET}/in/a*")[0]
    assert info.size == 7
    assert len(info.etag) == 32


def test_listing_goes_through_all_pages(s3: S3FileSystem) -> None:
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for number in range(1100):
        backend.put_object(BUCKET, f"many/{number:05}", b"x")
    assert len(s3.list(f"{BASE}/many")) == 1100
    assert len(s3.list(f"{BASE}/many/*7")) == 110
    s3.delete_tree(f"{BASE}/many")
    assert not s3.exists(f"{BASE}/many")


def test_folders_are_named_without_what_lies_in_them(s3: S3FileSystem) -> None:
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for number in range(1_200):
        for name in ("a", "deep/b"):
            backend.put_object(BUCKET, f"runs/run={number:05}/{name}", b"x")
    assert [*s3.folders(f"{BASE}/runs/")] == [f"run={number:05}" for number in range(1_200)]
    assert [*s3.folders(f"{BASE}/nowhere")] == []
    s3.delete_tree(f"{BASE}/runs")
    assert not s3.exists(f"{BASE}/runs")


def test_many_uploads_are_aborted_at_once(s3: S3FileSystem) -> None:
    for number in range(150):
        s3.client.create_multipart_upload(Bucket=BUCKET, Key=f"run=1/{number}")
    s3.sweep(f"{BASE}/run=1")
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=BUCKET)


def test_walking_gives_keys_in_the_order_of_addresses(s3: S3FileSystem) -> None:
    keys = ["w/a/b", "w/a.txt", "w/a-/y", "w/é", "w/😀", "w/￮"]
    for key in keys:
        s3.put(f"{BASE}/{key}", b"x")
    assert [file.url for file in s3.walk(f"{BASE}/w")] == sorted(f"{BASE}/{key}" for key in keys)
    assert [*s3.walk(f"{BASE}/w/{{a*,?}}")] == [*s3.walk(f"{BASE}/w")]


def test_what_is_not_there_is_a_usage_error(s3: S3FileSystem) -> None:
    with pytest.raises(UsageError, match=r"there is nothing at s3://storage-tests/x; check"):
        s3.list(f"{BASE}/x")
    with pytest.raises(UsageError, match=r"cannot read s3://storage-tests/x: there is no such object"):
        s3.get(f"{BASE}/x")
    for call in (s3.list, s3.get, s3.exists):
        with pytest.raises(UsageError, match=r"s3://no-such-bucket-here/x: there is no such bucket; check its name"):
            call("s3://no-such-bucket-here/x")
    with pytest.raises(UsageError, match="no such bucket"):
        s3.stage("s3://no-such-bucket-here/x")
    with pytest.raises(UsageError, match="names no bucket"):
        s3.list("s3:///x")
    with pytest.raises(UsageError, match="not a valid bucket"):
        s3.get("s3://not a bucket/x")


def test_an_endpoint_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, aws: None) -> None:
    monkeypatch.setenv("SNOWETL_S3_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match=r"127.0.0.1:9.*check the network, AWS_REGION and AWS_ENDPOINT_URL_S3"):
        S3FileSystem().list(f"{BASE}/x")


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch, aws: None) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(UsageError, match="no AWS credentials found; set AWS_ACCESS_KEY_ID"):
        S3FileSystem().list(f"{BASE}/x")


def test_ranges(s3: S3FileSystem) -> None:
    url = f"{BASE}/ten"
    s3.put(url, b"0123456789")
    assert s3.open(url).read() == b"0123456789"
    assert s3.open(url, 3).read() == b"3456789"
    assert s3.open(url, 3, 5).read() == b"34"
    assert s3.open(url, 8, 50).read() == b"89"
    assert s3.open(url, 5, 5).read() == b""
    assert s3.open(url, 10).read() == b""
    s3.put(url, b"")
    assert s3.open(url).read() == b""


@pytest.mark.parametrize("size", [0, 5, 8 << 20, 20_000_000])
def test_staged_files_are_invisible_until_committed(s3: S3FileSystem, size: int) -> None:
    url = f"{BASE}/out/run=1/part-0"
    data = random.Random(size).randbytes(size)
    staged = s3.stage(url)
    for start in range(0, size, 700_001):
        staged.write(data[start : start + 700_001])
    token = staged.close()
    assert not s3.exists(url)
    assert not s3.exists(f"{BASE}/out")
    assert len(token) < 1000
    pickle.loads(pickle.dumps(s3)).commit(token)
    assert s3.get(url) == data
    s3.commit(token)
    s3.abort(token)
    assert s3.get(url) == data


def test_aborted_files_are_gone(s3: S3FileSystem) -> None:
    staged = s3.stage(f"{BASE}/x")
    staged.write(b"x" * (9 << 20))
    staged.abort()
    staged.abort()
    token = s3.stage(f"{BASE}/x").close()
    s3.abort(token)
    s3.abort(token)
    assert not s3.exists(f"{BASE}/x")
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=BUCKET)


def test_the_parts_of_very_large_files_grow(s3: S3FileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_streams, "_PARTS_OF_A_SIZE", 1)
    staged = s3.stage(f"{BASE}/x")
    for _ in range(60):
        staged.write(b"x" * 1_000_000)
    token = staged.close()
    assert len(json.loads(token)["parts"]) == 4  # 8 + 16 + 32 MiB and the rest
    s3.commit(token)
    assert s3.get(f"{BASE}/x") == b"x" * 60_000_000


def test_put_replaces_and_exclusive_does_not(s3: S3FileSystem) -> None:
    url = f"{BASE}/lock"
    assert s3.create_exclusive(url, b"1")
    assert not s3.create_exclusive(url, b"1")
    assert s3.get(url) == b"1"
    s3.put(url, b"3")
    assert s3.get(url) == b"3"


def test_delete_tree_aborts_open_uploads_but_touches_no_neighbours(s3: S3FileSystem) -> None:
    s3.put(f"{BASE}/run=1/a", b"")
    s3.put(f"{BASE}/run=10/a", b"")
    for name in ("run=1/b", "run=1", "run=10/b"):
        s3.stage(f"{BASE}/{name}").close()
    s3.delete_tree(f"{BASE}/run=1")
    s3.delete_tree(f"{BASE}/run=1")
    assert names(s3, BASE) == ["run=10/a"]
    uploads = s3.client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [upload["Key"] for upload in uploads] == ["run=10/b"]
    s3.sweep(f"{BASE}/run=10")
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=BUCKET)
    assert names(s3, BASE) == ["run=10/a"]
    with pytest.raises(UsageError, match="refusing to delete the whole bucket"):
        s3.delete_tree(BASE)


def test_passing_503s_are_survived(s3: S3FileSystem, through_proxy: S3FileSystem, proxy: FaultyProxy) -> None:
    seen: dict[str, int] = {}

    def every_request_fails_first(request: str) -> str | None:
        seen[request] = seen.get(request, 0) + 1
        return "503" if seen[request] == 1 else None

    proxy.fault = every_request_fails_first
    url = f"{BASE}/f/x"
    staged = through_proxy.stage(url)
    staged.write(b"data")
    through_proxy.commit(staged.close())
    assert through_proxy.get(url) == b"data"
    assert names(through_proxy, f"{BASE}/f/*") == ["f/x"]
    assert through_proxy.create_exclusive(f"{BASE}/lock", b"1")
    through_proxy.delete_tree(f"{BASE}/f")
    assert names(s3, BASE) == ["lock"]


def test_a_storage_that_stays_down_is_an_error_that_names_it(through_proxy: S3FileSystem, proxy: FaultyProxy) -> None:
    proxy.fault = lambda request: "503"
    with pytest.raises(StorageError, match=r"cannot read s3://storage-tests/x: .*503.*again"):
        through_proxy.get(f"{BASE}/x")


def test_cut_connections_are_taken_up_where_they_broke(
    s3: S3FileSystem, through_proxy: S3FileSystem, proxy: FaultyProxy
) -> None:
    data = random.Random(5).randbytes(5_000_000)
    s3.put(f"{BASE}/big", data)
    proxy.fault = lambda request: 1_300_000 if request.startswith("GET") else None
    assert through_proxy.get(f"{BASE}/big") == data
    gets = [request for request in proxy.requests if request.startswith("GET")]
    assert 4 <= len(gets) <= 12
    assert through_proxy.open(f"{BASE}/big", 1000, 4_000_000).read() == data[1000:4_000_000]


def test_an_object_replaced_while_it_is_read_is_an_error(
    s3: S3FileSystem, through_proxy: S3FileSystem, proxy: FaultyProxy
) -> None:
    s3.put(f"{BASE}/big", b"a" * 4_000_000)

    def cut_and_replace(request: str) -> int | None:
        return 1_500_000 if request.startswith("GET") else None

    proxy.fault = cut_and_replace
    stream = through_proxy.open(f"{BASE}/big")
    assert stream.read(1000) == b"a" * 1000
    s3.put(f"{BASE}/big", b"b" * 4_000_000)
    with pytest.raises(StorageError, match="was replaced while it was read"):
        stream.read()


def test_a_commit_whose_answer_is_lost_is_a_commit(
    s3: S3FileSystem, through_proxy: S3FileSystem, proxy: FaultyProxy
) -> None:
    staged = through_proxy.stage(f"{BASE}/x")
    staged.write(b"data")
    token = staged.close()
    proxy.fault = lambda request: 0 if request.startswith("POST") else None
    through_proxy.commit(token)
    assert s3.get(f"{BASE}/x") == b"data"


def test_a_lock_whose_answer_is_lost_is_ours(s3: S3FileSystem, through_proxy: S3FileSystem, proxy: FaultyProxy) -> None:
    cuts = iter([0])
    proxy.fault = lambda request: next(cuts, None) if request.startswith("PUT") else None
    assert through_proxy.create_exclusive(f"{BASE}/lock", b"me")
    assert not through_proxy.create_exclusive(f"{BASE}/lock", b"me")


def test_splits_are_read_from_s3_through_faults(
    s3: S3FileSystem, through_proxy: S3FileSystem, proxy: FaultyProxy
) -> None:
    lines = [f"{number} {number * number}" for number in range(200_000)]
    content = "\n".join(lines).encode()
    s3.put(f"{BASE}/in/a.txt", content)
    s3.put(f"{BASE}/in/b.gz", gzip.compress(content))
    counter = iter(range(10_000))
    proxy.fault = lambda request: (None, 400_000, "503")[next(counter) % 3]
    splits = plan(through_proxy.list(f"{BASE}/in/*"), binary=False, target_bytes=1_000_000, fs=through_proxy)
    assert len(splits) > 3
    items = [item for split in splits for piece in split.slices for item in read(piece, binary=False, fs=through_proxy)]
    assert [item.data for item in items if isinstance(item, Record)] == lines * 2


def test_replace_has_one_winner(s3: S3FileSystem) -> None:
    url = f"{BASE}/run/lease"
    assert not s3.replace(url, b"1", b"")  # it is not there
    s3.put(url, b"1")
    assert not s3.replace(url, b"2", b"another")
    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda number: s3.replace(url, f"by {number}".encode(), b"1"), range(6)))
    assert done.count(True) == 1
    assert s3.get(url) == f"by {done.index(True)}".encode()
    assert [info.url for info in s3.list(url.rpartition("/")[0])] == [url]
