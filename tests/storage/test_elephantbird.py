from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.storage import elephantbird, lzop_writer
from snowetl.storage.elephantbird import MARKER, read_records
from snowetl.storage.pieces import Piece
from snowetl.storage.records import Damage, Record

RECORDS = st.lists(st.binary(min_size=1, max_size=40), max_size=450)


def pieces(data: bytes, size: int, start: int = 0) -> Iterator[Piece]:
    for left in range(start, len(data), size):
        yield Piece(left, data[left : left + size])


def block(*blobs: bytes, before: bytes = b"", size: int | None = None) -> bytes:
    """A record block written by hand; ``before`` goes in front of the blobs inside the message."""
    message = before + b"".join(b"\x1a" + bytes([len(blob)]) + blob for blob in blobs)
    return MARKER + (len(message) if size is None else size).to_bytes(4, "little") + message


def read(data: bytes, size: int = 7) -> tuple[list[bytes | str], list[Damage]]:
    items = list(read_records(pieces(data, size), "f"))
    return (
        [item.data for item in items if isinstance(item, Record)],
        [item for item in items if isinstance(item, Damage)],
    )


@given(RECORDS, st.integers(1, 5000))
def test_blocks_are_read_whatever_the_pieces(records: list[bytes], size: int) -> None:
    assert read(lzop_writer.record_blocks(records), size) == (records, [])


@given(RECORDS, st.lists(st.integers(1, 3000), max_size=6), st.integers(1, 500))
def test_parts_deliver_every_record_exactly_once(records: list[bytes], borders: list[int], size: int) -> None:
    data = lzop_writer.record_blocks(records)
    edges = sorted({border for border in borders if border < len(data)})
    got: list[Record | Damage] = []
    for start, end in pairwise([0, *edges, None]):
        assert start is not None
        stop = 1 << 60 if end is None else end
        got += read_records(pieces(data, size, start), "f", skip_first=start > 0, stop=stop)
    assert got == list(read_records(pieces(data, size), "f"))


def test_empty_records_and_unknown_fields_are_passed_over() -> None:
    odd = b"\x08\x01" + b"\x12\x06byte[]" + b"\x21" + b"8 bytes." + b"\x2d" + b"four" + b"\x7a\x02ab" + b"\x98\x01\x05"
    assert read(block(b"one", b"", b"two", before=odd)) == ([b"one", b"two"], [])
    assert read(block() + block(b"x")) == ([b"x"], [])


def test_bytes_between_blocks_are_reported() -> None:
    records, damages = read(block(b"one") + b"junk" + block(b"two") + b"tail")
    assert records == [b"one", b"two"]
    assert [(damage.data, damage.reason.split(" ")[0]) for damage in damages] == [(b"junk", "4"), (b"tail", "4")]


@pytest.mark.parametrize(
    "broken",
    [
        block(b"one", before=b"\x0b"),  # a group
        block(b"one", before=b"\x1a\xff\xff\xff\xff\x0f"),  # longer than the block
        block(b"one", before=b"\xff" * 12),  # a number without end
        block(b"one", size=2),
    ],
)
def test_a_block_that_cannot_be_parsed_is_damage_and_the_next_is_read(broken: bytes) -> None:
    for size in (3, 1000):
        records, damages = read(block(b"a") + broken + block(b"z"), size)
        assert records == [b"a", b"z"]
        assert damages


def test_records_before_the_damage_of_a_block_are_kept() -> None:
    whole = block(b"one", b"two", b"three")
    records, damages = read(whole[:-3])
    assert records == [b"one", b"two"]
    assert len(damages) == 1
    assert damages[0].data == b"\x1a\x05th"
    assert read(whole + whole[:18])[0] == [b"one", b"two", b"three"]
    assert read(whole + whole[:9])[1][0].data == whole[:9]


def test_a_gap_ends_the_block_and_reading_goes_on_at_the_next_marker() -> None:
    one, two = block(b"one", b"two", b"three"), block(b"four")
    gap = Damage("f", 99, "broken")
    items = list(read_records(iter([Piece(0, one[:-3]), gap, Piece(500, b"ree" + two)]), "f"))
    assert items == [Record(b"one", 0), Record(b"two", 1), gap._replace(data=b"\x1a\x05th"), Record(b"four", 503)]


def test_large_records_stay_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    big = b"x" * 5_000_000
    assert read(lzop_writer.record_blocks([big, b"y", big]), 1 << 18)[0] == [big, b"y", big]
    monkeypatch.setattr(elephantbird, "MAX_RECORD_BYTES", 1_000_000)
    records, damages = read(lzop_writer.record_blocks([b"a", big]) + block(b"z"), 1 << 18)
    assert records == [b"a", b"z"]
    assert "a field of 5000000 bytes" in damages[0].reason


@given(st.binary(max_size=400))
def test_any_bytes_behind_a_marker_never_raise(data: bytes) -> None:
    read(MARKER + data)
    read(data + MARKER + data)
