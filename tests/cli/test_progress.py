"""Progress: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snowetl.cli import progress as progress_module
from snowetl.cli.progress import progress

ROOT = Path(__file__).parents[2]


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress_module, "_LINE_SECONDS", 0.05)
    with progress(1000) as advance:
        advance(10, 250)
        time.sleep(0.2)
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith(" 25 %  10 records, ")
    assert first.endswith(" left")


def test_short_jobs_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(1000) as advance:
        advance(10, 1000)
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal() -> None:
    code = (
        "import time\nfrom snowetl.cli.progress import progress\n"
        "with progress(1000) as advance:\n advance(10, 250)\n time.sleep(0.5)\nprint('done')"
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=theirs,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # Linux says so when the other end is closed
        pass
    assert process.wait(timeout=30) == 0
    os.close(ours)
    assert b"10 records" in shown
    assert b"left" in shown
