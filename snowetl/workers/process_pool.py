"""The pool of a few processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from snowetl.errors import SnowetlError
from snowetl.workers.base import Advance, R, SplitProgress, Task
from snowetl.workers.gathering import Gathering
from snowetl.workers.work import Work

_POLL_SECONDS = 0.5
_QUEUED_PER_WORKER = 4
"""Splits handed to the processes ahead of time; also bounds the results that wait for the driver."""


class ProcessPool(Gathering):
    """Runs splits in ``workers`` processes, started with the first task and ended by :meth:`close`."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._gauge: _Gauge | None = None
        self._before: set[BaseProcess] = set()

    def run(self, task: Task[R], work: Sequence[Work], advance: Advance) -> Iterator[R]:
        pool, gauge = self._started()
        waiting = iter(work)
        running: set[Future[R]] = set()
        try:
            while True:
                while len(running) < self.workers * _QUEUED_PER_WORKER and (item := next(waiting, None)) is not None:
                    running.add(pool.submit(_run, task, item))
                if not running:
                    return
                finished, running = wait(running, _POLL_SECONDS, FIRST_COMPLETED)
                gauge.tell(advance)
                for future in finished:
                    yield future.result()
        except BrokenProcessPool:
            self.close()
            raise SnowetlError(
                "a worker process was killed, perhaps because memory ran out. Nothing is published; run again, "
                "with fewer --workers if it happens again"
            ) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the processes, whatever they are doing. The next task starts new ones."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - self._before:
            child.terminate()
            child.join()

    def _started(self) -> tuple[ProcessPoolExecutor, _Gauge]:
        if self._pool is None or self._gauge is None:
            self._before = set(multiprocessing.active_children())
            context = multiprocessing.get_context("spawn")
            self._gauge = _Gauge(context.Value("q", 0), context.Value("q", 0))
            counters = (self._gauge.records, self._gauge.bytes)
            self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin, initargs=counters)
        return self._pool, self._gauge


class _Gauge:
    """What all processes have added up, in memory they share."""

    def __init__(self, records: Synchronized[int], size: Synchronized[int]) -> None:
        self.records = records
        self.bytes = size
        self._told = (0, 0)

    def add(self, records: int, size: int) -> None:
        """In a worker process."""
        for counter, more in ((self.records, records), (self.bytes, size)):
            with counter.get_lock():
                counter.value += more

    def tell(self, advance: Advance) -> None:
        """In the parent: pass on what has come since the last call."""
        records, size = self.records.value, self.bytes.value
        if (records, size) != self._told:
            advance(records - self._told[0], size - self._told[1])
            self._told = (records, size)


_gauge: _Gauge | None = None
"""That of a worker process."""


def _run(task: Task[R], work: Work) -> R:
    """In a worker process: the result of a split."""
    assert _gauge is not None
    progress = SplitProgress(_gauge.add, work.bytes)
    result = task.run(work.split, {name: Path(path) for name, path in task.files.items()}, progress)
    progress.finish()
    return result


def _begin(records: Synchronized[int], size: Synchronized[int]) -> None:
    """Ctrl-C goes to the whole process group: the parent decides, and ends its workers. They also end when it is
    killed: nobody would come for their results, and they would wait for work forever.
    """
    global _gauge
    _gauge = _Gauge(records, size)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
