"""What Spark's driver, Python and JVM together, spends on the splits of a run: their tasks return the report of a real
split at once, so that nothing but handing out work and taking reports is left."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from snowetl.dedupe.decide import KeyRow, Request
from snowetl.dedupe.rules import Key, Policy
from snowetl.storage.splits import Slice, Split
from snowetl.workers import Advance, WorkList
from snowetl.workers.spark import SparkPool

_FILES_PER_SPLIT = 25


@dataclass(frozen=True)
class Answer:
    """A task that returns what it was given."""

    report: bytes
    files: Mapping[str, str] = field(default_factory=dict)

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> bytes:
        assert split.noted
        return self.report


@dataclass(frozen=True)
class OneKey:
    """A task that finds one event in each split; all are duplicates of one another."""

    files: Mapping[str, str] = field(default_factory=dict)

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> Iterator[KeyRow]:
        yield Key("c6ef3124-b53a-4b13-a233-0088f79dcbcb", "f", None, (split.index, 0)), []


@dataclass(frozen=True)
class SparkCost:
    """Processor seconds of the driver (Python and JVM), and the resident bytes of its JVM afterwards."""

    phase: str
    splits: int
    cpu: float
    memory: int


def splits_of(count: int) -> Iterator[Split]:
    for number in range(count):
        names = (f"s3://bucket/raw/2026/{number:06d}/part-{place:04d}-6c1d4a3e.gz" for place in range(_FILES_PER_SPLIT))
        yield Split(
            number, tuple(Slice(name, size=10_000_000, etag=f"d41d8cd98f00b204e98009{number:010d}") for name in names)
        )


def measure(master: str, count: int, report: object, folder: str) -> Iterator[SparkCost]:
    """Reports of ``count`` splits, then their duplicates. With ``local[2]`` the JVM is executor, too."""
    pool = SparkPool("snowetl bench", master)
    task = Answer(pickle.dumps(report))
    everything = WorkList(splits_of(count)).noting(frozenset(range(count)))
    try:
        list(pool.run(task, everything[:8], lambda records, size: None))  # Spark is started, and warm
        before = _spent()
        assert sum(1 for _ in pool.run(task, everything, lambda records, size: None)) == count
        yield SparkCost("spark: reports", count, _spent() - before, _jvm().memory_info().rss)
        before = _spent()
        request = Request(Policy.parse(), None, 0, folder)
        decided = pool.deduplicate(OneKey(), everything, request, lambda records, size: None)
        assert len(decided.splits) == count - 1
        yield SparkCost("spark: duplicates", count, _spent() - before, _jvm().memory_info().rss)
    finally:
        pool.close()


def _jvm() -> psutil.Process:
    """The driver's: Python's own child. Executors are children of that."""
    return next(child for child in psutil.Process().children() if child.name().startswith("java"))


def _spent() -> float:
    jvm = _jvm().cpu_times()
    return time.process_time() + float(jvm.user + jvm.system)
