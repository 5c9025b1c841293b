"""What ``--master`` takes: a table, and what other packages add under the entry point ``snowetl.masters``.

A pool of another package is one entry point: its name is what ``--master`` takes (``NAME``, ``NAME:…``), its value
opens the pool (an :data:`Opener`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from snowetl import extensions
from snowetl.errors import UsageError
from snowetl.problems import did_you_mean
from snowetl.workers.base import WorkerPool

ENTRY_POINT_GROUP = "snowetl.masters"


@dataclass(frozen=True, slots=True)
class PoolRequest:
    """``master`` as the user gave it, ``workers`` processes, and the name Spark shows for the job."""

    master: str | None
    workers: int
    app: str
    say: Callable[[str], None] = lambda text: None
    """Hears what takes long: the start of Spark."""


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
    pool = SparkPool(request.app, request.master, request.say)
    try:
        yield pool
    finally:
        pool.close()


Opener = Callable[[PoolRequest], AbstractContextManager[WorkerPool]]

MASTERS: Mapping[str, tuple[re.Pattern[str], Opener]] = {
    "none": (re.compile("none"), _here),
    "local": (re.compile("local"), _on_spark),
    "local[N]": (re.compile(r"local\[(\d+|\*)(, *\d+)?\]"), _on_spark),
    "local-cluster[N,CORES,MB]": (re.compile(r"local-cluster\[ *\d+ *, *\d+ *, *\d+ *\]"), _on_spark),
    "yarn": (re.compile("yarn"), _on_spark),
    "spark://HOST:PORT": (re.compile("spark://.+"), _on_spark),
    "k8s://URL": (re.compile("k8s://.+"), _on_spark),
}
"""What ``--master`` takes, as it is shown; a pattern for it; what opens the pool."""


@cache
def masters() -> Mapping[str, tuple[re.Pattern[str], Opener]]:
    """All masters: those of this package, then those of other installed packages. Raises :class:`ConfigError`."""
    added = extensions.installed(ENTRY_POINT_GROUP, "master", _fault)
    return {**{one.name: (re.compile(rf"{re.escape(one.name)}(:\S*)?"), one.value) for one in added}, **MASTERS}


def _fault(value: Any) -> str | None:
    return None if callable(value) else "must be a function that opens a worker pool (snowetl.workers.masters.Opener)"


def opener_of(master: str | None) -> Opener:
    """What opens the pool of a master; ``None`` is what Spark is set up for.

    Raises :class:`UsageError` for a master that is unknown, naming those there are.
    """
    if master is None:
        return _on_spark
    for pattern, opener in masters().values():
        if pattern.fullmatch(master):
            return opener
    known = list(masters())
    raise UsageError(f"'{master}' is not a master{did_you_mean(master, known)}: give one of {', '.join(known)}")
