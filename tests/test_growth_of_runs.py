"""What a driver does for a run grows with the run, not faster: planning, reports, the ledger."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from snowetl.orchestrator import inventory
from snowetl.orchestrator.inventory import Inventory, Window
from snowetl.orchestrator.ledger import Taken
from snowetl.reporting.split_statistics import Statistics
from snowetl.reporting.transform import Table, TransformSplitReport, TransformTotals
from snowetl.runs.identity import run_identity
from snowetl.runs.parts import Part
from snowetl.steps.cut import Cut, cut_input
from snowetl.storage import FileInfo
from tests.growth import assert_linear

SPLIT = 64 << 20


def listed(count: int, size: int = 10_000_000) -> Iterator[FileInfo]:
    return (FileInfo(f"s3://bucket/raw/{number:09d}.gz", size, f"etag{number}") for number in range(count))


def test_planning() -> None:
    def prepare(count: int) -> Callable[[], object]:
        return lambda: [*cut_input(listed(count), split_size=SPLIT).to_lines()]

    assert_linear(prepare, 20_000)


def test_identity() -> None:
    assert_linear(lambda count: lambda: run_identity("2026-01-02-03-04-05", listed(count)), 40_000)


@pytest.mark.slow
def test_a_plan_of_many_files_is_held_in_little_memory() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            cut = cut_input(listed(count), split_size=SPLIT)
            assert len(cut.files) == count
            assert sum(len(work.split.slices) for work in cut.work) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(80_000) < 3 * peak(10_000)


def test_a_cut_is_read_back_with_what_it_leaves_out() -> None:
    files = [FileInfo("s3://b/1.gz", 5, "e"), FileInfo("s3://b/2.zip", 7, "f"), FileInfo("s3://b/3.gz", 0, "g")]
    cut = cut_input(files, split_size=SPLIT)
    assert ([file.url for file in cut.files], [left.url for left in cut.ignored]) == (["s3://b/1.gz"], ["s3://b/2.zip"])
    assert Cut.of_lines(cut.to_lines()) == cut


@pytest.mark.slow
def test_many_small_files_make_few_splits() -> None:
    """Each split has parts of its own in each table."""
    assert len(cut_input(listed(30_000, 64 << 20), split_size=SPLIT).work) <= 2_000


def test_what_goes_with_a_split_is_no_more_in_a_large_run() -> None:
    """What deduplication noted of all splits once went to the task of each."""

    def packed(count: int) -> int:
        work = cut_input(listed(count, SPLIT), split_size=SPLIT).work
        noted = work.noting(frozenset(range(len(work))))
        assert noted[0].split.noted
        return len(pickle.dumps(noted[0]))

    assert packed(1_500) <= packed(15) + 8


def report(index: int) -> TransformSplitReport:
    tables = [
        Table(f"output=good/vendor=a/name=t{number}", Part(f"s3://b/{number}/part-{index}", "{}" * 100, 1, 1))
        for number in range(20)
    ]
    return TransformSplitReport(index, records=1, events=1, tables=tables, statistics=Statistics(files=["f"]))


def test_reports() -> None:
    one = report(0)

    def prepare(count: int) -> Callable[[], object]:
        def add() -> None:
            totals = TransformTotals()
            for index in range(count):
                totals.add(replace(one, index=index))
            assert len(totals.parts) == 20 * count

        return add

    assert_linear(prepare, 2_000)


@pytest.mark.slow
def test_reports_of_many_splits_are_held_in_little_memory() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            totals = TransformTotals()
            for index in range(count):
                totals.add(report(index))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(2_000) < 2 * peak(500)


def test_ledger() -> None:
    def prepare(count: int) -> Callable[[], object]:
        def compare() -> None:
            taken = (Taken(file.url, file.size, file.etag, "1") for file in listed(count))
            found = Inventory()
            assert list(inventory.count(inventory.compare(listed(count), taken, Window()), found)) == []
            assert found.taken.files == count

        return compare

    assert_linear(prepare, 40_000)
