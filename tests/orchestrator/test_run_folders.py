"""Runs are found by the names of their folders: what lies in them, and how many there are, costs little."""

from __future__ import annotations

from pathlib import Path

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from snowetl.orchestrator import run_folders
from snowetl.orchestrator.ledger import Ledger
from snowetl.runs import input_list
from snowetl.storage import filesystem
from snowetl.storage.s3 import S3FileSystem
from tests.storage.conftest import BUCKET, aws, endpoint, s3  # noqa: F401 (fixtures)

RUNS = f"s3://{BUCKET}/out/runs"


@pytest.fixture(params=["local", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "runs")
    request.getfixturevalue("s3")
    return RUNS


def put(folder: str, *names: str) -> None:
    for name in names:
        filesystem(folder).put(f"{folder}/{name}", b"x")


def test_runs_by_name_and_the_latest_that_hold_a_file(folder: str) -> None:
    assert run_folders.run_ids(folder) == []
    assert run_folders.latest(folder, 3, "plan.json") == []
    put(
        folder,
        "run=2/plan.json",
        "run=10/plan.json",
        "run=3/cancelled.json",
        "_ledger/1.gz",
        "index.html",
        "x/plan.json",
    )
    assert run_folders.run_ids(folder) == ["10", "2", "3"]
    assert run_folders.latest(folder, 5, "plan.json") == ["2", "10"]
    assert run_folders.latest(folder, 2, "plan.json", "cancelled.json") == ["3", "2"]


def test_years_of_runs_cost_few_requests(s3: S3FileSystem, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Not one for each run, and none for what lies in their folders."""
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    ids = [f"2026-01-{number:05d}" for number in range(2_500)]
    for id_ in ids:
        for name in ("plan.json", "report.json"):
            backend.put_object(BUCKET, f"out/runs/run={id_}/{name}", b"{}")
    merged = {"format": "snowetl-ledger/1", "runs": ids[:-3]}
    input_list.write_lines(f"{RUNS}/_ledger/000002497.jsonl.gz", [merged])
    requests: list[str] = []
    client = filesystem(RUNS).client  # type: ignore[attr-defined]
    client.meta.events.register("before-call.s3", lambda model, **_: requests.append(model.name))
    assert [entry.id for entry in Ledger.of(RUNS).entries] == ids[-3:]
    assert run_folders.latest(RUNS, 2, "plan.json") == [ids[-1], ids[-2]]
    assert requests.count("ListObjectsV2") <= 2 * 3 + 3
    assert len(requests) < 60
