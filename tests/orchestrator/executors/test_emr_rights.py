"""Whoever starts jobs on EMR has the rights of emr/policies/orchestrator.json, and no more: they suffice."""

from __future__ import annotations

import pytest

from snowetl.cli.main import main
from tests.orchestrator.executors.aws import BUCKET, Aws
from tests.orchestrator.executors.support import EXPECTED, RUN, arguments, on_cluster, on_serverless, rows
from tests.rights import policy, rights

OUTPUT = f"s3://{BUCKET}/lake"


@pytest.mark.parametrize("place", ["cluster", "serverless"])
def test_a_run_is_asked_for_started_watched_and_shown(
    place: str, aws: Aws, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = on_cluster() if place == "cluster" else on_serverless(aws)
    run = [OUTPUT if each == f"s3://{BUCKET}/out" else each for each in arguments(database, *where)]
    allowed = policy("orchestrator", BUCKET=BUCKET, APPLICATION_ID="x", RUN_ROLE_ARN="x", CLUSTER_ROLE_ARN="x")
    with rights(allowed, monkeypatch) as refused:
        asking = ("doctor", "plan") if place == "cluster" else ("plan",)  # moto does not tell of an application
        codes = {verb: main([verb, *run[1:]]) for verb in (*asking, "run")}
        codes |= {verb: main([verb, *which, "--output-folder", OUTPUT]) for verb, *which in (["status"], ["logs", RUN])}
    said = capsys.readouterr()
    assert set(codes.values()) == {0}, f"{codes}\n{said.out}\n{said.err}"
    looks = {asked for asked in refused if asked.action == "s3:GetObject"}  # is a folder's name that of an object?
    assert {asked.resource for asked in looks} <= {f"arn:aws:s3:::{BUCKET}/{name}" for name in ("raw", "lake")}
    assert {*refused} == looks
    assert rows(database) == EXPECTED["events"]
