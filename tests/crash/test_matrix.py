"""A part of the crash matrix: the long runs are ``python -m tests.crash`` (CONTRIBUTING.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.matrix import Case, Matrix, matrix

pytestmark = pytest.mark.slow
CASES = [
    (step, seed)
    for step, number in {"enrich": 8, "transform": 6, "load": 4, "run": 2}.items()
    for seed in range(number)
]
RATE = 0.05
"""Share of the requests to S3 that fail."""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with matrix(tmp_path_factory.mktemp("crash-local"), "local", 0) as crashes:
        yield crashes


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with matrix(tmp_path_factory.mktemp("crash-s3"), "s3", RATE) as crashes:
        yield crashes


def check(crashes: Matrix, case: Case) -> None:
    outcome = crashes.run(case)
    moment = outcome.moments[0].partition(" ")[0]
    assert not outcome.faults, "\n".join([case.command(moment), *outcome.moments, *outcome.lost, *outcome.faults])


@pytest.mark.parametrize(("step", "seed"), CASES)
@pytest.mark.parametrize("how", ["kill", "term", "powercut"])
def test_local(local: Matrix, how: str, step: str, seed: int) -> None:
    check(local, Case(step, "none", "local", how, seed))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("step", ["enrich", "transform"])
def test_local_without_its_workers(local: Matrix, step: str, seed: int) -> None:
    check(local, Case(step, "none", "local", "orphan", seed))


@pytest.mark.s3
@pytest.mark.parametrize("step", ["enrich", "transform"])
@pytest.mark.parametrize("how", ["kill", pytest.param("term", marks=pytest.mark.long)])
def test_s3_that_fails(s3: Matrix, how: str, step: str) -> None:
    check(s3, Case(step, "none", "s3", how, 51))


@pytest.mark.parametrize("warehouse", ["duckdb", "delta", "iceberg"])
def test_loads_of_wide_rows(tmp_path: Path, warehouse: str) -> None:
    with matrix(tmp_path, "local", 0, warehouse) as crashes:
        for how in ("kill", "term"):
            check(crashes, Case("load", "none", "local", how, 7, warehouse=warehouse))


@pytest.mark.spark
def test_spark(local: Matrix) -> None:
    check(local, Case("run", "local[2]", "local", "kill", 1))
