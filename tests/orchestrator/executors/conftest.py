from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from snowetl.orchestrator import driver
from snowetl.orchestrator.executors import emr, emr_serverless
from tests.integration.support import ROOT
from tests.orchestrator.executors.aws import Aws, stand_in
from tests.orchestrator.executors.support import put_logs, put_package


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this process need not wait as long for the stand-in as for AWS."""

    def sleep(seconds: float) -> None:
        time.sleep(min(seconds, 0.02))

    monkeypatch.setattr(driver, "_Run", partial(driver._Run, sleep=sleep))
    monkeypatch.setattr(emr, "EmrExecutor", partial(emr.EmrExecutor, sleep=sleep))
    monkeypatch.setattr(emr_serverless, "ServerlessExecutor", partial(emr_serverless.ServerlessExecutor, sleep=sleep))


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.chdir(ROOT)
    with stand_in(tmp_path, monkeypatch.setenv) as stood:
        put_logs(stood)
        put_package(stood)
        yield stood
