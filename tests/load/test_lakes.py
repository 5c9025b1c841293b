"""Lakes: a load is several commits, each made once; vacuum; what is left of a commit that failed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from snowetl.errors import LoadError
from snowetl.load.engine import RunLoader
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from snowetl.load.target import Target
from snowetl.load.warehouses import delta
from snowetl.load.warehouses.iceberg import table as iceberg
from snowetl.load.warehouses.iceberg.catalog import explained
from tests.load.places import start
from tests.load.places.base import Place
from tests.load.runs import Registry
from tests.load.test_wide_parquet import CLICK
from tests.load.transformed import click, event, wide_run

pytestmark = pytest.mark.slow

TABLES: dict[str, Any] = {"delta": delta.DeltaTable, "iceberg": iceberg.IcebergTable}


@pytest.fixture(params=[*TABLES])
def lake(request: pytest.FixtureRequest) -> Place:
    return start(request.param, request)


@pytest.fixture
def bad(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "bad.txt"
    path.write_text("no json\nnor this\n")
    yield str(path)


@pytest.mark.parametrize("commits", [0, 1, 2])
def test_a_load_goes_on_where_it_was_killed(
    lake: Place, tmp_path: Path, bad: str, commits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = wide_run(tmp_path, [click(1, url="x"), event(2)], click=CLICK)
    append, done = TABLES[lake.kind].append, []

    def killed(self: Any, rows: Any, marks: Any) -> bool:
        if len(done) == commits:
            raise KeyboardInterrupt
        done.append(self)
        return bool(append(self, rows, marks))

    monkeypatch.setattr(TABLES[lake.kind], "append", killed)
    with pytest.raises(KeyboardInterrupt):
        lake.load_from(run, bad=bad)
    assert (lake.count("events"), lake.count("bad_rows"), lake.count("manifest")) == (
        2 * (commits > 0), 2 * (commits > 1), 0,
    )  # fmt: skip
    monkeypatch.undo()
    report = lake.load_from(run, bad=bad)
    assert report.outcome == "loaded" and [table.rows for table in report.tables] == [2, 2]
    assert (lake.count("events"), lake.count("bad_rows"), lake.count("manifest")) == (2, 2, 1)
    assert lake.load_from(run, bad=bad).outcome == "already loaded"


def test_a_run_is_known_after_a_vacuum(lake: Place, tmp_path: Path, bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iceberg, "_KEPT", timedelta(0))
    monkeypatch.setattr(iceberg.upkeep, "LEAST_FILES", 2)
    runs = [wide_run(tmp_path / str(n), [event(n)], run=f"run=2026-01-0{n}-00-00-00") for n in range(1, 4)]
    for run in runs:
        lake.load_from(run, bad=bad)
    with lake.target.open() as warehouse, warehouse.session() as session:
        for table in ("events", "bad_rows", "manifest"):
            session.vacuum(table)
    for run in runs:
        report = lake.load_from(run, bad=bad)
        assert (report.outcome, report.tables) == ("already loaded", [])
    assert (lake.count("events"), lake.count("bad_rows"), lake.count("manifest")) == (3, 6, 3)


def test_events_lie_apart_by_day_and_name(lake: Place, tmp_path: Path) -> None:
    lines = [event(1), event(2, event_name="page_view"), event(3, event_name=""), event(4)]
    lake.load(wide_run(tmp_path, lines))
    found = lake.query("SELECT event_name, count(*) FROM events GROUP BY 1 ORDER BY 1 NULLS FIRST")
    assert found == [(None, 1), ("click", 2), ("page_view", 1)]
    files = [*Path(str(lake.target.database)).rglob("events/**/*.parquet")]
    assert len(files) == 3


def test_a_commit_that_fails_leaves_no_rows(
    lake: Place, tmp_path: Path, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = wide_run(tmp_path, [event(1)])
    part = next(Path(run).glob("output=good/*.parquet"))
    content = part.read_bytes()
    half = len(content) // 8
    part.write_bytes(content[:4] + b"\x00" * half + content[4 + half :])  # the footer is whole
    with pytest.raises(LoadError, match="damaged"):
        lake.load_from(run, bad=bad)
    assert lake.count("events") == lake.count("manifest") == 0
    part.write_bytes(content)
    assert lake.load_from(run, bad=bad).outcome == "loaded"
    assert lake.count("events") == 1


def _answered(code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "GetTable"
    )


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (EndpointConnectionError(endpoint_url="https://glue"), True),
        (_answered("ExpiredTokenException"), True),
        (_answered("AccessDeniedException"), False),
        (OSError("AWS Error NETWORK_CONNECTION during PutObject operation"), True),
        (OSError("AWS Error ACCESS_DENIED during PutObject operation"), False),
    ],
)
def test_errors_of_a_catalog_and_its_storage(error: Exception, transient: bool) -> None:
    with pytest.raises(LoadError, match="there: ") as told, explained("there"):
        raise error
    assert told.value.transient == transient


def test_a_full_disk_is_not_the_catalogs() -> None:
    with pytest.raises(OSError, match="No space left"), explained("there"):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("kind", "database"), [("iceberg", "http://127.0.0.1:{}/?warehouse=x"), ("delta", "s3://bucket/lake")]
)
def test_a_lake_that_does_not_answer_is_tried_again(
    kind: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    said: list[str] = []
    target = Target(warehouse=kind, database=database.format(port))
    with target.open() as warehouse, pytest.raises(LoadError) as told:
        loader = RunLoader(warehouse, Registry(), retries=Retries(1, backoff=0.01), warn=said.append)
        loader.load(read_run(wide_run(tmp_path, [event(1)])))
    assert len(said) == 1 and "trying again" in said[0] and "\x1b" not in str(told.value)
