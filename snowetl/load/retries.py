"""Trying again after a passing failure (rdb-loader 5.6.3 ``retries``)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retries:
    """At most ``attempts`` further tries, waiting ``backoff`` seconds (doubling, half of it random), and no more
    once ``cumulative_bound`` seconds have passed since the first."""

    attempts: int = 3
    backoff: float = 30.0
    cumulative_bound: float = 1200.0

    def call(self, action: Callable[[], T], passing: Callable[[Exception], bool], tell: Callable[[str], None]) -> T:
        """The result of ``action``; errors that are not ``passing``, and the last one, are raised."""
        started = time.monotonic()
        for attempt in range(self.attempts):
            try:
                return action()
            except Exception as error:
                wait = self.backoff * 2**attempt
                wait -= random.uniform(0, wait / 2)
                late = time.monotonic() - started + wait > self.cumulative_bound
                if late or not passing(error):
                    raise
                tell(f"{error}; trying again in {wait:.0f} s")
                time.sleep(wait)
        return action()
