"""The pool of Spark's executors. With ``spark_*.py`` beside it, all that knows Spark."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Generic

from snowetl.errors import SnowetlError
from snowetl.workers.base import Advance, R, Task
from snowetl.workers.spark_errors import job_error, wrap_error
from snowetl.workers.spark_files import ship
from snowetl.workers.spark_frames import Read, counter, frame_of_splits
from snowetl.workers.spark_session import open_session
from snowetl.workers.work import Work

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.accumulators import Accumulator
    from pyspark.sql import DataFrame, SparkSession

    from snowetl.dedupe.decide import Decided, KeyRow, Request

_POLL_SECONDS = 0.5
_JOBS_AT_ONCE = 3
_SPLITS_PER_CORE = 8
_FEWEST_SPLITS = 200
"""Splits run as jobs of this many (or so many a core), a few at a time: the driver holds the reports of a few jobs, and
while the last tasks of one job run, free cores take those of the next."""
_MOST_SPLITS = 4_000
"""No job has more splits: what its tasks return stays far below Spark's ``spark.driver.maxResultSize``."""


class SparkPool:
    """Runs each split as a Spark task. Speculative and repeated attempts are Spark's affair.

    The session is opened by the first task, and closed by :meth:`close` unless it was there before. Without ``master``
    Spark's own configuration decides.
    """

    def __init__(self, app: str, master: str | None = None, say: Callable[[str], None] = lambda text: None) -> None:
        self._app = app
        self._master = master
        self._say = say
        self._session: SparkSession | None = None
        self._ours = False

    @classmethod
    def of(cls, session: SparkSession) -> SparkPool:
        """The pool of a session that is open, and stays so."""
        pool = cls(str(session.sparkContext.appName))
        pool._session = session
        return pool

    @property
    def context(self) -> SparkContext:
        """Raises :class:`UsageError` where Spark cannot be started."""
        if self._session is None:
            started = time.monotonic()
            self._say(f"starting Spark{f' on {self._master}' if self._master else ''}")
            self._session, self._ours = open_session(self._app, self._master)
            version, seconds = self._session.version, time.monotonic() - started
            self._say(f"Spark {version} started after {seconds:.0f} s")
        return self._session.sparkContext

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None and self._ours:
            session.stop()

    @contextmanager
    def _ended_by_failure(self) -> Iterator[None]:
        """Stop the session when something fails: tasks that were called off still write for a while, but whoever hears
        of the failure cleans up after them at once. The next task starts a new session.
        """
        try:
            yield
        except BaseException:
            self.close()
            raise

    def run(self, task: Task[R], work: Sequence[Work], advance: Advance) -> Iterator[R]:
        context = self.context
        gauge = _Gauge(context.accumulator(0), context.accumulator(0))
        spark_task = _SparkTask(task, _shipped(context, task), gauge)
        with self._ended_by_failure():
            for results in _jobs(context, spark_task.splits, work, lambda: gauge.tell(advance)):
                yield from results
        gauge.tell(advance)

    def distinct(self, task: Task[Iterable[str]], work: Sequence[Work], advance: Advance) -> Iterator[str]:
        context = self.context
        gauge = _Gauge(context.accumulator(0), context.accumulator(0))
        spark_task = _SparkValues(task, _shipped(context, task), gauge)
        with self._ended_by_failure():
            for values in _jobs(context, spark_task.values, work, lambda: gauge.tell(advance), distinct=True):
                yield from values
        gauge.tell(advance)

    def deduplicate(
        self, task: Task[Iterator[KeyRow]], work: Sequence[Work], request: Request, advance: Advance
    ) -> Decided:
        from snowetl.workers.spark_dedupe import decide_on_spark

        with self._ended_by_failure():
            decided = decide_on_spark(self.context, task, _shipped(self.context, task), work, request)
        advance(0, sum(item.bytes for item in work))
        return decided

    def frame(self, read: Read, files: Mapping[str, str], work: Sequence[Work], columns: str) -> DataFrame:
        """A data frame of what ``read`` gives for each split, when Spark asks for it. ``files``: as those of a task."""
        from pyspark.sql import SparkSession

        names = ship(self.context, files.values())
        shipped = {name: names[path] for name, path in files.items()}
        return frame_of_splits(SparkSession(self.context), read, shipped, work, columns)

    def counter(self) -> Accumulator[Counter[str]]:
        """What workers may add counters to."""
        return counter(self.context)


