"""Linear time, asserted without a clock: four times the input takes at most six times the processor time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

FACTOR = 4
LIMIT = 6
ROUNDS = 12
_RESOLUTION = 0.002
"""Seconds below which a measurement says nothing."""

Work = Callable[[], object]


def assert_linear(prepare: Callable[[int], Work], size: int, about: object = "") -> None:
    """``prepare(n)`` makes input of size ``n`` and returns what is to be measured on it.

    Both sizes are measured in turn, the best of each counts, and a round that shows linear time ends the test: other
    work on the machine can only make a pass slower.
    """
    small, large = prepare(size // FACTOR), prepare(size)
    least_small = least_large = float("inf")
    for _ in range(ROUNDS):
        least_small = min(least_small, processor_seconds(small))
        least_large = min(least_large, processor_seconds(large))
        if least_large <= LIMIT * max(least_small, _RESOLUTION):
            return
    raise AssertionError(
        f"{about} {FACTOR} times the input took {least_large / least_small:.1f} times the processor time "
        f"({least_small:.4f} s, {least_large:.4f} s); linear work stays below {LIMIT}"
    )


def processor_seconds(work: Work) -> float:
    """Processor time of this process for one call, without that of the garbage collector (as ``timeit`` does)."""
    gc.disable()
    try:
        started = time.process_time()
        work()
        return time.process_time() - started
    finally:
        gc.enable()
