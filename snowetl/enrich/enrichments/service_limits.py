"""What keeps a batch of millions of events from harming an API: a rate all workers share, and a circuit breaker."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RATE_VARIABLE = "SNOWETL_API_REQUESTS_PER_SECOND"
"""How many requests a second all workers of a machine send together to one API. Read where the job starts."""

FAILURES_IN_A_ROW = 20
PAUSE_SECONDS = 10.0
_LONGEST_QUEUE = 1_000
_log = logging.getLogger("snowetl")


def configured_rate() -> float | None:
    """What the environment asks for; ``None`` for no limit. Raises ``ValueError``."""
    text = os.environ.get(RATE_VARIABLE, "").strip()
    if not text:
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1e9:
        raise ValueError(f"{RATE_VARIABLE} is '{text}', not a number above 0")
    return rate


class SharedRate:
    """Spaces the requests of all processes of this machine (and user) that go to ``host``.

    A small file holds the time of the next request that is free; a lock on it hands the times out one by one.
    """

    def __init__(
        self, host: str, per_second: float, folder: str | None = None, sleep: Callable[[float], Any] = time.sleep
    ) -> None:
        self._interval = 1 / per_second
        self._sleep = sleep
        name = hashlib.sha256(f"{host} {per_second}".encode()).hexdigest()[:16]
        path = Path(folder or tempfile.gettempdir(), f".snowetl-rate-{os.getuid()}-{name}")
        self._file: int | None = None
        self._next = 0.0
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            _log.warning("%s holds for each worker alone: %s cannot be used: %s", RATE_VARIABLE, path, error.strerror)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def wait(self) -> None:
        """Return when a request may be sent."""
        now = time.time()
        pause = self._turn(now) - now
        if pause > 0:
            self._sleep(pause)

    def _turn(self, now: float) -> float:
        if self._file is None:
            turn = self._in_order(self._next, now)
            self._next = turn + self._interval
            return turn
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            turn = self._in_order(_number(os.pread(self._file, 64, 0)), now)
            os.pwrite(self._file, f"{turn + self._interval:<32.6f}".encode(), 0)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return turn

    def _in_order(self, free: float, now: float) -> float:
        """The time that is free, or now. One far ahead is of a clock that was set back."""
        return free if now < free < now + self._interval * _LONGEST_QUEUE else now


def _number(content: bytes) -> float:
    try:
        return float(content)
    except ValueError:
        return 0.0


class CircuitBreaker:
    """Sends nothing for a while to a service that failed many times in a row; then tries it with one request."""

    def __init__(
        self, clock: Callable[[], float], failures: int = FAILURES_IN_A_ROW, pause: float = PAUSE_SECONDS
    ) -> None:
        self._clock = clock
        self._limit = failures
        self._pause = pause
        self._failures = 0
        self._last = ""
        self._closed_again = 0.0

    def refusal(self) -> str | None:
        """Why no request is sent now; ``None`` to send one."""
        if self._failures < self._limit or self._clock() >= self._closed_again:
            return None
        return f"No request was sent: the last {self._limit} requests in a row failed, at last: {self._last}"

    def failed(self, reason: str) -> None:
        self._failures = min(self._failures + 1, self._limit)
        self._last = reason
        if self._failures == self._limit:
            self._closed_again = self._clock() + self._pause

    def answered(self) -> None:
        self._failures = 0
