"""``snowetl.read_enriched`` from S3, and by Spark's workers."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pytest

from snowetl import read_enriched
from snowetl.storage import filesystem
from tests.analytics.test_enriched import bad_lines, folder, ids, read
from tests.steps.transform_support import event_id, write_registry, write_run

__all__ = ["folder"]


def test_events_on_s3(folder: Path, lake: str) -> None:
    for path in (folder / "enriched").rglob("part-*"):
        url = f"{lake}/{path.relative_to(folder).as_posix()}"
        filesystem(url).put(url, path.read_bytes())
    events = read_enriched(f"{lake}/enriched", iglu_config=write_registry(folder / "registry"))
    assert ids(events) == [1, 2, 3, 4, 5]


@pytest.mark.spark
def test_spark_reads_the_same(folder: Path) -> None:
    from snowetl.workers.spark_session import open_session

    write_run(folder / "enriched", [bad_lines()], "run=2026-01-04-00-00-00")
    session, ours = open_session("read", "local[2]")
    try:
        session.conf.set("spark.sql.session.timeZone", "UTC")
        events = read(folder)
        frame = events.to_spark(session)
        rows = frame.where("app_id = 'shop'").toArrow().to_pylist()
        assert events.bad_rows.total() == 3
        few = read(folder, columns=["event_id"], where=pc.field("txn_id") == 7).to_spark(session)
        assert [row.event_id for row in few.collect()] == [event_id(3)]
    finally:
        if ours:
            session.stop()
    with pytest.warns(UserWarning, match="3 lines"):
        expected = sorted(read(folder).to_arrow().to_pylist(), key=lambda row: row["event_id"])
    assert sorted(rows, key=lambda row: row["event_id"]) == expected
