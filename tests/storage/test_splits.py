from __future__ import annotations

import base64
import gzip
import json
import pickle
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.errors import UsageError
from snowetl.storage import FileInfo, lzop_writer
from snowetl.storage.local import LocalFileSystem
from snowetl.storage.records import Damage, Record
from snowetl.storage.splits import Plan, Slice, Split, cut, plan, read, target_for
from tests.examples import examples
from tests.storage.helpers import split_lines, thrift_records

FILES = LocalFileSystem()


def planned(folder: Path, *, binary: bool = False, target: int = 1000) -> Plan:
    return plan(FILES.list(str(folder)), binary=binary, target_bytes=target, fs=FILES)


def everything(splits: Plan, *, binary: bool = False) -> list[Record | Damage]:
    return [item for split in splits for piece in split.slices for item in read(piece, binary=binary)]


def infos(*sizes: int, extension: str = ".gz") -> list[FileInfo]:
    return [FileInfo(f"/in/{number:03}{extension}", size, "") for number, size in enumerate(sizes)]


def test_small_files_are_grouped_and_large_ones_stand_alone() -> None:
    splits = plan(infos(400, 400, 400, 5000, 100, 1000, 0, 1), binary=False, target_bytes=1000, fs=FILES)
    assert [[piece.url[4:7] for piece in split.slices] for split in splits] == [
        ["000", "001"],
        ["002"],
        ["003"],
        ["004"],
        ["005"],
        ["007"],
    ]
    assert [split.index for split in splits] == list(range(6))


def test_the_order_does_not_depend_on_the_listing() -> None:
    files = infos(*range(1, 300, 7))
    shuffled = random.Random(1).sample(files, len(files))
    assert plan(files, binary=False, fs=FILES) == plan(shuffled, binary=False, fs=FILES)


def test_splits_travel_as_pickle_and_json() -> None:
    splits = plan(infos(1, 2000, 3), binary=False, target_bytes=1000, fs=FILES)
    assert pickle.loads(pickle.dumps(list(splits))) == list(splits)
    assert [Split.from_json(json.loads(json.dumps(split.to_json()))) for split in splits] == splits


def test_plans_travel_with_what_they_ignore() -> None:
    files = [*infos(5), *infos(7, extension=".zip"), *infos(7, extension=".lzo.index")]
    splits = plan(files, binary=True, fs=FILES)
    assert [(left.url, left.size, left.reason) for left in splits.ignored] == [
        ("/in/000.zip", 7, "zip archive: not an input format")
    ]
    assert len(splits) == 1
    again = pickle.loads(pickle.dumps(splits))
    assert (list(again), again.ignored) == (list(splits), splits.ignored)


@examples(0.4)
@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"some text", b"x", b"\xc3\xa9"]), max_size=200).map(b"".join),
    st.integers(1, 300),
)
def test_ranges_of_a_plain_file_deliver_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, target: int
) -> None:
    path = tmp_path_factory.mktemp("plain") / "a.txt"
    path.write_bytes(data)
    splits = planned(path, target=target)
    records = everything(splits)
    assert [record.data for record in records] == [line.decode() for line in split_lines(data)]
    assert records == everything(planned(path, target=1 << 30))
    assert len(splits) == -(-len(data) // target)


def test_ranges_are_equal_in_size(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"line\n" * 1000)
    parts = [split.slices[0] for split in planned(tmp_path, target=2000)]
    assert [(part.start, part.end) for part in parts] == [(0, 1666), (1666, 3333), (3333, None)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "blocks", "base64"])
@pytest.mark.parametrize("target", [3000, 20_000, 1 << 30])
def test_runs_of_lzop_blocks_deliver_every_record_once(tmp_path: Path, kind: str, target: int) -> None:
    thrift = thrift_records(2000)
    lines = [b"%d some line of text" % (i * i) for i in range(9000)]
    content, expected = {
        "text": (b"\r\n".join(lines), [line.decode() for line in lines]),
        "blocks": (lzop_writer.record_blocks(thrift), thrift),
        "base64": (b"".join(base64.b64encode(record) + b"\n" for record in thrift), thrift),
    }[kind]
    packed, index = lzop_writer.compress(content, block_size=5000)
    binary = kind != "text"
    (tmp_path / "a.lzo").write_bytes(packed)
    unsplit = planned(tmp_path, binary=binary, target=target)
    assert len(unsplit) == 1
    assert [item.data for item in everything(unsplit, binary=binary)] == expected
    (tmp_path / "a.lzo.index").write_bytes(index)
    splits = planned(tmp_path, binary=binary, target=target)
    assert everything(splits, binary=binary) == everything(unsplit, binary=binary)
    assert len(splits) == 1 or len(splits) > len(packed) // target // 2
    assert (len(splits) > 1) == (len(packed) > target)


