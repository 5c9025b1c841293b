"""A verb of snowetl as a process that ends before its time, and everything it started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tests.integration.support import ROOT, environment

HOOK = Path(__file__).with_name("hook")
MARK = "SNOWETL_CRASH_CASE"
"""Every process that a verb started has it in its environment."""
_STEP = re.compile(r"\b(enrich|transform|load): ")
_LONGEST_SECONDS = 300
_POLL_SECONDS = 0.001


class Victim:
    """A verb that runs, in a process group of its own."""

    def __init__(self, arguments: Sequence[str], place: Path, mark: str, env: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.started = time.monotonic()
        self.began = {"start": self.started}
        self.shot: str | None = None
        self._mark = mark
        self._shooting = threading.Lock()
        path = os.pathsep.join([str(HOOK), str(ROOT)])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "snowetl", *arguments],
            cwd=ROOT,
            env=environment(**{MARK: mark, "SNOWETL_CRASH_PARENT": str(os.getpid())}) | {"PYTHONPATH": path} | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def told(self) -> str:
        return "".join(self.lines[-40:])

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            match = _STEP.search(line)
            if match:
                self.began.setdefault(match[1], time.monotonic())

    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait(self) -> int:
        """The exit code. Raises ``AssertionError`` for a verb that does not end."""
        try:
            code = self.process.wait(timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(1)
            self.shoot("kill", "it does not end")
            raise AssertionError(f"the verb did not end within {_LONGEST_SECONDS} s: {self.told}") from None
        self._reader.join(timeout=5)
        return code

    def phases(self) -> dict[str, float]:
        """How long each phase took, of a verb that has ended."""
        names = list(self.began)
        ends = [*(self.began[name] for name in names[1:]), time.monotonic()]
        return {name: end - self.began[name] for name, end in zip(names, ends, strict=True)}

    def shoot(self, how: str, why: str) -> None:
        """End the verb as ``how`` says: the whole group, or only its first process; once."""
        with self._shooting:
            if self.shot is not None or not self.is_running():
                return
            self.shot = why
            if how == "term":
                self.process.send_signal(signal.SIGTERM)
            elif how == "orphan":
                self.process.kill()
            else:
                os.killpg(self.process.pid, signal.SIGKILL)

    def shoot_in(self, how: str, phase: str, delay: float) -> None:
        """``delay`` seconds after ``phase`` began."""
        while phase not in self.began and self.is_running():
            time.sleep(_POLL_SECONDS)
        end = self.began.get(phase, 0.0) + delay
        while time.monotonic() < end and self.is_running():
            time.sleep(_POLL_SECONDS)
        self.shoot(how, f"{delay:.3f} s after {phase} began")

    def shoot_in_copy(self, how: str, nth: int) -> None:
        """When a server process is seen at COPY for the ``nth`` time."""
        seen = 0
        while self.is_running():
            for process in processes_of(self._mark):
                try:
                    seen += any(" COPY" in word for word in process.cmdline()[:1])
                except psutil.Error:
                    continue
                if seen >= nth:
                    self.shoot(how, f"inside COPY ({seen} times seen)")
                    return
            time.sleep(_POLL_SECONDS)


def processes_of(mark: str) -> list[psutil.Process]:
    """All processes that a verb with this mark has started and that still are there."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if f"{MARK}={mark}\0".encode() in (folder / "environ").read_bytes():
                    found.append(psutil.Process(int(folder.name)))
            except (OSError, psutil.Error):
                continue
    return found


def workers_left(mark: str, seconds: float) -> list[str]:
    """What is still at work after ``seconds``; the database server may be: the next verb uses and ends it."""
    end = time.monotonic() + seconds
    while True:
        left = [text for process in processes_of(mark) if "postgres" not in (text := describe(process))]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.02)


def describe(process: psutil.Process) -> str:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return "postgres zombie"
        return f"{process.pid} {' '.join(process.cmdline())}"[:200]
    except psutil.Error:
        return "postgres gone"


def end_all(mark: str) -> None:
    """Nothing of the verb lives on, its database server neither."""
    ended = processes_of(mark)
    for process in ended:
        try:
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(ended, timeout=10)
