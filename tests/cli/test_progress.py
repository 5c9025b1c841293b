"""Progress: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from snowetl.cli import console
from snowetl.cli import progress as progress_module
from snowetl.cli.progress import ConsoleWatch, progress
from snowetl.steps.base import Numbered
from snowetl.steps.stream import stream
from snowetl.storage.splits import Slice, Split
from snowetl.workers import Advance, Work
from snowetl.workers.in_process import InProcess
from snowetl.workers.process_pool import ProcessPool

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def speak_as_usual() -> Iterator[None]:
    yield
    console.speak()


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress_module, "_LINE_SECONDS", 0.05)
    with progress(1000) as advance:
        advance(10, 250)
        time.sleep(0.2)
    first = capsys.readouterr().err.splitlines()[0]
    assert "Z  25 %  10 records, " in first
    assert first.endswith(" left")


def test_short_jobs_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(1000) as advance:
        advance(10, 1000)
    assert capsys.readouterr().err == ""


@pytest.mark.slow
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
    assert process.wait(timeout=300) == 0
    os.close(ours)
    assert b"10 records" in shown
    assert b"left" in shown


def test_a_line_names_step_and_time(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress_module, "_LINE_SECONDS", 0.05)
    with progress(1000, "2/3 transform") as advance:
        advance(10, 250)
        time.sleep(0.2)
    first = capsys.readouterr().err.splitlines()[0]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ 2/3 transform   25 %  10 records, ", first)


def test_lines_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress_module, "_LINE_SECONDS", 0.05)
    console.speak(log_format="json")
    with progress(1000, "enrich") as advance:
        advance(10, 250)
        time.sleep(0.2)
    console.warn("beware")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert lines[0] | {"time": "", "message": ""} == {
        "time": "",
        "level": "info",
        "message": "",
        "stage": "enrich",
        "records": 10,
        "bytes": 250,
        "totalBytes": 1000,
    }
    assert (lines[-1]["level"], lines[-1]["message"]) == ("warning", "beware")


def test_quiet_says_warnings_and_errors_only(capsys: pytest.CaptureFixture[str]) -> None:
    console.speak(quiet=True)
    console.say("1")
    console.summarize("2")
    console.detail("3")
    console.show("result")
    console.warn("w")
    console.fail("e")
    captured = capsys.readouterr()
    assert captured.out == "result\n"
    assert captured.err.endswith("Z Warning: w\nError: e\n")
    console.speak(verbose=True)
    console.detail("3")
    assert capsys.readouterr().err.endswith(" 3\n")


@pytest.mark.slow
def test_bytes_count_within_a_split(tmp_path: Path) -> None:
    """Of one file in one split: told bit by bit, and all of it together, by either pool of this machine."""
    file = tmp_path / "log"
    file.write_text("\n".join("x" * 80 for _ in range(20_000)))
    slice_ = Slice(str(file))
    work = [Work(Split(index, (slice_,)), file.stat().st_size) for index in range(2)]
    processes = ProcessPool(2)
    try:
        for pool in (InProcess(), processes):
            told: list[tuple[int, int]] = []
            heard = told.append
            assert list(pool.run(Counting(), work, lambda *done, heard=heard: heard(done))) == [20_000, 20_000]
            assert [sum(numbers) for numbers in zip(*told, strict=True)] == [40_000, 2 * file.stat().st_size]
            if pool is not processes:
                assert sum(1 for _, size in told if size) > 2
    finally:
        processes.close()


class Counting:
    """The task of counting lines."""

    files: Mapping[str, str] = {}

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> int:
        return sum(1 for _ in stream(split, advance, binary=False))


def test_a_run_says_which_step_of_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Numbered(ConsoleWatch(), "2/3")
    watch.say("transform: 3 files")
    assert "Z 2/3 transform: 3 files" in capsys.readouterr().err
    with watch.progress(10, "transform"):
        pass
