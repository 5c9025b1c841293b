from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.storage import structs
from snowetl.storage.pieces import Piece
from snowetl.storage.records import Damage, Record
from snowetl.storage.structs import read_records
from snowetl.storage.thrift_walk import Incomplete, Malformed, struct_end
from tests.storage.helpers import thrift_record, thrift_records

EVERY_TYPE = (
    b"\x02\0\1\1" + b"\x03\0\2\7" + b"\x04\0\3" + b"8 bytes!" + b"\x06\0\4" + b"2b" + b"\x08\0\5" + b"4 by"
    + b"\x0a\0\6" + b"8 bytes?" + b"\x0b\0\7\0\0\0\3abc" + b"\x0c\0\x08" + b"\x0b\0\1\0\0\0\1x\0"
    + b"\x0d\0\x09\x0b\x08\0\0\0\1" + b"\0\0\0\1k" + b"4byt" + b"\x0e\0\x0a\x06\0\0\0\2" + b"abcd"
    + b"\x0f\0\x0b\x0c\0\0\0\2" + b"\0" + b"\x02\0\1\0\0" + b"\x0d\0\x0c\0\0\0\0\0\0" + b"\0"
)  # fmt: skip


def pieces(data: bytes, size: int) -> Iterator[Piece]:
    for start in range(0, len(data), size):
        yield Piece(start, data[start : start + size])


def read(data: bytes, size: int = 1 << 18) -> list[bytes | str]:
    items = list(read_records(pieces(data, size), "f"))
    assert all(isinstance(item, Record) for item in items)
    return [item.data for item in items]


def test_a_struct_with_every_type_is_walked_to_its_end() -> None:
    assert struct_end(EVERY_TYPE + b"more") == len(EVERY_TYPE)
    assert struct_end(b"\0") == 1
    for length in range(len(EVERY_TYPE)):
        with pytest.raises(Incomplete):
            struct_end(EVERY_TYPE[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\0\1x\0",
        b"\xff\0\1x\0",
        b"\x10\0\1x\0",
        b"\x0b\0\1\xff\xff\xff\xff\0",
        b"\x0b\0\1\x7f\xff\xff\xff\0",
        b"\x0f\0\1\x0b\xff\xff\xff\xff\0",
        b"\x0f\0\1\x01\0\0\0\1\0",
        b"\x0f\0\1\x0b\x7f\xff\xff\xff" + b"\0" * 100,
        b"\x0c\0\1" * 1000,
        b"\x0f\0\1" + b"\x0f\0\0\0\1" * 1000,
    ],
)
def test_what_is_no_struct_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        struct_end(data)


@given(st.integers(1, 40), st.integers(1, 600))
def test_records_with_line_ends_in_them_are_told_apart(count: int, size: int) -> None:
    records = thrift_records(count)
    data = b"".join(record + b"\n" for record in records)
    assert read(data, size) == records
    assert read(data[:-1], size) == records
    numbers = [item.number for item in read_records(pieces(data, size), "f") if isinstance(item, Record)]
    assert numbers == [sum(len(record) + 1 for record in records[:i]) for i in range(count)]


def test_a_record_that_is_no_struct_comes_as_it_is_up_to_the_next_struct() -> None:
    good = thrift_records(4)
    for junk in (b"\x6d\xa7", b"junk\0\n\0\njunk", b"\x0b\0\1\x7f\xff\xff\xffabc", b"{}", b"\x0a\0", good[0][:-9]):
        stream = good[0] + b"\n" + junk + b"\0\n" + good[1] + b"\n" + good[2] + b"\n"
        got = read(stream)
        assert got[0] == good[0]
        assert got[-2:] == good[1:3] or got[-1:] == good[2:3]
        assert b"".join(map(bytes, got)).replace(b"\n", b"") == stream.replace(b"\n", b"")  # type: ignore[arg-type]


def test_a_truncated_last_record_comes_as_it_is() -> None:
    records = thrift_records(3)
    stream = b"".join(record + b"\n" for record in records)
    assert read(stream[:-20]) == [*records[:2], records[2][:-19]]


def test_damage_at_any_byte_never_raises_and_loses_no_byte() -> None:
    records = thrift_records(6)
    stream = b"".join(record + b"\n" for record in records)
    for place in range(len(stream)):
        broken = stream[:place] + bytes([stream[place] ^ 0x21]) + stream[place + 1 :]
        got = read(broken)
        assert sum(map(len, got)) >= len(stream) - len(got) - 1
        before = sum(stream.find(record) + len(record) < place for record in records)
        assert got[:before] == records[:before]


def test_a_gap_keeps_what_was_read_of_the_record() -> None:
    one, two = thrift_records(2)
    gap = Damage("f", 5, "broken")
    items = list(read_records(iter([Piece(0, one + b"\n" + two[:9]), gap, Piece(100, two + b"\n")]), "f"))
    assert items == [Record(one, 0), gap._replace(data=two[:9]), Record(two, 100)]


def test_too_many_bytes_that_are_no_record_are_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structs, "MAX_RECORD_BYTES", 1000)
    items = list(read_records(pieces(b"\x01" * 600_000, 1000), "f"))
    assert len(items) >= 1
    assert isinstance(items[0], Damage)


@given(st.lists(st.sampled_from([b"\0\n", b"\x0b\0\1\0\0\0\2ab", b"\x0c\0\1", b"\0", b"\n", b"\x0a\0\1", b"xyz"])))
def test_any_bytes_never_raise_and_none_is_lost(parts: list[bytes]) -> None:
    data = b"".join(parts)
    got = b"".join(map(bytes, read(data, 5)))  # type: ignore[arg-type]
    assert got.replace(b"\n", b"") == data.replace(b"\n", b"")


def test_large_records_stay_cheap() -> None:
    big = thrift_record([(340, struct.pack(">i", 7) * 2_000_000)])
    assert read((big + b"\n") * 3) == [big] * 3
