"""What Amazon Data Firehose leaves in a bucket beside data."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from snowetl.storage import FileInfo, Record, filesystem, splits
from snowetl.storage.firehose import undelivered
from snowetl.storage.records import MAX_RECORD_BYTES
from snowetl.storage.structs import unpacked
from tests.collector.samples import thrift_record
from tests.examples import examples
from tests.growth import assert_linear


@pytest.mark.parametrize(
    "url",
    [
        "s3://logs/processing-failed/2026/03/02/08/raw-1-2026-03-02-08-00-00-ab",
        "s3://logs/raw/format-conversion-failed/2026/03/02/08/raw-1",
        "s3://logs/errors/http-endpoint-failed/year=2026/raw-1",
        "s3://logs/errors/type=processing-failed/raw-1.gz",
        "s3://logs/errors-processing-failed-2026/03/raw-1",
        "processing-failed/raw-1",
    ],
)
def test_folders_of_failures_are_known_by_the_kind_of_failure(url: str) -> None:
    assert "what Firehose could not deliver" in (undelivered(url) or "")


@pytest.mark.parametrize(
    "url",
    [
        "s3://logs/errors/2026/03/02/08/raw-1",  # a folder of that name may hold anything
        "s3://logs/reprocessing-failed/raw-1",
        "s3://logs/2026/03/02/08/raw-1-2026-03-02-08-00-00-processing-failed",
        "s3://logs/processing-failedover/raw-1",
    ],
)
def test_other_files_are_data(url: str) -> None:
    assert undelivered(url) is None


def test_layouts_of_folders_and_names(tmp_path: Path) -> None:
    record = thrift_record()
    written = {
        "2026/03/02/08/raw-1-2026-03-02-08-00-00-1f0e": record * 3,
        "2026/03/02/09/raw-1-2026-03-02-09-00-00-2f0e.gz": gzip.compress(record),
        "customer=7/dt=2026-03-02/raw-1-2026-03-02-10-00-00-3f0e": record + b"\n" + record + b"\n",
        "2026-03-02-101530-3f2504e0-4f89-41d3-9a0c-0305e82c3301.gz": gzip.compress(record + b"\n" + record),
        "processing-failed/2026/03/02/08/raw-1": json.dumps({"attemptsMade": 4, "rawData": "CwBk"}).encode(),
    }
    for name, data in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    plan = splits.plan(filesystem(str(tmp_path)).list(str(tmp_path)), binary=True)
    found = [item for split in plan for slice_ in split.slices for item in splits.read(slice_, binary=True)]
    assert [item.data for item in found] == [record] * 8
    assert [Path(file.url).relative_to(tmp_path).parts[0] for file in plan.ignored] == ["processing-failed"]
    assert all(isinstance(file, FileInfo) is False and file.size > 0 for file in plan.ignored)


def test_bare_gzip_and_zstd_records_in_one_file(tmp_path: Path) -> None:
    first, second, third = (thrift_record(querystring=f"e=pv&n={n}") for n in range(3))
    gz, zst = gzip.compress(second + third, mtime=0), zstandard.compress(third + second)
    pieces = [first, gz, zst, first, zst, second, gz, gz, third]
    expected = [first, second, third, third, second, first, third, second, second, second, third, second, third, third]
    for separator in (b"", b"\n"):
        file = tmp_path / "raw"
        file.write_bytes(separator.join(pieces))
        items = list(splits.read(splits.Slice(str(file)), binary=True))
        assert [item.data for item in items] == expected
        numbers = [item.number for item in items if isinstance(item, Record)]
        assert len(set(numbers)) == len(expected)


_MESSAGES = st.lists(st.tuples(st.sampled_from(["bare", "gzip", "zstd"]), st.integers(1, 3)), min_size=1, max_size=8)


@examples(2.0)
@given(messages=_MESSAGES, separator=st.sampled_from([b"", b"\n"]), ends=st.booleans())
def test_messages_of_every_kind_in_any_order(
    messages: list[tuple[str, int]], separator: bytes, ends: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected: list[bytes] = []
    written: list[bytes] = []
    for kind, count in messages:
        records = [thrift_record(querystring=f"e=pv&n={len(expected) + n}") for n in range(count)]
        expected += records
        if kind == "bare":
            written += records
        else:
            written.append(_COMPRESS[kind](b"".join(records)))
    file = tmp_path_factory.getbasetemp() / "messages"
    file.write_bytes(separator.join(written) + separator * ends)
    assert [item.data for item in splits.read(splits.Slice(str(file)), binary=True)] == expected


_COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstandard.compress}


@pytest.mark.slow
def test_a_message_that_unpacks_to_more_than_a_record_may_have(tmp_path: Path) -> None:
    """Anybody can send what compresses well: the other payloads of its batch are read all the same."""
    small = thrift_record()
    large = thrift_record(body="a" * 7_000_000)
    content = b"".join([small, *([large] * 12), small])
    assert len(content) > MAX_RECORD_BYTES
    for compress in _COMPRESS.values():
        file = tmp_path / "raw"
        file.write_bytes(small + compress(content) + small)
        items = list(splits.read(splits.Slice(str(file)), binary=True))
        assert [len(item.data) for item in items] == [len(small), len(small), *([len(large)] * 12), *([len(small)] * 2)]
        assert len({item.number for item in items if isinstance(item, Record)}) == len(items)


def test_a_message_that_grows_beyond_measure_is_one_record(tmp_path: Path) -> None:
    bomb = zstandard.compress(bytes(300_000_000))
    small = thrift_record()
    file = tmp_path / "raw"
    file.write_bytes(small + bomb + small)
    first, *middle, last = list(splits.read(splits.Slice(str(file)), binary=True))
    assert (first.data, last.data) == (small, small)
    assert b"".join(bytes(item.data) for item in middle if isinstance(item.data, bytes)) == bomb


def _behind_lengths(*records: bytes) -> bytes:
    return b"".join(len(record).to_bytes(4, "big") + record for record in records)


@pytest.mark.parametrize("compress", _COMPRESS.values(), ids=_COMPRESS)
def test_records_of_a_message_may_stand_behind_their_lengths(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    first, second = thrift_record(), thrift_record(querystring="e=pp")
    file = tmp_path / "raw"
    message = compress(_behind_lengths(second, first, second))
    for before, after in (([first], [first]), ([], [first]), ([first], []), ([], [])):
        file.write_bytes(b"".join([*before, message, message, *after]))
        found = [item.data for item in splits.read(splits.Slice(str(file)), binary=True)]
        assert found == [*before, *([second, first, second] * 2), *after]


def test_lengths_that_are_none_take_linear_time() -> None:
    head = b"\0\0\x7f\xff\x0b\0\x64\0\0\0\1"
    for piece in (head + b"x", head, head + b"\n", b"\0\0\0\7\x0b\0\x64"):
        assert_linear(lambda size, piece=piece: lambda: list(unpacked(piece * (size // 12), 0, "f")), 400_000)  # type: ignore[misc]


def test_lengths_that_do_not_fit_lose_nothing() -> None:
    record = thrift_record()
    whole = _behind_lengths(record, record)
    for content in (whole[:-1], whole + b"\0", whole[:3] + b"\xff" + whole[4:], whole + record):
        found = [item.data for item in unpacked(content, 0, "f")]
        left = b"".join(bytes(data) for data in found if isinstance(data, bytes))
        assert len(left) >= len(content) - 9
        assert record in found or content.startswith(whole[:3] + b"\xff")
