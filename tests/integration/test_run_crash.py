"""``snowetl run`` killed (the whole process group, SIGKILL) at any moment and run again: always the same tables.

``SNOWETL_CRASHES=30 pytest tests/integration/test_run_crash.py`` kills at as many moments, spread over all phases of a
run; ``SNOWETL_CRASH_MASTER=local[2]`` does so on Spark.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from snowetl.load.embedded import embedded_postgres
from tests.integration.support import ROOT, environment

pytestmark = pytest.mark.slow

CRASHES = int(os.environ.get("SNOWETL_CRASHES", "6"))
MASTER = os.environ.get("SNOWETL_CRASH_MASTER", "none")
RUN = "2026-03-05-00-00-02"
PHASES = ("start", "enrich", "transform", "load")
OF_THE_CLOCK = {"ingestion_tstamp", "shredding_started", "shredding_completed"}


def command(folder: Path, master: str) -> list[str]:
    return [
        *(sys.executable, "-m", "snowetl", "run", "--input-folder", "fixtures/logs/thrift", "--input-format", "thrift"),
        *("--output-folder", str(folder), "--iglu-config", "fixtures/resolver.json", "--split-size", "64k"),
        *("--enrichments", "fixtures/enrichments", "--run-id", RUN, "--master", master),
    ]


class Job:
    """A run as a process group of its own, and the times at which its phases began."""

    def __init__(self, folder: Path, master: str) -> None:
        self.began = {"start": time.monotonic()}
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command(folder, master),
            cwd=ROOT,
            env=environment(SPARK_LOCAL_DIRS=str(folder.parent / "spark")),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            self.began.setdefault(line.partition(":")[0], time.monotonic())

    def end(self) -> dict[str, float]:
        """Wait for the end; how long each phase took. A run that was done before has none."""
        assert self.process.wait(timeout=300) == 0, "".join(self.lines)
        self._reader.join()
        if "load" not in self.began:
            return {}
        ends = [*(self.began[phase] for phase in PHASES[1:]), time.monotonic()]
        return {phase: end - self.began[phase] for phase, end in zip(PHASES, ends, strict=True)}

    def kill_in(self, phase: str, delay: float) -> bool:
        """Kill the process group ``delay`` seconds after ``phase`` began; whether that was before its end."""
        while phase not in self.began and self.process.poll() is None:
            time.sleep(0.002)
        time.sleep(max(0.0, self.began.get(phase, 0) + delay - time.monotonic()))
        early = self.process.poll() is None
        if early:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=60)
        return early


def tables(folder: Path) -> dict[str, list[str]]:
    """Everything in the warehouse, but the times at which it came there; the place of the run's files masked."""
    with embedded_postgres(folder / "warehouse") as url, psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT table_name, array_agg(quote_ident(column_name) ORDER BY ordinal_position) "
            "FROM information_schema.columns WHERE table_schema = 'atomic' AND column_name <> ALL(%s) GROUP BY 1",
            [list(OF_THE_CLOCK)],
        ).fetchall()
        return {
            name: sorted(
                text.replace(str(folder), "")
                for (text,) in connection.execute(
                    f'SELECT ROW({", ".join(columns)})::text FROM atomic."{name}"'  # type: ignore[arg-type]
                )
            )
            for name, columns in names
        }


_undisturbed: dict[str, tuple[dict[str, Any], dict[str, float]]] = {}


def undisturbed(tmp_path_factory: pytest.TempPathFactory, master: str) -> tuple[dict[str, Any], dict[str, float]]:
    if master not in _undisturbed:
        folder = tmp_path_factory.mktemp("undisturbed") / "out"
        seconds = Job(folder, master).end()
        _undisturbed[master] = tables(folder), seconds
    return _undisturbed[master]


def check(tmp_path: Path, factory: pytest.TempPathFactory, master: str, number: int) -> None:
    expected, seconds = undisturbed(factory, master)
    assert len(expected["events"]) > 2000
    dice = random.Random(number)
    phase = PHASES[number % len(PHASES)]
    folder = tmp_path / "out"
    delay = dice.uniform(0, seconds[phase])
    while not Job(folder, master).kill_in(phase, delay):  # it was over before: earlier, then
        shutil.rmtree(folder)
        delay /= 2
    Job(folder, master).end()
    found = tables(folder)
    assert sorted(found) == sorted(expected)
    for name, lines in expected.items():
        assert found[name] == lines, name


@pytest.mark.parametrize("number", range(CRASHES))
def test_killed_and_run_again(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, number: int) -> None:
    check(tmp_path, tmp_path_factory, MASTER, number)


@pytest.mark.spark
@pytest.mark.parametrize("number", [1, 2])
def test_killed_on_spark_and_run_again(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, number: int) -> None:
    check(tmp_path, tmp_path_factory, "local[2]", number)
