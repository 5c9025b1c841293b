from __future__ import annotations

import base64
import json
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.storage import lzo1x, lzop, lzop_writer
from snowetl.storage.pieces import Piece
from snowetl.storage.records import Damage
from tests.storage.helpers import read_all, source, thrift_records

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "loaders.jsonl"
ALL_SUMS = lzop.ADLER_CONTENT | lzop.ADLER_STORED | lzop.CRC_CONTENT | lzop.CRC_STORED
TEXT = b"".join(b"%d: some text that comes again and again\n" % (i % 1000) for i in range(20_000))


def content(data: bytes) -> tuple[bytes, list[str]]:
    """(decompressed content, what was wrong)."""
    items = list(lzop.read_blocks(source(data)))
    wrong = [
        item.reason if isinstance(item, Damage) else item.damage.reason for item in items if type(item) is not Piece
    ]
    return b"".join(item.data for item in items if isinstance(item, Piece)), wrong


@pytest.mark.parametrize("flags", [0, lzop.ADLER_CONTENT, lzop.CRC_CONTENT | lzop.HEADER_CRC, ALL_SUMS, 0x03000001])
def test_what_is_written_is_read(flags: int) -> None:
    rng = random.Random(flags)
    data = TEXT + rng.randbytes(300_000) + TEXT[:10]
    packed, index = lzop_writer.compress(data, flags=flags)
    assert content(packed) == (data, [])
    offsets = lzop.read_index(index, len(packed))
    assert len(offsets) == -(-len(data) // lzop_writer.CONTENT_BLOCK)
    assert offsets[0] == 38
    place = source(packed)
    for offset, following in zip(offsets, [*offsets[1:], len(packed) - 4], strict=True):
        place.seek(offset)
        assert lzop.block_end(place, flags) == following


def test_thrift_records_go_through_record_blocks() -> None:
    records = thrift_records(1234)
    packed, index = lzop_writer.write(records)
    assert lzop.records(packed) == records
    assert len(index) == 8 * len(lzop.read_index(index, len(packed)))
    assert lzop.records(lzop_writer.write([])[0]) == []


@pytest.mark.shared
def test_the_shared_container_vectors() -> None:
    if not VECTORS.exists():
        pytest.skip(f"no {VECTORS.name} beside the repository")
    cases = [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]
    for case in (case for case in cases if case["format"] == "container/lzo"):
        expected = [base64.b64decode(record) for record in case["expect"]["records_base64"]]
        assert lzop.records(base64.b64decode(case["input_base64"])) == expected, case["id"]


def test_appended_files_are_read_and_other_bytes_reported() -> None:
    packed, _ = lzop_writer.compress(TEXT)
    assert content(packed * 3) == (TEXT * 3, [])
    assert content(packed[:-4]) == (TEXT, [])
    assert content(packed + b"\0" * 8) == (TEXT, [])
    data, wrong = content(packed + b"tail")
    assert data == TEXT
    assert wrong == ["4 bytes after the lzop data that are not lzop data"]


def header(**changes: int | bytes) -> bytes:
    """A header whose fields can be set; its checksum is right."""
    import zlib

    fields: dict[str, int | bytes] = {
        "version": 0x1010, "library": 0x2060, "needed": 0x0940, "method": 1, "level": 5, "flags": 0,
        "mode": 0, "mtime": 0, "gmtdiff": 0, "name": b"", **changes,
    }  # fmt: skip
    name = fields.pop("name")
    assert isinstance(name, bytes)
    body = struct.pack(">HHHBBIIIIB", *fields.values(), len(name)) + name
    extra = b"\0\0\0\5extra\0\0\0\0" if changes.get("flags") == lzop.EXTRA_FIELD else b""
    return lzop.MAGIC + body + struct.pack(">I", zlib.adler32(body)) + extra


@pytest.mark.parametrize(
    "changes", [{}, {"name": b"some-file.txt"}, {"flags": lzop.EXTRA_FIELD}, {"method": 3, "level": 9}, {"mtime": 1}]
)
def test_headers_that_are_read(changes: dict[str, int]) -> None:
    blocks = lzop_writer.compress(TEXT)[0][38:]
    assert content(header(**changes) + blocks) == (TEXT, [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"library": 0x00FF}, "too old"),
        ({"needed": 0x1011}, "newer lzop"),
        ({"method": 0}, "method 0"),
        ({"method": 128}, "method 128"),
        ({"flags": lzop.MULTIPART}, "not supported"),
        ({"flags": lzop.FILTER}, "not supported"),
        ({"flags": 0x4000}, "not supported"),
    ],
)
def test_headers_that_are_refused(changes: dict[str, int], reason: str) -> None:
    data, wrong = content(header(**changes) + lzop_writer.compress(TEXT)[0][38:])
    assert data == b""
    assert len(wrong) == 1
    assert reason in wrong[0]


