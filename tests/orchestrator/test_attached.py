"""Programs that a run has started end with it, also when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snowetl.orchestrator.after.dbt import _Process
from snowetl.orchestrator.attached import Attached
from snowetl.steps.base import Unwatched
from tests.integration.support import ROOT, environment

_SECONDS = 20.0


def program(folder: Path, text: str) -> str:
    """A program that notes that it has begun, and then does as ``text`` says."""
    path = folder / "dbt"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return str(path)


WAITS = """
import os, signal, sys, time
def told(number, frame):
    open(sys.argv[1] + ".told", "w").write(str(number))
    sys.exit(3)
signal.signal(signal.SIGINT, told)
open(sys.argv[1], "w").write(str(os.getpid()))
print("1 of 1 begun", flush=True)
time.sleep(100)
"""
DEAF = WAITS.replace("signal.signal(signal.SIGINT, told)", "signal.signal(signal.SIGINT, signal.SIG_IGN)")
BY_ANOTHER = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[1]])
"""


def appears(path: Path) -> str:
    give_up = time.monotonic() + _SECONDS
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < give_up, f"{path.name} does not come"
        time.sleep(0.05)
    return path.read_text()


def ends(pid: int) -> None:
    give_up = time.monotonic() + _SECONDS
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text():
            return  # it has ended; nobody has asked how
        assert time.monotonic() < give_up, f"process {pid} goes on alone"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "more"), [(WAITS, ()), (BY_ANOTHER, (WAITS,))], ids=["itself", "by another program"])
def test_dbt_does_not_go_on_alone_when_its_run_is_killed(text: str, more: tuple[str, ...], tmp_path: Path) -> None:
    note = tmp_path / "note"
    code = (
        "import os, sys\n"
        "from snowetl.orchestrator.after.dbt import _Process\n"
        "from snowetl.steps.base import Unwatched\n"
        "_Process.run(sys.argv[1:], os.environ, Unwatched())"
    )
    command = [sys.executable, "-c", code, program(tmp_path, text), str(note), *more]
    run = subprocess.Popen(command, cwd=ROOT, env=environment())
    pid = int(appears(note))
    run.kill()
    run.wait()
    ends(pid)
    assert appears(tmp_path / "note.told") == str(int(signal.SIGINT))  # it had the time to cancel its queries


def test_what_does_not_listen_is_killed_in_the_end(tmp_path: Path) -> None:
    note = tmp_path / "note"
    attached = Attached.start(
        [program(tmp_path, DEAF), str(note)],
        environment=os.environ,
        signal=signal.SIGINT,
        whole_group=True,
        seconds=0.2,
    )
    pid = int(appears(note))
    attached.end()
    attached.wait()
    ends(pid)


def test_an_interrupt_is_handed_on_and_waited_for(tmp_path: Path) -> None:
    class Interrupted(Unwatched):
        def say(self, text: str) -> None:
            raise KeyboardInterrupt

    note = tmp_path / "note"
    with pytest.raises(KeyboardInterrupt):
        _Process.run([program(tmp_path, WAITS), str(note)], os.environ, Interrupted())
    assert (tmp_path / "note.told").exists()
    ends(int(note.read_text()))


def test_the_program_ends_by_itself_with_its_own_code_and_words(tmp_path: Path) -> None:
    ended = _Process.run([program(tmp_path, "print('well'); raise SystemExit(7)")], os.environ, Unwatched())
    assert (ended.code, ended.log) == (7, "well\n")


def test_a_program_that_cannot_start_says_so(tmp_path: Path) -> None:
    path = tmp_path / "dbt"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    ended = _Process.run([str(path)], os.environ, Unwatched())
    assert (ended.code, ended.log) == (127, f"{path}: No such file or directory\n")
