"""How far a job is: a bar on a terminal, a line every half minute elsewhere (with ``--verbose`` every 5 seconds)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from snowetl.cli import console
from snowetl.settings.words import duration_text

_LINE_SECONDS = 30.0
_VERBOSE_LINE_SECONDS = 5.0


@contextmanager
def progress(total_bytes: int, stage: str = "") -> Iterator[Callable[[int, int], None]]:
    """Yields the function to call with the records and input bytes done since the last call (from any thread).

    ``stage`` says what is worked on: ``2/3 transform``.
    """
    bar = console.on_terminal() and console.manner.log_format == "text" and not console.manner.quiet
    with _bar(total_bytes, stage) if bar else _lines(total_bytes, stage) as advance:
        yield advance


@contextmanager
def _bar(total_bytes: int, stage: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    state = _State(total_bytes)
    columns = (
        *((TextColumn("{task.description}"),) if stage else ()),
        *(BarColumn(), DownloadColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn()),
    )
    terminal = Console(stderr=True)

    def above(text: str) -> None:
        terminal.print(text, markup=False, highlight=False, soft_wrap=True)

    with Progress(*columns, console=terminal, transient=True) as bar, console.beside_bar(above):
        task = bar.add_task(stage, total=total_bytes, rate="")

        def advance(records: int, size: int) -> None:
            state.add(records, size)
            bar.update(task, completed=state.bytes, rate=state.describe())

        yield advance


@contextmanager
def _lines(total_bytes: int, stage: str) -> Iterator[Callable[[int, int], None]]:
    state = _State(total_bytes)
    done = threading.Event()
    label = f"{stage}  " if stage else ""

    def report() -> None:
        while not done.wait(_VERBOSE_LINE_SECONDS if console.manner.verbose else _LINE_SECONDS):
            numbers = {"stage": stage, "records": state.records, "bytes": state.bytes, "totalBytes": total_bytes}
            console.say(f"{label}{state.percent():3.0f} %  {state.describe()}", **numbers)

    reporter = threading.Thread(target=report, name="progress-lines", daemon=True)
    reporter.start()
    try:
        yield state.add
    finally:
        done.set()
        reporter.join()


class _State:
    """What is done, and what that says about the rest."""

    def __init__(self, total_bytes: int) -> None:
        self.total = total_bytes
        self.records = 0
        self.bytes = 0
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def add(self, records: int, size: int) -> None:
        with self._lock:
            self.records += records
            self.bytes += size

    def percent(self) -> float:
        return 100 * self.bytes / self.total if self.total else 100.0

    def describe(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-3)
        text = f"{self.records:,} records, {self.records / seconds:,.0f}/s"
        if 0 < self.bytes < self.total:
            text += f", {duration_text(seconds * (self.total - self.bytes) / self.bytes)} left"
        return text


class ConsoleWatch:
    """Tells a person how a step goes.

    ``shown`` makes text of the report of each run that is done, ``planned`` of what a dry run would do.
    """

    def __init__(self, shown: Callable[[Any], str] | None = None, planned: Callable[[Any], str] | None = None) -> None:
        self._shown = shown
        self._planned = planned

    def say(self, text: str) -> None:
        console.say(text)

    def warn(self, text: str) -> None:
        console.warn(text)

    def progress(self, total_bytes: int, stage: str = "") -> AbstractContextManager[Callable[[int, int], None]]:
        return progress(total_bytes, stage)

    def planned(self, plan: Any) -> None:
        if self._planned is not None:
            console.show(self._planned(plan))

    def done(self, report: Any) -> None:
        if self._shown is not None:
            console.summarize(self._shown(report))
