"""Starts programs that end with this process, however it ends: one that is killed leaves none that goes on alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import IO

_GUARD = Path(__file__).with_name("guard.py")


@dataclass(frozen=True, slots=True)
class Attached:
    """A program that runs: its output is read from ``output``. It is told to end by :meth:`end`."""

    process: subprocess.Popen[str]

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        signal: Signals,
        whole_group: bool,
        seconds: float = 0.0,
        errors_only: bool = False,
    ) -> Attached:
        """Start ``command``. Told to end, it gets ``signal`` (with all processes it has started, if ``whole_group``),
        and is killed after so many ``seconds``; 0: never. ``errors_only``: its standard output is thrown away.
        """
        scope = "group" if whole_group else "program"
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), str(int(signal)), scope, str(seconds), *command],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL if errors_only else subprocess.PIPE,
            stderr=subprocess.PIPE if errors_only else subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for us: we tell the program
        )
        return cls(process)

    @property
    def output(self) -> IO[str]:
        found = self.process.stdout or self.process.stderr
        assert found is not None
        return found

    def end(self) -> None:
        """Tell the program to end; it may take its time."""
        if self.process.stdin is not None:
            self.process.stdin.close()

    def wait(self, seconds: float | None = None) -> int | None:
        """The exit code; ``None`` if the program still runs after that many seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
