"""Where the tasks of a step run: in this process, in a few processes, on Spark. :data:`MASTERS` chooses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from snowetl.errors import UsageError
from snowetl.workers.base import Advance, Pickled, Task, Work, WorkerPool, once_per_process, unheard

__all__ = ["Advance", "Pickled", "Task", "Work", "WorkerPool", "once_per_process", "open_pool", "unheard"]

SMALL_INPUT = 8 << 20
"""Input of fewer bytes is done in this process sooner than Spark starts (some ten seconds)."""


@dataclass(frozen=True, slots=True)
class PoolRequest:
    """``master`` as the user gave it, ``workers`` processes, and the name Spark shows for the job."""

    master: str | None
    workers: int
    app: str


@contextmanager
def _here(request: PoolRequest) -> Iterator[WorkerPool]:
    if request.workers == 1:
        from snowetl.workers.in_process import InProcess

        yield InProcess()
        return
    from snowetl.workers.process_pool import ProcessPool

    pool = ProcessPool(request.workers)
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def _on_spark(request: PoolRequest) -> Iterator[WorkerPool]:
    from snowetl.workers.spark import SparkPool

    if request.workers > 1:
        raise UsageError("--workers is for --master none; on Spark the master says how many (local[4])")
    pool = SparkPool(request.app, request.master)
    try:
        yield pool
    finally:
        pool.close()


Opener = Callable[[PoolRequest], AbstractContextManager[WorkerPool]]

MASTERS: dict[str, tuple[re.Pattern[str], Opener]] = {
    "none": (re.compile("none"), _here),
    "local": (re.compile("local"), _on_spark),
    "local[N]": (re.compile(r"local\[(\d+|\*)(, *\d+)?\]"), _on_spark),
    "local-cluster[N,CORES,MB]": (re.compile(r"local-cluster\[ *\d+ *, *\d+ *, *\d+ *\]"), _on_spark),
    "yarn": (re.compile("yarn"), _on_spark),
    "spark://HOST:PORT": (re.compile("spark://.+"), _on_spark),
    "k8s://URL": (re.compile("k8s://.+"), _on_spark),
}
"""What ``--master`` takes, as it is shown; a pattern for it; what opens the pool."""


@contextmanager
def open_pool(
    master: str | None,
    workers: int,
    app: str,
    *,
    input_bytes: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[WorkerPool]:
    """The pool ``master`` stands for: ``none`` is this machine without Spark; ``None`` is what Spark is set up for.

    Without a master, and where no cluster is set up, input of fewer than :data:`SMALL_INPUT` bytes is worked on here,
    and ``say`` hears so. Raises :class:`UsageError` for an unknown master; Spark starts with the first task.
    """
    request = PoolRequest(master, workers, app)
    if master is None and input_bytes is not None and input_bytes < SMALL_INPUT and not _spark_is_set_up():
        say("the input is small: working in this process (--master 'local[*]' starts Spark)")
        opener: Opener = _here
    else:
        opener = _on_spark if master is None else _opener(master)
    with opener(request) as pool:
        yield pool


def _opener(master: str) -> Opener:
    for pattern, opener in MASTERS.values():
        if pattern.fullmatch(master):
            return opener
    raise UsageError(f"--master {master}: no such master. Give one of: {', '.join(MASTERS)}")


def _spark_is_set_up() -> bool:
    """Whether spark-submit, a session that is open, or Spark's configuration says where to work."""
    from snowetl.workers.spark_session import is_set_up

    return is_set_up()
