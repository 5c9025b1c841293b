"""Files in a session, and what a session leaves behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

pytestmark = pytest.mark.spark


def test_files_of_one_name_reach_workers_side_by_side(tmp_path: Path) -> None:
    from pyspark import SparkFiles

    from snowetl.workers.spark_files import ship
    from snowetl.workers.spark_session import open_session

    paths = []
    for content in ("one", "two"):
        path = tmp_path / content / "rules.yml"
        path.parent.mkdir()
        path.write_text(content)
        paths.append(str(path))
    session, ours = open_session("shipping", "local[1]")
    try:
        first = ship(session.sparkContext, paths[:1])
        names = ship(session.sparkContext, paths)
        assert names[paths[0]] == first[paths[0]]
        read = session.sparkContext.parallelize(list(names.values()), 2).map(
            lambda name: Path(SparkFiles.get(name)).read_text()
        )
        assert read.collect() == ["one", "two"]
    finally:
        if ours:
            session.stop()


def test_ctrl_c_means_the_same_before_during_and_after_a_session() -> None:
    """Spark's own handler would outlive its context, and fail with it gone."""
    from snowetl.workers.spark_session import open_session

    before = signal.getsignal(signal.SIGINT)
    session, ours = open_session("interrupts", "local[1]")
    try:
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        if ours:
            session.stop()
    assert signal.getsignal(signal.SIGINT) is before
