"""The list of a step's work: largest first, each split with what is noted of it and of no other."""

from __future__ import annotations

from snowetl.storage.splits import Slice, Split
from snowetl.workers import WorkList

SPLITS = [Split(number, (Slice(f"file{number}", size=size),)) for number, size in enumerate([5, 9, 0, 9, 7])]


def test_the_largest_comes_first_and_equal_ones_stay_in_order() -> None:
    work = WorkList(SPLITS)
    assert [(item.split.index, item.bytes) for item in work] == [(1, 9), (3, 9), (4, 7), (0, 5), (2, 0)]
    assert [item.split.index for item in work[1:3]] == [3, 4]
    assert (work[-1].split, work.bytes, list(work.splits)) == (SPLITS[2], 30, SPLITS)


def test_a_split_tells_what_is_noted_of_itself() -> None:
    work = WorkList(SPLITS).noting(frozenset({0, 3}))
    assert [(item.split.index, item.split.noted) for item in work] == [
        (1, False),
        (3, True),
        (4, False),
        (0, True),
        (2, False),
    ]
    assert work != WorkList(SPLITS)
    assert work == WorkList(SPLITS).noting(frozenset({0, 3}))


def test_bytes_of_slices() -> None:
    split = Split(0, (Slice("a", 10, 30, size=100), Slice("a", 60, None, size=100), Slice("b", size=7)))
    assert split.bytes == 20 + 40 + 7
