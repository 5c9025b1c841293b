"""Three ways to run the splits of a job: in this process, in a few processes, on Spark. All give the same reports."""

from __future__ import annotations

import base64
import multiprocessing
import re
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from snowetl import errors
from snowetl.errors import SnowetlError, UsageError
from snowetl.storage.splits import Split
from snowetl.workers.spark_files import ship
from snowetl.workers.spark_session import open_session

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.accumulators import Accumulator

    from snowetl.steps.enrich_split import SplitReport
    from snowetl.steps.enrich_task import EnrichTask

_POLL_SECONDS = 0.5


class Work(NamedTuple):
    """A split and the input bytes it stands for."""

    split: Split
    bytes: int


Advance = Callable[[int, int], None]
"""Told of progress: records and input bytes done since the last call."""


class Executor(Protocol):
    """Runs all splits and returns the reports of the attempts that count, in any order.

    Raises :class:`SnowetlError` when one fails for good.
    """

    def __call__(self, task: EnrichTask, work: Sequence[Work], advance: Advance) -> list[SplitReport]: ...


def in_process(task: EnrichTask, work: Sequence[Work], advance: Advance) -> list[SplitReport]:
    """One split after the other, here."""
    reports = []
    for split, size in work:
        reports.append(task.run(split, advance=lambda records: advance(records, 0)))
        advance(0, size)
    return reports


class InProcesses:
    """A few processes of this machine."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def __call__(self, task: EnrichTask, work: Sequence[Work], advance: Advance) -> list[SplitReport]:
        context = multiprocessing.get_context("spawn")
        before = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_ignore_interrupts)
        try:
            futures: dict[Future[SplitReport], int] = {pool.submit(task.run, split): size for split, size in work}
            reports = []
            for future in as_completed(futures):
                reports.append(future.result())
                advance(reports[-1].records, futures[future])
            return reports
        except BrokenProcessPool:
            raise SnowetlError(
                "a worker process was killed, perhaps for want of memory. Nothing is published; run again, "
                "with fewer --workers if it happens again"
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()
                child.join()


def _ignore_interrupts() -> None:
    """Ctrl-C goes to the whole process group: the parent decides, and ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class OnSpark:
    """The tasks of a Spark job, one split each. Speculative and repeated attempts are Spark's affair."""

    def __init__(self, context: SparkContext) -> None:
        self.context = context

    def __call__(self, task: EnrichTask, work: Sequence[Work], advance: Advance) -> list[SplitReport]:
        names = ship(self.context, [path for _, path in task.assets])
        gauge = _Gauge(self.context.accumulator(0), self.context.accumulator(0))
        rdd = self.context.parallelize(work, len(work)).mapPartitions(
            _SparkTask(task, names, gauge.records, gauge.bytes)
        )
        # Spark is waited for in another thread, so that Ctrl-C finds this one free to call the job off.
        with ThreadPoolExecutor(1, thread_name_prefix="spark-job") as waiting:
            job: Future[list[SplitReport]] = waiting.submit(rdd.collect)
            try:
                while not wait([job], _POLL_SECONDS).done:
                    gauge.tell(advance)
                reports = job.result()
            except KeyboardInterrupt:
                self.context.cancelAllJobs()
                raise
            except Exception as error:
                raise job_error(str(error)) from error
        gauge.tell(advance)
        return reports


class _Gauge:
    """What finished tasks have added up so far. Repeated attempts count twice, which is no harm to a progress bar."""

    def __init__(self, records: Accumulator[int], size: Accumulator[int]) -> None:
        self.records = records
        self.bytes = size
        self._told = (0, 0)

    def tell(self, advance: Advance) -> None:
        records, size = self.records.value, self.bytes.value
        if (records, size) != self._told:
            advance(records - self._told[0], size - self._told[1])
            self._told = (records, size)


class _SparkTask:
    """What Spark calls in its Python workers."""

    def __init__(
        self, task: EnrichTask, names: dict[str, str], records: Accumulator[int], size: Accumulator[int]
    ) -> None:
        self.task = task
        self.names = names
        self.records = records
        self.size = size

    def __call__(self, work: Iterable[Work]) -> Iterator[SplitReport]:
        from pyspark import SparkFiles

        for split, size in work:
            try:
                report = self.task.run(split, locate=lambda path: SparkFiles.get(self.names[path]))
            except SnowetlError as error:
                raise RuntimeError(wrap_error(error)) from error
            self.records.add(report.records)
            self.size.add(size)
            yield report


@contextmanager
def open_executor(master: str | None, workers: int, app: str) -> Iterator[Executor]:
    """The executor ``master`` stands for: ``none`` is this machine without Spark, ``None`` what Spark is set up for.

    Raises :class:`UsageError` where Spark cannot be had. A Spark session that was there before stays.
    """
    if master == "none":
        yield in_process if workers == 1 else InProcesses(workers)
        return
    if workers > 1:
        raise UsageError("--workers is for --master none; on Spark the master says how many (local[4])")
    session, ours = open_session(app, master)
    try:
        yield OnSpark(session.sparkContext)
    finally:
        if ours:
            session.stop()


# --- how an error of ours crosses the JVM ---------------------------------------------------------------------------

_WRAPPED = re.compile(r"snowetl-error:(\w+):([A-Za-z0-9+/=]*)")
_PYTHON_ERROR = re.compile(r"^(?:[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b.*)$", re.MULTILINE)
_STAGE_FAILURE = re.compile(r"Job aborted.*?[:.] (.*)")


def wrap_error(error: SnowetlError) -> str:
    return f"snowetl-error:{type(error).__name__}:{base64.b64encode(str(error).encode()).decode()}"


def job_error(text: str) -> SnowetlError:
    """The error a failed Spark job is about: ours, if a task raised one; else what Spark says, in a line."""
    wrapped = _WRAPPED.search(text)
    if wrapped:
        kind: Any = getattr(errors, wrapped[1], SnowetlError)
        return kind(base64.b64decode(wrapped[2]).decode())  # type: ignore[no-any-return]
    stage = _STAGE_FAILURE.search(text)
    reason = stage[1] if stage else text.strip().split("\n", 1)[0]
    python = _PYTHON_ERROR.findall(text)
    return SnowetlError(f"the Spark job failed: {reason}" + (f" ({python[-1].strip()})" if python else ""))
