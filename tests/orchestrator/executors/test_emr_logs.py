"""The end of the right log, and what a failure probably was."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from snowetl.orchestrator.executors import emr_logs

STEP = "j-1/steps/s-1"
DRIVER = "j-1/containers/application_1700000000000_0003/container_1700000000000_0003_01_000001"


def put(folder: Path, **logs: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in logs.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("x\nsnowetl: error: the resolver cannot be read\ny", "the resolver cannot be read"),
        ("Traceback (most recent call last):\n  File\nModuleNotFoundError: No module named 'x'\n", "lacks a package"),
        ("Traceback (most recent call last):\n  File\nKeyError: 'a'\nlast words\n", "KeyError: 'a'"),
        ("Container killed by YARN for exceeding memory limits. 5 GB used", "memoryOverhead"),
        ("Exit status: 137. Diagnostics", "memoryOverhead"),
        ("java.lang.OutOfMemoryError: Java heap space", "spark.driver.memory"),
        ("java.io.IOException: No space left on device", "disk is full"),
        ("An error occurred (AccessDenied) when calling PutObject", "role lacks a right: AccessDenied"),
        ("all went well", ""),
    ],
)
def test_causes(log: str, cause: str) -> None:
    found = emr_logs.probable_cause(log)
    assert cause in found and bool(cause) == bool(found)


def test_the_drivers_log_comes_before_that_of_spark_submit(tmp_path: Path) -> None:
    put(tmp_path / STEP, stderr="submitting application_1700000000000_0003\n", stdout="", controller="INFO")
    put(tmp_path / DRIVER, stderr="", stdout="boom\nsnowetl: error: no such bucket\n")
    put(tmp_path / DRIVER.replace("000001", "000002"), stderr="an executor's\n")
    step = str(tmp_path / STEP)
    application = emr_logs.application_of(step)
    assert application == "application_1700000000000_0003"
    found = emr_logs.tail(f"{tmp_path}/j-1/containers/{application}", step)
    assert found.startswith("probable cause: no such bucket\n") and found.endswith("snowetl: error: no such bucket")
    assert "000001/stdout.gz" in found


def test_only_the_end_and_no_password(tmp_path: Path) -> None:
    put(tmp_path / STEP, stderr="".join(f"line {number}\n" for number in range(200)) + "password = 'pa55'\n")
    found = emr_logs.tail(str(tmp_path / STEP))
    assert "line 199" in found and "line 100\n" not in found and "pa55" not in found


def test_no_log_yet_and_one_that_is_cut(tmp_path: Path) -> None:
    assert emr_logs.tail(str(tmp_path / STEP)) == "" and not emr_logs.is_there(str(tmp_path / STEP))
    (tmp_path / STEP).mkdir(parents=True)
    (tmp_path / STEP / "stderr.gz").write_bytes(gzip.compress(b"x" * 1000)[:20])
    assert emr_logs.tail(str(tmp_path / STEP)) == ""
