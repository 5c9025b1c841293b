"""A run as a process of its own: ``snowetl run --run-id RUN``, with its secrets in the environment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, replace

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
        process = subprocess.Popen(
            [sys.executable, "-m", "snowetl", "run", *given.to_argv()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=os.environ | given.to_environment(),
            start_new_session=True,  # Ctrl-C is for the backfill, which tells its runs
        )
        lines: list[str] = []
        reader = threading.Thread(target=_keep_last, args=(process, lines), daemon=True)
        reader.start()
        told = False
        while process.poll() is None:
            if self.stop.wait(0 if told else _LOOK_SECONDS) and not told:
                process.terminate()
                told = True
            if told:
                process.wait()
        reader.join(timeout=5)
        return " ".join(lines) or f"it ended with {process.returncode}"


def _keep_last(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line.strip())
        del lines[:-_LINES_KEPT]
