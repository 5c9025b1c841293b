"""What becomes of the processes of a pool when the one that started them is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow
_DRIVER = """
import time

from snowetl.workers.process_pool import ProcessPool

if __name__ == "__main__":
    pool = ProcessPool(2)
    started, _ = pool._started()
    [future.result() for future in [started.submit(time.sleep, 0.1) for _ in range(4)]]
    print("ready", flush=True)
    time.sleep(60)
"""


def test_workers_end_with_a_driver_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(_DRIVER)
    driver = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    assert driver.stdout.readline() == "ready\n"
    workers = psutil.Process(driver.pid).children(recursive=True)
    assert len(workers) >= 2
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    driver.stdout.close()
    end = time.monotonic() + 30
    while any(_lives(worker) for worker in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert [worker for worker in workers if _lives(worker)] == []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
