from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from snowetl.load.embedded import embedded_postgres
from tests.integration.support import ROOT
from tests.orchestrator.executors.aws import Aws, stand_in
from tests.orchestrator.executors.support import put_logs, put_package


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.chdir(ROOT)
    with stand_in(tmp_path, monkeypatch.setenv) as stood:
        put_logs(stood)
        put_package(stood)
        yield stood


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_postgres(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture
def database(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS atomic CASCADE")
    return server
