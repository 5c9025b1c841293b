"""Temporary folders: gone with their process, or swept by the next."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from snowetl.runs import scratch
from snowetl.runs.scratch import scratch_folder, sweep
from tests.integration.support import ROOT, environment

HOLD = "from snowetl.runs.scratch import scratch_folder as s; import os\nwith s(): os.kill(os.getpid(), 9)"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_gone_afterwards(temporary: Path) -> None:
    with scratch_folder() as folder:
        (folder / "x").touch()
        sweep()
        assert (folder / "x").exists()
    assert list(temporary.iterdir()) == []


def test_H7_what_a_killed_process_left_is_swept(temporary: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", HOLD], cwd=ROOT, env=environment(TMPDIR=str(temporary)), check=False)
    assert killed.returncode == -9
    assert len(list(temporary.iterdir())) == 1
    with scratch_folder() as folder:
        assert list(temporary.iterdir()) == [folder]


def test_what_cannot_be_judged_is_left_alone(temporary: Path) -> None:
    ours = scratch._prefix(os.getpid())
    names = ["snowetl-tmp-1-1-1-x", "snowetl-other", f"{ours}alive", "snowetl-tmp-x"]
    for name in names:
        (temporary / name).mkdir()
    sweep()
    assert {path.name for path in temporary.iterdir()} == set(names)
