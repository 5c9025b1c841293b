"""Long lists on disk: they are the lists they stand for, and memory does not grow with them."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable

import pytest

from snowetl.spool import Spool, sorted_spool
from tests.growth import assert_linear


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1500])
def test_a_spool_is_the_list_it_stands_for(count: int) -> None:
    values = list(range(count))
    spool = Spool(values)
    assert (len(spool), list(spool), spool) == (count, values, values)
    assert list(zip(spool, spool, strict=True)) == list(zip(values, values, strict=True))
    assert [spool[place] for place in range(-count, count)] == [values[place] for place in range(-count, count)]
    assert spool[1:-1] == values[1:-1]
    assert pickle.loads(pickle.dumps(spool)) == spool
    for place in (count, -count - 1):
        with pytest.raises(IndexError):
            spool[place]


def test_values_are_appended_while_others_are_read() -> None:
    spool = Spool(range(600))
    heard = iter(spool)
    assert next(heard) == 0
    spool.extend(range(600, 1200))
    assert list(spool) == list(range(1200))


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 7, -1])
@pytest.mark.parametrize("count", [0, 10, 120_000])
def test_sorting(count: int, step: int) -> None:
    values = [(number * step % 1_001, number) for number in range(count)]
    assert list(sorted_spool(values, key=lambda value: value[0])) == sorted(values, key=lambda value: value[0])
    assert list(sorted_spool(values)) == sorted(values)


def test_sorting_is_linear() -> None:
    def prepare(count: int) -> Callable[[], object]:
        return lambda: sorted_spool(f"s3://bucket/raw/{number * 7_919 % count:09d}.gz" for number in range(count))

    assert_linear(prepare, 240_000)


@pytest.mark.slow
def test_a_million_values_are_held_in_little_memory() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            spool = Spool(f"s3://bucket/raw/{number:09d}.gz" for number in range(count))
            assert sum(1 for _ in spool) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(100_000) < 2 * peak(10_000)
