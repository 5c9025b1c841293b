"""SIGKILL in the middle of a load into PostgreSQL: nothing of the run is visible, and the next try loads it once.

The moments are exact: the loader waits for a lock that the test holds, and dies waiting.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from tests.integration import test_growing
from tests.load.runs import CLICK, click_line, event_line, make_run, query

ROOT = Path(__file__).parents[2]
META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
EVENTS, MANIFEST = "SELECT count(*) FROM atomic.events", "SELECT count(*) FROM atomic.manifest"
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'atomic' ORDER BY 1"
LATER = "run=2026-01-03-00-00-00"
_SHORT = (
    "import sys; from snowetl.load.announced import Announcements; Announcements.__init__.__defaults__ = (None, 2); "
    "from snowetl.cli.main import main; sys.exit(main(sys.argv[1:]))"
)
"""snowetl, but a message that nobody deletes comes again after two seconds, not five minutes."""


def until(holds: Callable[[], Any]) -> None:
    give_up = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def at_work(url: str, waiting: bool = False) -> int:
    """Loaders that are connected, or wait for a lock."""
    condition = " AND wait_event_type = 'Lock'" if waiting else ""
    return int(query(url, f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'snowetl load' "
                          f"AND datname = current_database(){condition}")[0][0])  # fmt: skip


def start(*arguments: str, code: str | None = None, **environment: str) -> subprocess.Popen[str]:
    program = ["-m", "snowetl"] if code is None else ["-c", code]
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    """Whoever writes to the table waits; of ``manifest``, reading goes on."""
    mode = "EXCLUSIVE" if table == "manifest" else "ACCESS EXCLUSIVE"
    with psycopg.connect(url) as connection:
        connection.execute(f"LOCK TABLE atomic.{table} IN {mode} MODE")
        yield


def killed_at(url: str, table: str, loader: Callable[[], subprocess.Popen[str]]) -> None:
    """Start a loader, and kill it where it waits for a table; its session on the server ends, too."""
    with locked(url, table):
        process = loader()
        until(lambda: at_work(url, waiting=True) or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1]
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    until(lambda: at_work(url) == 0)


@pytest.fixture
def resolver(tmp_path: Path) -> str:
    """Of a registry that has ``com.acme/click``."""
    own = {"vendor": "com.acme", "name": "click", "format": "jsonschema", "version": "1-0-0"}
    schema = tmp_path / "registry/schemas/com.acme/click/jsonschema/1-0-0"
    schema.parent.mkdir(parents=True)
    schema.write_text(json.dumps({"$schema": META, "self": own} | CLICK["1-0-0"]))
    connection = {"embedded": {"path": str(tmp_path / "registry")}}
    repository = {"name": "Ours", "priority": 0, "vendorPrefixes": [], "connection": connection}
    document = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {"cacheSize": 500, "repositories": [repository]},
    }
    file = tmp_path / "resolver.json"
    file.write_text(json.dumps(document))
    return str(file)


def run_of(folder: Path, run: str = LATER) -> str:
    return make_run(folder, [event_line(n) for n in range(20)], [click_line(n, "x", "5") for n in range(20)], run=run)


@pytest.mark.parametrize("partition_by", [None, "month"])
@pytest.mark.parametrize("table", ["com_acme_click_1", "manifest"])
def test_the_first_rows_of_a_table(
    database: str, tmp_path: Path, resolver: str, table: str, partition_by: str | None
) -> None:
    """They are copied frozen, without indexes, into a table that was emptied: all of it is undone."""
    more = () if partition_by is None else ("--partition-by", partition_by)
    options = ("--iglu-config", resolver, "-q", *more)

    def load(folder: str) -> subprocess.Popen[str]:
        return start("load", "-i", folder, *options, SNOWETL_DATABASE=database)

    assert load(run_of(tmp_path, "run=2026-01-01-00-00-00")).wait(120) == 0
    with psycopg.connect(database) as connection:
        connection.execute("TRUNCATE atomic.events, atomic.com_acme_click_1")
    before = query(database, INDEXES)
    run = run_of(tmp_path)
    killed_at(database, table, lambda: load(run))
    assert (query(database, EVENTS), query(database, MANIFEST)) == ([(0,)], [(1,)])
    assert query(database, INDEXES) == before
    assert not (Path(run) / "_load_report.json").exists()
    for _ in range(2):
        assert load(run).wait(120) == 0
        assert (query(database, EVENTS), query(database, MANIFEST)) == ([(20,)], [(2,)])
        assert query(database, "SELECT count(*) FROM atomic.com_acme_click_1") == [(20,)]
    assert query(database, INDEXES) == before


@pytest.mark.slow
def test_a_loader_that_listens(aws: Any, database: str, tmp_path: Path, resolver: str) -> None:
    """Its message comes again, to whoever listens then."""
    client = boto3.client("sqs")
    queue = client.create_queue(QueueName=f"killed-{os.getpid()}")["QueueUrl"]

    def listener() -> subprocess.Popen[str]:
        given = ("load", "--listen", queue, "--iglu-config", resolver)
        return start(*given, code=_SHORT, SNOWETL_DATABASE=database)

    def left() -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = client.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))

    first = run_of(tmp_path, "run=2026-01-01-00-00-00")
    options = ("--iglu-config", resolver, "-q")
    assert start("load", "-i", first, *options, SNOWETL_DATABASE=database).wait(120) == 0
    run = Path(run_of(tmp_path))
    document = json.loads((run / "shredding_complete.json").read_text())
    document["data"]["base"] = f"{run}/"
    client.send_message(QueueUrl=queue, MessageBody=json.dumps(document))
    killed_at(database, "manifest", listener)
    assert query(database, EVENTS) == [(20,)] and left() == 1
    with listener() as second:
        try:
            until(lambda: left() == 0 or second.poll() is not None)
        finally:
            second.send_signal(signal.SIGTERM)
            said = second.communicate(timeout=90)[1]
    assert second.returncode == 0, said
    assert (query(database, EVENTS), query(database, MANIFEST)) == ([(40,)], [(2,)])


@pytest.mark.slow
def test_a_run_that_loads_into_two_databases(database: str, tmp_path: Path) -> None:
    """Dead in the second one: what the first has is left alone, and the second is loaded, once."""
    tmp_path.chmod(0o755)
    test_growing.write(tmp_path, "a.log", 1, 2, 3)
    id_ = "2026-03-05-12-00-00"
    given = test_growing.arguments(tmp_path, "--run-id", id_, "--also-load", database)
    assert start(*test_growing.arguments(tmp_path, "--run-id", id_, "--skip", "load,also-load")).wait(300) in (0, 3)
    empty = make_run(tmp_path / "none", [])
    assert (
        start("load", "-i", empty, "--iglu-config", "fixtures/resolver.json", SNOWETL_DATABASE=database).wait(120) == 0
    )
    killed_at(database, "manifest", lambda: start(*given))
    assert query(database, EVENTS) == [(0,)]
    assert test_growing.rows(tmp_path) == 3
    for _ in range(2):
        process = start(*given)
        said = process.communicate(timeout=300)[1]
        assert process.returncode in (0, 3), said
        assert query(database, EVENTS) == [(3,)] and test_growing.rows(tmp_path) == 3
    assert query(database, "SELECT count(*) FROM atomic.manifest WHERE count_good = 3") == [(1,)]