def _jobs(
    context: SparkContext,
    on_workers: Callable[[Iterable[Work]], Iterator[R]],
    work: Sequence[Work],
    told: Callable[[], None],
    *,
    distinct: bool = False,
) -> Iterator[list[R]]:
    """Results of all work, job by job; ``told`` is called every now and then."""
    size = min(max(_FEWEST_SPLITS, context.defaultParallelism * _SPLITS_PER_CORE), _MOST_SPLITS)
    waiting = (work[start : start + size] for start in range(0, len(work), size))

    def collect(some: Sequence[Work]) -> list[R]:
        rdd = context.parallelize(some, len(some)).mapPartitions(on_workers)
        return (rdd.distinct(min(len(some), size)) if distinct else rdd).collect()

    # Spark is waited for in other threads, so that Ctrl-C finds this one free to call the jobs off.
    with ThreadPoolExecutor(_JOBS_AT_ONCE, thread_name_prefix="spark-job") as threads:
        running: set[Future[list[R]]] = set()
        try:
            while True:
                while len(running) < _JOBS_AT_ONCE and (some := next(waiting, None)) is not None:
                    running.add(threads.submit(collect, some))
                if not running:
                    return
                finished, running = wait(running, _POLL_SECONDS, FIRST_COMPLETED)
                told()
                for job in finished:
                    yield job.result()
        except (KeyboardInterrupt, GeneratorExit, SnowetlError):
            context.cancelAllJobs()
            raise
        except Exception as error:
            context.cancelAllJobs()
            raise job_error(str(error)) from error


def _shipped(context: SparkContext, task: Task[object]) -> Mapping[str, str]:
    """The task's files by its names for them: the names under which workers find them."""
    names = ship(context, task.files.values())
    return {name: names[path] for name, path in task.files.items()}


class _Gauge:
    """What finished tasks have added up so far. Repeated attempts count twice, which does no harm to a progress bar."""

    def __init__(self, records: Accumulator[int], size: Accumulator[int]) -> None:
        self.records = records
        self.bytes = size
        self._told = (0, 0)

    def tell(self, advance: Advance) -> None:
        records, size = self.records.value, self.bytes.value
        if (records, size) != self._told:
            advance(records - self._told[0], size - self._told[1])
            self._told = (records, size)


class _SparkTask(Generic[R]):
    """What Spark calls in its Python workers. ``shipped``: the task's names for its files -> those of Spark."""

    def __init__(self, task: Task[R], shipped: Mapping[str, str], gauge: _Gauge) -> None:
        self.task = task
        self.shipped = shipped
        self.records = gauge.records
        self.bytes = gauge.bytes

    def splits(self, work: Iterable[Work]) -> Iterator[R]:
        """One result for each split."""
        from pyspark import SparkFiles

        files = {name: Path(SparkFiles.get(shipped)) for name, shipped in self.shipped.items()}
        for split, size in work:
            try:
                result = self.task.run(split, files, self._count)
            except SnowetlError as error:
                raise RuntimeError(wrap_error(error)) from error
            self.bytes.add(size)
            yield result

    def _count(self, records: int, size: int) -> None:
        self.records.add(records)


class _SparkValues(_SparkTask[Iterable[str]]):
    def values(self, work: Iterable[Work]) -> Iterator[str]:
        """The distinct values of the splits."""
        found: set[str] = set()
        try:
            for values in self.splits(work):
                found.update(values)
        except SnowetlError as error:
            raise RuntimeError(wrap_error(error)) from error
        yield from found
