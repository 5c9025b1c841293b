"""Times in addresses, and how an archive is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.orchestrator.backfill.pieces import cut, is_in_sample, time_in
from snowetl.settings.times import millis
from snowetl.storage import FileInfo


@pytest.mark.parametrize(
    ("address", "time"),
    [
        ("s3://logs/E1AB2.2026-03-05-10.abcdef12.gz", "2026-03-05T10:00"),
        ("s3://logs/2026/03/05/10/part.gz", "2026-03-05T10:00"),
        ("s3://logs/2026/03/05/events.lzo", "2026-03-05"),
        ("s3://logs/year=2026/month=03/day=05/hour=10/x.gz", "2026-03-05T10:00"),
        ("s3://logs/dt=2026-03-05/hh=10/x.gz", "2026-03-05T10:00"),
        ("s3://logs/20260305/x.gz", "2026-03-05"),
        ("s3://raw/2026-03-05-49580000000000000000000000000000000000000000000000000001-4958.lzo", "2026-03-05"),
        ("s3://logs/2020-01-01-archive/2026-03-05T23-15.log", "2026-03-05T23:00"),
        ("s3://logs/run=2026-03-05-10-11-12/part-0.gz", "2026-03-05T10:00"),
        ("s3://logs/2026-02-30/x.gz", None),
        ("s3://logs/1234567820260305/x.gz", None),
        ("s3://logs/part-00001.gz", None),
    ],
)
def test_the_time_in_an_address(address: str, time: str | None) -> None:
    assert time_in(address) == (None if time is None else millis(time))


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 100))
def test_pieces_hold_every_file_once_in_order(sizes: list[int], run_bytes: int) -> None:
    files = [FileInfo(f"/{number:03d}", size, "t") for number, size in enumerate(sizes)]
    pieces = list(cut(files, run_bytes))
    assert [file for piece in pieces for file in piece] == files
    for piece, following in pairwise(pieces):
        assert sum(file.size for file in piece) <= run_bytes or len(piece) == 1
        assert sum(file.size for file in piece) + following[0].size > run_bytes


def test_a_sample_is_the_same_each_time_and_about_its_share() -> None:
    files = [FileInfo(f"s3://logs/{number}", 1, "t") for number in range(5000)]
    chosen = [file for file in files if is_in_sample(file, 10)]
    assert 350 < len(chosen) < 650
    assert all(is_in_sample(file, 100) for file in files)
