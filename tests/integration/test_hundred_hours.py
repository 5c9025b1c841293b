"""A hundred hours of a schedule over a folder that grows as real ones do: every event is in the warehouse once.

The hours are simulated, all else is real. A run may stop at a moment of chance, as it does when its machine goes away;
the next hour goes on with it. The moments are those of the seed.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from snowetl.errors import NothingToDo
from snowetl.load.embedded import embedded_postgres
from snowetl.load.warehouses.redshift import warehouse as redshift
from snowetl.orchestrator import driver
from snowetl.orchestrator.settings import RunSettings
from snowetl.steps.base import Unwatched, World
from tests.aws_server import aws_server
from tests.integration.support import ROOT
from tests.integration.test_growing import hit
from tests.load.redshift_standin import StandIn

pytestmark = pytest.mark.long
HOURS = 100
HOUR = 3600
START = (int(time.time()) // HOUR - 2 * HOURS) * HOUR
"""Epoch seconds. Some days ago: what earlier batches had is forgotten after half a year, by the real clock."""
SETTLE = 600
STOPS = 0.2
"""Share of the hours whose run is stopped half-way."""
BUCKET = "lake"


class Stopped(BaseException):
    """The process is gone: nothing that handles errors hears of it."""


@dataclass
class Stopping(Unwatched):
    """Stops a run at the ``nth`` thing it says, and keeps what was said before."""

    nth: int | None = None
    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)
        if self.nth is not None and len(self.said) >= self.nth:
            raise Stopped

    def warn(self, text: str) -> None:
        self.said.append(text)


@dataclass
class Collector:
    """Writes logs as time goes by. ``expected`` is what has to be in the warehouse in the end."""

    folder: Path
    dice: random.Random
    hour: int = 0
    written: int = 0
    expected: set[int] = field(default_factory=set)
    files: dict[str, list[int]] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    """The hour in which each file was written."""
    begun: tuple[str, list[int]] | None = None
    happened: dict[str, int] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return START + self.hour * HOUR

    def next_hour(self) -> None:
        """Two usual files, and what chance adds."""
        self.hour += 1
        for part in range(2):
            self.write(f"{self.hour:04d}-{part}.log", self.events(3))
        if self.begun is not None:  # what was half written an hour ago is complete now
            name, events = self.begun
            self.begun = None
            self.write(name, events + self.events(2), "grew")
        for happens in (self.late, self.copy, self.replace, self.vanish, self.begin):
            if self.dice.random() < 0.25:
                happens()

    def events(self, number: int) -> list[int]:
        self.written += number
        return list(range(self.written - number, self.written))

    def write(self, name: str, events: list[int], what: str = "usual", age: int = HOUR // 2) -> None:
        path = self.folder / name
        path.write_text("".join(map(hit, events)))
        os.utime(path, (self.now - age, self.now - age))
        self.expected |= set(events)
        self.files[name] = events
        self.since[name] = self.hour
        self.note(what)

    def note(self, what: str) -> None:
        self.happened[what] = self.happened.get(what, 0) + 1

    def late(self) -> None:
        """A file whose name stands before those of earlier hours."""
        self.write(f"{max(self.hour - 5, 0):04d}-late-{self.hour}.log", self.events(2), "late")

    def copy(self) -> None:
        """The content of another file under a name of its own: a new file, but no new events."""
        name = self.dice.choice(sorted(self.files))
        self.write(f"{self.hour:04d}-copy.log", self.files[name], "copied")

    def old(self) -> list[str]:
        """Files that were taken long ago, even if runs were stopped hour by hour."""
        return [name for name in sorted(self.files) if self.since[name] < self.hour - 12]

    def replace(self) -> None:
        """Somebody changes a file that was taken long ago: it is named, and left alone."""
        old = self.old()
        if old:
            name = self.dice.choice(old)
            path = self.folder / name
            path.write_text("".join(map(hit, [1_000_000 + self.hour])))
            os.utime(path, (self.now - HOUR // 2,) * 2)
            del self.files[name]
            self.note("replaced")

    def vanish(self) -> None:
        """A lifecycle rule removes a file that was taken long ago."""
        old = self.old()
        if old:
            name = self.dice.choice(old)
            (self.folder / name).unlink()
            del self.files[name]
            self.note("vanished")

    def begin(self) -> None:
        """A file of which only the beginning is there when the run starts: its writer is at work."""
        events = self.events(2)
        self.begun = (f"{self.hour:04d}-begun.log", events)
        path = self.folder / self.begun[0]
        path.write_text("".join(map(hit, events)))
        os.utime(path, (self.now - 5, self.now - 5))


@contextmanager
def schedule(place: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], seed: int) -> Iterator[Collector]:
    """All hours, each with a run; then runs until nothing is new."""
    monkeypatch.chdir(ROOT)
    dice = random.Random(seed)
    raw = place / "raw"
    raw.mkdir()
    collector = Collector(raw, dice)
    monkeypatch.setattr(World, "of_now", classmethod(lambda cls: cls(collector.now * 1000)))
    usual: dict[str, Any] = {
        "input_folder": (str(raw), str(raw)),  # each file is listed twice
        "input_format": "cloudfront",
        "output_folder": str(place / "out"),
        "iglu_config": "fixtures/resolver.json",
        "enrichments": "fixtures/enrichments/event_fingerprint_config.json",  # tells copies of an event from others
        "master": "none",
        "workers": 1,
        "settle": SETTLE,
    }
    run = RunSettings(**(usual | settings))
    named = ""
    for _ in range(HOURS):
        collector.next_hour()
        nth = dice.randrange(1, 9) if dice.random() < STOPS else None
        watch = Stopping(nth)
        try:
            driver.run(run, watch)
        except Stopped:
            collector.note("stopped")
        except NothingToDo:
            collector.note("nothing new")
        named += "\n".join(watch.said)
    collector.begun = None
    for path in raw.iterdir():
        os.utime(path, (collector.now - HOUR,) * 2)
    while True:
        collector.hour += 1
        try:
            driver.run(run)
        except NothingToDo:
            break
    assert all(collector.happened.get(what, 0) > 3 for what in ("late", "copied", "grew", "stopped")), named
    for words in ("late: ", "changed since a run took them", "gone since a run took them"):
        assert words in named
    yield collector


def check(url: str, collector: Collector, place: Path) -> None:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT event_id FROM atomic.events").fetchall()
        loaded = connection.execute("SELECT count(*), count(DISTINCT base) FROM atomic.manifest").fetchone()
    found = sorted(int(str(row[0]).rpartition("-")[2]) for row in rows)
    assert found == sorted(collector.expected), collector.happened
    runs = sorted((place / "out" / "runs").glob("run=*"))
    assert loaded == (len(runs), len(runs))
    assert all((run / "report.json").exists() for run in runs)
    left = [path.name for path in (place / "out").rglob("*") if path.name.startswith((".", "._", "_lock", "_lease"))]
    assert left == []


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    with embedded_postgres(tmp_path / "pg") as url:
        yield url


def test_a_hundred_hours_into_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    settings = {"database": database, "duplicate_storage": database}
    with schedule(tmp_path, monkeypatch, settings, seed=1) as collector:
        check(database, collector, tmp_path)


def test_a_hundred_hours_into_redshift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(aws_server())
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        s3 = {"endpoint_url": url, **keys}
        for name, value in (("AWS_ENDPOINT_URL", s3["endpoint_url"]), ("AWS_ACCESS_KEY_ID", "test"),
                            ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_DEFAULT_REGION", "us-east-1")):  # fmt: skip
            monkeypatch.setenv(name, value)
        make: Any = boto3.client
        make("s3", **s3).create_bucket(Bucket=BUCKET)
        monkeypatch.setattr(redshift, "_driver", lambda: lambda **_: StandIn(database, s3))
        settings = {
            "warehouse": "redshift",
            "database": "redshift://loader:secret@cluster.example.com:5439/dev",
            "role_arn": "arn:aws:iam::123456789012:role/copy",
            "region": "us-east-1",
            "transformed_folder": f"s3://{BUCKET}/transformed",
            "duplicate_storage": database,
        }
        with schedule(tmp_path, monkeypatch, settings, seed=2) as collector:
            check(database, collector, tmp_path)
