"""``snowetl load --listen``: on a queue of moto's server and a real PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from snowetl.cli.main import main
from snowetl.errors import ConfigError
from snowetl.load.announced import Announcements
from snowetl.load.report import LoadReport
from snowetl.steps.base import Unwatched
from snowetl.steps.listen import listen
from snowetl.steps.settings import LoadSettings
from tests.load.runs import event_line, make_run, query

ROOT = Path(__file__).parents[2]


class Heard(Unwatched):
    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.reports: list[LoadReport] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def done(self, report: Any) -> None:
        self.reports.append(report)


class Queue:
    def __init__(self, name: str) -> None:
        self.client = boto3.client("sqs")
        self.url = self.client.create_queue(QueueName=name)["QueueUrl"]

    def send(self, text: str) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody=text)

    def left(self) -> int:
        """Messages that wait or are hidden."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))


@pytest.fixture
def queue(aws: Any, request: pytest.FixtureRequest) -> Queue:
    return Queue(f"runs-{abs(hash(request.node.nodeid))}")


@pytest.fixture
def listening(queue: Queue, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """A loader at work in a thread."""
    monkeypatch.setattr("snowetl.load.announced._POLL_SECONDS", 1)
    settings = LoadSettings(listen=queue.url, database=database, iglu_config=str(ROOT / "fixtures/resolver.json"))
    heard, stop = Heard(), threading.Event()
    thread = threading.Thread(target=listen, args=(settings, heard, stop))
    thread.start()
    yield heard
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


def message(run: str) -> str:
    """What the transformer tells of a run folder."""
    document = json.loads((Path(run) / "shredding_complete.json").read_text())
    document["data"]["base"] = run
    return json.dumps(document)


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_runs_are_loaded_as_they_are_told_of(listening: Heard, queue: Queue, database: str, tmp_path: Path) -> None:
    run = make_run(tmp_path, [event_line(1)])
    other = make_run(tmp_path, [event_line(2)], run="run=2026-01-03-00-00-00")
    told = message(other)
    (Path(other) / "shredding_complete.json").unlink()  # the queue hears of a run before its folder does
    queue.send(message(run))
    queue.send(json.dumps({"Type": "Notification", "Message": told}))
    queue.send(message(run))
    until(lambda: len(listening.reports) == 3 and queue.left() == 0)
    assert sorted(report.outcome for report in listening.reports) == ["already loaded", "loaded", "loaded"]
    assert query(database, "SELECT count(*) FROM atomic.events") == [(2,)]
    assert (Path(run) / "_load_report.json").exists()
    assert listening.warnings == []


def test_what_cannot_be_loaded_stays_in_the_queue(
    listening: Heard, queue: Queue, database: str, tmp_path: Path
) -> None:
    queue.send("not a message")
    queue.send(json.dumps({"schema": "iglu:com.acme/other/jsonschema/1-0-0", "data": {"base": "/x"}}))
    broken = Path(make_run(tmp_path, [event_line(1)]))
    told = message(str(broken))
    next(broken.glob("output=good/**/*.gz")).unlink()
    queue.send(told)
    good = make_run(tmp_path, [event_line(2)], run="run=2026-01-03-00-00-00")
    queue.send(message(good))
    until(lambda: len(listening.reports) == 1 and len(listening.warnings) == 3)
    assert queue.left() == 3
    words = " ".join(listening.warnings)
    assert "cannot be read" in words and "does not know iglu:com.acme/other" in words and "is not whole" in words
    assert query(database, "SELECT count(*) FROM atomic.events") == [(1,)]


def test_a_message_is_hidden_as_long_as_it_is_held(queue: Queue) -> None:
    queue.send("x")
    announcements = Announcements(queue.url, visibility=2)
    held = announcements.next()
    assert held is not None
    with announcements.held(held, pytest.fail):
        time.sleep(3)
        answer = queue.client.receive_message(QueueUrl=queue.url, WaitTimeSeconds=0)
        assert "Messages" not in answer
    announcements.done(held)
    assert queue.left() == 0


@pytest.mark.slow
def test_SIGTERM_ends_it_cleanly(queue: Queue, database: str, tmp_path: Path) -> None:
    run = make_run(tmp_path, [event_line(1)])
    options = ["--listen", queue.url, "--iglu-config", "fixtures/resolver.json"]
    command = [sys.executable, "-m", "snowetl", "load", *options]
    environment = {**os.environ, "SNOWETL_DATABASE": database}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as loader:
        queue.send(message(run))
        until(lambda: queue.left() == 0)
        loader.send_signal(signal.SIGTERM)
        said = loader.communicate(timeout=60)[1]
    assert loader.returncode == 0 and "stopped; messages handled: 1" in said
    assert query(database, "SELECT count(*) FROM atomic.events") == [(1,)]


@pytest.mark.parametrize("more", [["--dry-run"], ["--retry-rejected"], ["-i", "out"]])
def test_settings_that_contradict_it_are_refused(
    more: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["load", "--listen", "q", "--iglu-config", "fixtures/resolver.json", *more]) == 2
    assert "--listen takes the runs that its queue tells of" in " ".join(capsys.readouterr().err.split())


def test_a_queue_that_is_not_there_is_named(aws: Any, database: str) -> None:
    settings = LoadSettings(listen="nobody", database=database, iglu_config=str(ROOT / "fixtures/resolver.json"))
    with pytest.raises(ConfigError, match="cannot listen to the queue nobody: there is no such queue"):
        listen(settings, Heard())
