"""``snowetl run`` with every folder on S3: into the embedded PostgreSQL, and into (a stand-in for) Redshift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.load.embedded import embedded_postgres
from snowetl.load.warehouses.redshift import warehouse as redshift
from tests.integration.support import ROOT
from tests.load.redshift_standin import StandIn

RUN = "2026-03-05-00-00-03"
LOGS = ROOT / "fixtures" / "logs" / "webhooks"
EXPECTED: dict[str, Any] = json.loads((ROOT / "fixtures/logs/expected.json").read_text("utf-8"))["webhooks"]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, aws_url: str) -> Iterator[dict[str, Any]]:
    """Keywords of a client; the bucket ``lake`` holds the logs."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws_url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    options = {"endpoint_url": aws_url, **keys}
    client = boto3.client("s3", **options)
    client.create_bucket(Bucket="lake")
    for path in LOGS.iterdir():
        client.put_object(Bucket="lake", Key=f"raw/{path.name}", Body=path.read_bytes())
    yield options


def arguments(*more: str) -> list[str]:
    return [
        *("run", "--input-folder", "s3://lake/raw", "--input-format", "thrift", "--output-folder", "s3://lake/out"),
        *("--enrichments", "fixtures/enrichments", "--iglu-config", "fixtures/resolver.json", "--master", "none"),
        *more,
    ]


def report(s3: dict[str, Any]) -> dict[str, Any]:
    stored = boto3.client("s3", **s3).get_object(Bucket="lake", Key=f"out/runs/run={RUN}/report.json")
    document: dict[str, Any] = json.loads(stored["Body"].read())
    return document


def test_into_the_embedded_server(s3: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data-folder", str(tmp_path / "pg"))
    assert main(arguments(*data, "--run-id", RUN)) == 0
    assert report(s3)["differences"] == []
    with embedded_postgres(tmp_path / "pg") as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM atomic.events").fetchone() == (EXPECTED["events"],)
        [(base,)] = connection.execute("SELECT base FROM atomic.manifest").fetchall()
    assert base == f"s3://lake/out/transformed/run={RUN}/"
    capsys.readouterr()
    assert main(arguments(*data)) == 0  # found by its files
    assert f"run={RUN} is done already" in capsys.readouterr().err


def test_into_redshift(s3: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("redshift_connector")
    with embedded_postgres(tmp_path / "pg") as url:
        monkeypatch.setattr(redshift, "_driver", lambda: lambda **_: StandIn(url, s3))
        target = (
            "--warehouse",
            "redshift",
            "--database",
            "redshift://me:s3cret@cluster/db",
            "--role-arn",
            "arn:aws:iam::1:role/r",
        )
        assert main(arguments(*target, "--run-id", RUN)) == 0
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM atomic.events").fetchone() == (EXPECTED["events"],)
    document = report(s3)
    assert document["differences"] == []
    assert "s3cret" not in json.dumps(document)
    assert {table["table"] for table in document["steps"][2]["tables"]} >= {
        "atomic.events",
        "atomic.com_sendgrid_click_3",
    }
