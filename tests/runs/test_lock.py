"""One job per run: locks that hold, locks that are stale, locks that were taken away."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import OutputExists, SnowetlError
from snowetl.runs import lock as lock_module
from snowetl.runs.lock import STALE_SECONDS, RunLock, is_stale


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "good" / "_lock-2026-01-02-03-04-05.json")


def claim(**changes: Any) -> dict[str, Any]:
    mine = {"token": "x", "host": socket.gethostname(), "pid": os.getpid(), "renewed": int(time.time() * 1000)}
    return mine | changes


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def write(url: str, holder: object) -> None:
    Path(url).parent.mkdir(parents=True, exist_ok=True)
    Path(url).write_text(json.dumps(holder))


def test_a_lock_comes_and_goes(url: str) -> None:
    with RunLock(url) as lock:
        holder = json.loads(Path(url).read_text())
        assert (holder["pid"], holder["host"]) == (os.getpid(), socket.gethostname())
        lock.check()
    assert list(Path(url).parent.iterdir()) == []


def test_a_lock_goes_when_the_job_fails(url: str) -> None:
    with pytest.raises(ZeroDivisionError), RunLock(url):
        _ = 1 / 0
    assert not Path(url).exists()


def test_the_second_job_is_told_who_holds_the_lock(url: str) -> None:
    with RunLock(url), pytest.raises(OutputExists) as error, RunLock(url):
        pass
    message = str(error.value)
    assert f"process {os.getpid()}" in message
    assert socket.gethostname() in message
    assert f"delete {url}" in message


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        ({}, False),
        ({"host": "elsewhere", "pid": 1}, False),
        ({"renewed": int((time.time() - STALE_SECONDS - 5) * 1000)}, True),
        ({"host": "elsewhere", "renewed": int((time.time() - STALE_SECONDS - 5) * 1000)}, True),
        ({"pid": dead_pid()}, True),
        ({"pid": dead_pid(), "host": "elsewhere"}, False),
        ({"renewed": None}, True),
    ],
)
def test_stale(changes: dict[str, Any], stale: bool) -> None:
    assert is_stale(claim(**changes)) is stale


@pytest.mark.parametrize("holder", [claim(pid=dead_pid()), "damaged", {}])
def test_a_stale_lock_is_taken_over(url: str, holder: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "_SETTLE_SECONDS", 0.01)
    write(url, holder)
    with RunLock(url) as lock:
        lock.check()
        assert json.loads(Path(url).read_text())["pid"] == os.getpid()
    assert not Path(url).exists()


def test_of_two_that_take_over_one_leaves(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(url, claim(pid=dead_pid()))
    monkeypatch.setattr(time, "sleep", lambda _: write(url, claim(token="the other")))
    with pytest.raises(OutputExists, match="just taken over"), RunLock(url):
        pass
    assert json.loads(Path(url).read_text())["token"] == "the other"


def test_a_lock_that_was_taken_away_is_noticed_and_left_alone(url: str) -> None:
    with RunLock(url) as lock:
        write(url, claim(token="the other"))
        with pytest.raises(SnowetlError, match="publishes nothing"):
            lock.check()
    assert json.loads(Path(url).read_text())["token"] == "the other"


def test_a_held_lock_is_renewed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "RENEW_SECONDS", 0.02)
    with RunLock(url):
        first = json.loads(Path(url).read_text())["renewed"]
        time.sleep(0.2)
        assert json.loads(Path(url).read_text())["renewed"] > first
