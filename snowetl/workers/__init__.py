"""Where the tasks of a step run: in this process, in a few processes, on Spark, or where another package says.

``--master`` chooses (:mod:`snowetl.workers.masters`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from snowetl.workers.base import Advance, Pickled, Task, WorkerPool, once_per_process, unheard
from snowetl.workers.masters import PoolRequest, opener_of
from snowetl.workers.work import Work, WorkList

__all__ = ["Advance", "Pickled", "Task", "Work", "WorkList", "WorkerPool", "once_per_process", "open_pool", "unheard"]

SMALL_INPUT = 8 << 20
"""Input of fewer bytes is done in this process sooner than Spark starts (some ten seconds)."""


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
    and ``say`` hears so. Raises :class:`UsageError` for an unknown master; Spark starts with the first task,
    and ``say`` is called with that, too.
    """
    request = PoolRequest(master, workers, app, say)
    if master is None and input_bytes is not None and input_bytes < SMALL_INPUT and not _spark_is_set_up():
        say("the input is small: working in this process (--master 'local[*]' starts Spark)")
        master = "none"
    with opener_of(master)(request) as pool:
        yield pool


def _spark_is_set_up() -> bool:
    """Whether spark-submit, a session that is open, or Spark's configuration says where to work."""
    from snowetl.workers.spark_session import is_set_up

    return is_set_up()
