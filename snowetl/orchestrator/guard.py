"""Runs a program that ends when standard input does: ``guard.py SIGNAL group|program SECONDS PROGRAM [ARGUMENT…]``.

Standard input is a pipe whose other end only the starting process holds (:mod:`snowetl.orchestrator.attached`), so it
ends however that process ends. Then the program, or its whole group of processes, gets the signal, and after so many
seconds (``0``: never) the group is killed. A script on its own: it starts at once, and imports nothing of ours.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

NOT_STARTED = 127


def main(arguments: list[str]) -> int:
    """The program's exit code; 128 and the signal's number where a signal ended it, as shells tell it."""
    number, scope, seconds, *command = arguments
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _nothing)  # a handler, for what is ignored here would be ignored by the program, too
    try:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return NOT_STARTED
    end = (program, int(number), scope == "group", float(seconds) or None)
    threading.Thread(target=_end_with_input, args=end, daemon=True).start()
    code = program.wait()
    return code if code >= 0 else 128 - code


def _end_with_input(program: subprocess.Popen[bytes], number: int, group: bool, seconds: float | None) -> None:
    while os.read(0, 4096):
        pass
    if group:
        os.killpg(0, number)
    else:
        program.send_signal(number)
    try:
        program.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


def _nothing(*_: object) -> None:
    """The program hears the signal; this script goes on until that has ended."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
