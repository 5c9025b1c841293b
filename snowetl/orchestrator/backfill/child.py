"""A run as a process of its own: ``snowetl run --run-id RUN``, with its secrets in the environment. It ends with us."""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass, replace
from typing import IO

from snowetl.orchestrator.attached import Attached
from snowetl.orchestrator.settings import RunSettings

_LINES_KEPT = 5
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Child:
    """``stop`` is set when it shall end."""

    run: str
    settings: RunSettings
    stop: threading.Event

    def finish(self) -> str:
        """Wait until it has ended; what it said last, for a run that is not done then."""
        given = replace(self.settings, run_id=self.run, quiet=True, verbose=False)
        process = Attached.start(
            [sys.executable, "-m", "snowetl", "run", *given.to_argv()],
            environment=os.environ | given.to_environment(),
            signal=signal.SIGTERM,
            whole_group=False,
            errors_only=True,
        )
        lines: list[str] = []
        reader = threading.Thread(target=_keep_last, args=(process.output, lines), daemon=True)
        reader.start()
        while (code := process.wait(_LOOK_SECONDS)) is None:
            if self.stop.is_set():
                process.end()
        process.end()
        reader.join(timeout=5)
        return " ".join(lines) or f"it ended with {code}"


def _keep_last(output: IO[str], lines: list[str]) -> None:
    for line in output:
        lines.append(line.strip())
        del lines[:-_LINES_KEPT]