def test_an_index_of_another_file_is_not_trusted(tmp_path: Path) -> None:
    content = b"".join(b"%d some line\n" % (i * i) for i in range(9000))
    packed, index = lzop_writer.compress(content, block_size=5000)
    for other in (index[8:], index[:-16], index[:80] + index[88:], lzop_writer.compress(content[:50_000] * 2)[1], b"x"):
        (tmp_path / "a.lzo").write_bytes(packed)
        (tmp_path / "a.lzo.index").write_bytes(other)
        splits = planned(tmp_path, target=3000)
        assert [item.data for item in everything(splits)] == content.decode().splitlines()


def test_damage_in_one_run_of_blocks_leaves_the_others_whole(tmp_path: Path) -> None:
    records = thrift_records(3000)
    packed, index = lzop_writer.compress(lzop_writer.record_blocks(records), block_size=5000)
    broken = bytearray(packed)
    broken[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    (tmp_path / "a.lzo").write_bytes(bytes(broken))
    (tmp_path / "a.lzo.index").write_bytes(index)
    items = everything(planned(tmp_path, binary=True, target=20_000), binary=True)
    got = [item.data for item in items if isinstance(item, Record)]
    assert len(got) >= len(records) - 200
    assert set(got) <= set(records)
    assert any(isinstance(item, Damage) and item.url.endswith("a.lzo") for item in items)


def test_what_a_file_is_its_content_says(tmp_path: Path) -> None:
    contents = {
        "no-extension": gzip.compress(b"a\n"),
        "plain.gz": b"b\n",
        "text.log": b"c\n",
        "x.lzo": lzop_writer.compress(b"d\n")[0],
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    assert [item.data for item in everything(planned(tmp_path))] == ["a", "b", "c", "d"]


def test_what_is_no_input_at_all_is_damage_naming_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"\x00\x01binary")
    (tmp_path / "b").write_bytes(b"PAR1....")
    (tmp_path / "c.txt").write_bytes(b"fine\n")
    damaged, parquet, fine = everything(planned(tmp_path))
    assert isinstance(damaged, Damage)
    assert damaged.reason.startswith("no gzip file, though its name says so: it begins with 00 01")
    assert isinstance(parquet, Damage)
    assert parquet.reason == "this is a Parquet file, which is not read; unpack or convert it"
    assert fine == Record("fine", 0)


def test_large_files_of_unknown_kind_are_looked_at_before_they_are_cut(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(random.Random(1).randbytes(9000)))
    (tmp_path / "b.log").write_bytes(b"".join(record + b"\n" for record in thrift_records(99)))
    (tmp_path / "c").write_bytes(b"PK\x03\x04" + b"x" * 5000)
    assert [split.slices[0].container for split in planned(tmp_path, binary=True)] == ["whole"] * 3
    assert len(planned(tmp_path / "b.log")) > 5


def test_a_file_that_is_gone_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"cannot read /nowhere/x.gz: no such file"):
        list(read(Slice("/nowhere/x.gz"), binary=False))


@pytest.mark.parametrize(
    ("total", "asked", "target"),
    [
        (0, 64 << 20, 64 << 20),
        (2_000 * (64 << 20), 64 << 20, 64 << 20),
        (4_000 * (64 << 20), 64 << 20, 128 << 20),
        (10 * 10**12, 64 << 20, 1 << 30),
        (10 * 10**12, 2 << 30, 2 << 30),
    ],
)
def test_large_inputs_are_cut_into_larger_splits(total: int, asked: int, target: int) -> None:
    assert target_for(total, asked) == target


def test_splits_come_while_files_are_still_named() -> None:
    named: list[int] = []

    def files() -> Iterator[FileInfo]:
        for number in range(1_000):
            named.append(number)
            yield FileInfo(f"s3://bucket/{number:04d}.gz", 10, "e")

    first = next(cut(files(), lambda left: None, binary=False, target_bytes=100))
    assert len(first.slices) == 10
    assert len(named) == 11