def test_a_wrong_header_checksum_is_reported_and_the_file_read() -> None:
    packed = bytearray(lzop_writer.compress(TEXT)[0])
    packed[26] ^= 1
    assert content(bytes(packed)) == (TEXT, ["the lzop header does not have the checksum it claims"])


def test_a_stored_block_larger_than_its_content_is_cut() -> None:
    block = struct.pack(">II", 3, 5) + b"abcde"
    assert content(header() + block + b"\0\0\0\0") == (b"abc", [])


@pytest.mark.parametrize("sizes", [(1 << 31, 5), (5, 1 << 31), (0xFFFFFFFF, 0xFFFFFFFF), ((64 << 20) + 1, 1)])
def test_hostile_sizes_are_refused(sizes: tuple[int, int]) -> None:
    data, wrong = content(header() + struct.pack(">II", *sizes) + b"x" * 100)
    assert data == b""
    assert "no lzop block" in wrong[0]


def test_a_cut_block_header_is_not_believed() -> None:
    assert content(header() + b"\xff\0\0\0") == (b"", ["the file ends in the middle of an lzop block"])


def test_a_block_that_decompresses_to_more_than_it_says_is_cut() -> None:
    from lzallright import LZOCompressor

    packed = LZOCompressor().compress(b"\0" * 5_000_000)
    data, wrong = content(header() + struct.pack(">II", 100_000, len(packed)) + packed + b"\0\0\0\0")
    assert data == b"\0" * 100_000
    assert "broken lzop block" in wrong[0]


def test_a_broken_block_keeps_its_beginning_and_the_next_blocks_follow() -> None:
    packed, index = lzop_writer.compress(TEXT, flags=ALL_SUMS)
    offsets = lzop.read_index(index, len(packed))
    broken = bytearray(packed)
    middle = (offsets[1] + offsets[2]) // 2
    broken[middle : middle + 50] = b"\xff" * 50
    items = list(lzop.read_blocks(source(bytes(broken))))
    numbers = [item.number >> lzop.NUMBER_SHIFT for item in items if isinstance(item, Piece)]
    assert numbers == offsets
    pieces = [item.data for item in items if isinstance(item, Piece)]
    assert pieces[0] == TEXT[: len(pieces[0])]
    assert pieces[2] == TEXT[2 * lzop_writer.CONTENT_BLOCK :][: len(pieces[2])]
    faults = [item for item in items if not isinstance(item, Piece)]
    assert len(faults) == 1


@pytest.mark.parametrize("flags", [0, ALL_SUMS])
def test_damage_at_any_byte_never_raises_nor_loses_what_comes_before(flags: int) -> None:
    records = thrift_records(6)
    blocks = lzop_writer.record_blocks(records)
    packed, index = lzop_writer.compress(blocks, flags=flags, block_size=200)
    offsets = lzop.read_index(index, len(packed))
    for place in range(len(packed)):
        for broken in (packed[:place], packed[:place] + bytes([packed[place] ^ 0x41]) + packed[place + 1 :]):
            got, damages = read_all(broken, binary=True, url="x.lzo")
            if place < offsets[0]:
                continue  # the header decides about everything
            safe = 200 * max(sum(offset <= place for offset in offsets) - 1, 0)
            intact = sum(blocks.find(record) + len(record) <= safe for record in records)
            assert got[:intact] == records[:intact], place
            assert len(broken) < len(packed) or flags == 0 or damages or got == records, place


@given(st.binary(max_size=300), st.integers(0, 2000))
def test_any_bytes_decompress_or_fail_without_raising(data: bytes, size: int) -> None:
    assert len(lzo1x.decompress_prefix(data, size)[0]) <= size
    framed = header() + struct.pack(">II", size + len(data) + 1, len(data)) + data
    content(framed)


@given(st.lists(st.sampled_from([b"a", b"bcd", b"\0" * 40, b"snowplow", bytes(range(256))]), max_size=60))
def test_the_careful_decompressor_agrees_with_the_fast_one(parts: list[bytes]) -> None:
    from lzallright import LZOCompressor

    data = b"".join(parts)
    packed = bytes(LZOCompressor().compress(data))
    assert lzo1x.decompress_prefix(packed, len(data)) == (data, "")
    for cut in range(0, len(packed), 7):
        prefix, wrong = lzo1x.decompress_prefix(packed[:cut], len(data))
        assert data.startswith(prefix)
        assert wrong or not data


def test_an_index_that_cannot_be_right_is_no_index() -> None:
    assert lzop.read_index(struct.pack(">QQ", 38, 100), 1000) == [38, 100]
    assert lzop.read_index(b"", 1000) == []
    assert lzop.read_index(b"\0" * 7, 1000) == []
    assert lzop.read_index(struct.pack(">QQ", 100, 38), 1000) == []
    assert lzop.read_index(struct.pack(">QQ", 38, 1000), 1000) == []
