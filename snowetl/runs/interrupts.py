"""What an interrupt must not cut in two: a request that takes or gives back what others wait for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def deferred() -> Iterator[None]:
    """Ctrl-C or SIGTERM takes effect when the block is done; a second one at once.

    Python interrupts the main thread only: in any other this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}
    came: list[tuple[int, FrameType | None]] = []

    def restore() -> None:
        while before:
            signal.signal(*before.popitem())

    def note(number: int, frame: FrameType | None) -> None:
        came.append((number, frame))
        restore()

    for one in _SIGNALS:
        if callable(signal.getsignal(one)):  # not one that is ignored, or left to the system
            before[one] = signal.signal(one, note)
    try:
        yield
    finally:
        restore()
        for number, frame in came[:1]:
            handler = signal.getsignal(number)
            if callable(handler):
                handler(number, frame)


@contextmanager
def again() -> Iterator[None]:
    """Inside, after a first Ctrl-C or SIGTERM, another one of either interrupts again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, _interrupt) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
