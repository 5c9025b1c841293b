from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snowetl.storage import lines
from snowetl.storage.framing import read_text
from snowetl.storage.lines import read_lines
from snowetl.storage.pieces import Piece
from snowetl.storage.records import Damage, Record
from tests.examples import examples
from tests.storage.helpers import split_lines

CONTENT = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"bc", b"\xc3\xa9", b"\xff", b""]), max_size=40).map(
    b"".join
)


def pieces_of(data: bytes, cuts: list[int], start: int = 0) -> Iterator[Piece]:
    borders = sorted({start, *(cut for cut in cuts if start < cut < len(data)), len(data)})
    for left, right in pairwise(borders):
        yield Piece(left, data[left:right])


def line_starts(data: bytes) -> list[int]:
    """Where lines begin, by a naive reader."""
    starts, pos = [], 0
    while pos < len(data):
        starts.append(pos)
        line = data[pos:].splitlines(keepends=True)[0]
        pos += len(line)
    return starts


@given(CONTENT, st.lists(st.integers(0, 80)))
def test_all_lines_whatever_the_pieces(data: bytes, cuts: list[int]) -> None:
    got = list(read_lines(pieces_of(data, cuts), "f", bytes))
    assert [record.data for record in got] == split_lines(data)
    assert [record.number for record in got] == line_starts(data)  # type: ignore[union-attr]


@example(b"\r\na\r", [3], [1])
@example(b"a\nbc\n", [3], [1])
@examples(5)
@given(CONTENT, st.lists(st.integers(0, 80), min_size=1), st.lists(st.integers(1, 80)))
def test_parts_deliver_every_line_exactly_once(data: bytes, cuts: list[int], borders: list[int]) -> None:
    edges = sorted({border for border in borders if border < len(data)})
    got = []
    for start, end in zip([0, *edges], [*edges, None], strict=True):
        pieces = pieces_of(data, cuts, start)
        stop = lines.NO_STOP if end is None else end
        got += list(read_lines(pieces, "f", bytes, skip_first=start > 0, stop=stop))
    assert got == list(read_lines(pieces_of(data, []), "f", bytes))


def test_text_is_utf8_as_the_jvm_reads_it() -> None:
    data = b"\xef\xbb\xbfh\xc3\xa9\n\xff\xed\xa0\x80x\n\xef\xbb\xbfkept\x0b\x0c\x1c\xe2\x80\xa8same line"
    got = [record.data for record in read_text(iter([Piece(0, data)]), "f")]
    assert got == ["hé", "\ufffd\ufffdx", "\ufeffkept\x0b\x0c\x1c\u2028same line"]


def test_empty_lines_are_records_and_an_empty_file_has_none() -> None:
    assert [record.data for record in read_text(iter([Piece(0, b"\n\na\n")]), "f")] == ["", "", "a"]
    assert list(read_text(iter([]), "f")) == []


def test_a_gap_keeps_the_head_of_the_cut_line_and_reads_its_rest_as_a_line() -> None:
    gap = Damage("f", 7, "broken")
    got = list(read_lines(iter([Piece(0, b"one\ntw"), gap, Piece(50, b"o\nthree\n")]), "f", bytes))
    assert got == [Record(b"one", 0), gap._replace(data=b"tw"), Record(b"o", 50), Record(b"three", 52)]


def test_a_line_too_long_is_damage_and_what_follows_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_RECORD_BYTES", 1000)
    monkeypatch.setattr(lines, "MAX_DAMAGE_BYTES", 10)
    data = b"one\n" + b"x" * 5000 + b"\r\ntwo\n" + b"y" * 3000
    pieces = (Piece(start, data[start : start + 100]) for start in range(0, len(data), 100))
    one, first, two, second = read_lines(pieces, "f", bytes)
    assert (one, two) == (Record(b"one", 0), Record(b"two", 5006))
    assert isinstance(first, Damage)
    assert first.offset == 4
    assert first.data == b"x" * 10
    assert isinstance(second, Damage)
    assert second.offset == 5010
