"""Every pool gives the same results for a task; the master chooses the pool."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from snowetl.dedupe.decide import KeyRow, Request
from snowetl.dedupe.rules import Key, Policy
from snowetl.errors import StorageError, UsageError
from snowetl.storage.splits import Slice, Split
from snowetl.workers import SMALL_INPUT, Advance, Work, WorkerPool, open_pool
from snowetl.workers import spark as spark_module
from snowetl.workers.base import once_per_process
from snowetl.workers.in_process import InProcess
from snowetl.workers.process_pool import ProcessPool

WORK = [Work(Split(index, (Slice(f"file{index}"),)), 10 * index) for index in range(25)]


@dataclass(frozen=True)
class Doubles:
    """A result from the number of the split and the content of a file beside the task."""

    files: Mapping[str, str]
    fails_at: int = -1

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> tuple[int, str]:
        if split.index == self.fails_at:
            raise StorageError(f"split {split.index} cannot be read")
        advance(split.index, 0)
        return 2 * split.index, files["the greeting"].read_text()


@dataclass(frozen=True)
class Words:
    files: Mapping[str, str] = field(default_factory=dict)

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> Iterator[str]:
        yield "every"
        yield f"ü{split.index % 3}"


@dataclass(frozen=True)
class Keys:
    files: Mapping[str, str] = field(default_factory=dict)

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> Iterator[KeyRow]:
        for line in range(3):
            yield Key(f"id{line}", "f", None, (split.index, line)), ["tag", f"tag{split.index % 2}"]


@pytest.fixture(scope="module", params=["none", "none, 2 processes", pytest.param("local[2]", marks=pytest.mark.spark)])
def pool(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    with open_pool(request.param.partition(",")[0], 2 if "2 processes" in request.param else 1, "test") as pool:
        yield pool


@pytest.fixture
def task(tmp_path: Path) -> Doubles:
    greeting = tmp_path / "greeting.txt"
    greeting.write_text(f"hello from {tmp_path.name}")
    return Doubles({"the greeting": str(greeting)})


def test_each_split_has_one_result(pool: WorkerPool, task: Doubles, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    results = sorted(pool.run(task, WORK, lambda records, size: told.append((records, size))))
    assert results == [(2 * index, f"hello from {tmp_path.name}") for index in range(25)]
    assert (sum(records for records, _ in told), sum(size for _, size in told)) == (sum(range(25)), 10 * sum(range(25)))


@pytest.mark.slow
def test_the_first_failure_is_told_as_what_it_is(pool: WorkerPool, task: Doubles) -> None:
    with pytest.raises(StorageError, match="split 3 cannot be read"):
        list(pool.run(Doubles(task.files, fails_at=3), WORK, lambda *_: None))
    assert len(list(pool.run(task, WORK[:2], lambda *_: None))) == 2


def test_no_work(pool: WorkerPool, task: Doubles) -> None:
    assert list(pool.run(task, [], lambda *_: None)) == []
    assert set(pool.distinct(Words(), [], lambda *_: None)) == set()


def test_distinct_values(pool: WorkerPool) -> None:
    assert sorted(set(pool.distinct(Words(), WORK, lambda *_: None))) == ["every", "ü0", "ü1", "ü2"]


def test_duplicates_and_tags(pool: WorkerPool, tmp_path: Path) -> None:
    request = Request(Policy.parse(synthetic="NONE"), None, 0, str(tmp_path / "decisions"), with_tags=True)
    decided = pool.deduplicate(Keys(), WORK, request, lambda *_: None)
    assert decided.tags == {"tag", "tag0", "tag1"}
    assert decided.splits == set(range(1, 25))


@pytest.mark.spark
def test_jobs_of_a_few_splits_overlap(task: Doubles, monkeypatch: pytest.MonkeyPatch) -> None:
    """More splits than one job takes: all are done, and results come before the last job ends."""
    monkeypatch.setattr(spark_module, "_FEWEST_SPLITS", 1)
    monkeypatch.setattr(spark_module, "_SPLITS_PER_CORE", 1)
    with open_pool("local[2]", 1, "test") as pool:
        assert sorted(pool.run(task, WORK, lambda *_: None))[-1][0] == 48
        with pytest.raises(StorageError, match="split 20"):
            list(pool.run(Doubles(task.files, fails_at=20), WORK, lambda *_: None))
        assert sorted(set(pool.distinct(Words(), WORK, lambda *_: None))) == ["every", "ü0", "ü1", "ü2"]


@dataclass(frozen=True)
class Dies:
    files: Mapping[str, str] = field(default_factory=dict)

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> int:
        os.kill(os.getpid(), 9)
        return 0


@pytest.mark.slow
def test_a_process_that_is_killed_is_told(task: Doubles) -> None:
    pool = ProcessPool(2)
    try:
        with pytest.raises(Exception, match="a worker process was killed"):
            list(pool.run(Dies(), WORK, lambda *_: None))
        assert len(list(pool.run(task, WORK, lambda *_: None))) == 25
    finally:
        pool.close()


def test_what_is_prepared_is_kept_until_another_is_asked_for() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name

    dropped: list[str] = []
    for name in ("a", "a", "b", "b", "a"):
        assert once_per_process(name, lambda name=name: make(name), dropped.append) == name  # type: ignore[misc]
    assert made == ["a", "b", "a"]
    assert dropped == ["a", "b"]


# --- which pool -----------------------------------------------------------------------------------------------------


def test_workers_are_not_for_spark() -> None:
    with pytest.raises(UsageError, match="--workers is for --master none"), open_pool("local[2]", 2, "x"):
        pass


@pytest.mark.parametrize("master", ["sparkle", "local[", "spark:/x", "NONE", ""])
def test_message_master_sparkle(master: str) -> None:
    with (
        pytest.raises(UsageError, match=r"is not a master.*: give one of none, local, local\[N\]"),
        open_pool(master, 1, ""),
    ):
        pass


def test_a_small_input_is_worked_on_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPARK_HOME", "SPARK_CONF_DIR", "MASTER", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)
    said: list[str] = []
    with open_pool(None, 1, "x", input_bytes=400_000, say=said.append) as pool:
        assert isinstance(pool, InProcess)
    assert said == ["the input is small: working in this process (--master 'local[*]' starts Spark)"]
    with open_pool(None, 1, "x", input_bytes=SMALL_INPUT, say=said.append) as pool:
        assert isinstance(pool, spark_module.SparkPool)
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    with open_pool(None, 1, "x", input_bytes=1, say=said.append) as pool:
        assert isinstance(pool, spark_module.SparkPool)
    assert len(said) == 1


@pytest.mark.slow
def test_java_is_asked_for(monkeypatch: pytest.MonkeyPatch, task: Doubles) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with (
        open_pool(None, 1, "") as pool,
        pytest.raises(UsageError, match="JAVA_HOME is /nowhere, but there is no bin/java"),
    ):
        list(pool.run(task, WORK, lambda *_: None))
    monkeypatch.setenv("PATH", "/nowhere")
    for home in ("", None):
        monkeypatch.setenv("JAVA_HOME", "") if home is not None else monkeypatch.delenv("JAVA_HOME")
        with open_pool(None, 1, "x") as pool, pytest.raises(UsageError, match="Java 17 or 21"):
            list(pool.run(task, WORK, lambda *_: None))
