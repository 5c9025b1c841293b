"""A pipeline of EmrEtlRunner, imported and run as it is: its buckets on S3, its storage target a PostgreSQL."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from snowetl.cli.main import main
from tests.databases import ADMIN, ADMIN_PASSWORD, postgres_server
from tests.integration.support import ROOT
from tests.integration.test_run_s3 import EXPECTED, LOGS, s3  # noqa: F401
from tests.orchestrator.imports.support import FILES

RUN = "2026-03-05-00-00-03"
TARGET = "iglu:com.snowplowanalytics.snowplow.storage/postgresql_config/jsonschema/2-0-0"


def _files_of_the_old_pipeline(folder: Path, port: int) -> None:
    """``config.yml`` and ``targets/`` as an operator has them."""
    text = (FILES / "config.yml").read_text()
    text = re.sub(r"s3://larkspur-(?:collector|logs)", "s3://lake", text.replace("s3://larkspur-etl", "s3://lake/etl"))
    text = text.replace("s3://lake/web", "s3://lake/raw").replace("          - s3://lake/app\n", "")
    (folder / "config.yml").write_text(text)
    (folder / "targets").mkdir()
    data = {"name": "warehouse", "id": "w", "host": "127.0.0.1", "port": port, "database": "postgres"}
    access = {"username": ADMIN, "password": ADMIN_PASSWORD, "sslMode": "DISABLE", "schema": "atomic"}
    target = {"schema": TARGET, "data": {**data, **access, "purpose": "ENRICHED_EVENTS"}}
    (folder / "targets" / "postgres.json").write_text(json.dumps(target))


@pytest.mark.slow
def test_the_imported_pipeline_loads_the_logs(
    s3: dict[str, Any],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LARKSPUR_CORES", "2")
    monkeypatch.setenv("POSTGRES_PASSWORD", ADMIN_PASSWORD)
    with postgres_server() as port:
        _files_of_the_old_pipeline(tmp_path, port)
        old = ("-r", str(ROOT / "fixtures/resolver.json"), "-n", str(ROOT / "fixtures/enrichments"))
        files = (str(tmp_path / "config.yml"), *old, "-t", str(tmp_path / "targets"))
        assert main(["import-config", "emr-etl-runner", *files, "--into", str(tmp_path)]) == 0
        assert ADMIN_PASSWORD not in "".join(capsys.readouterr()) + (tmp_path / "snowetl.yml").read_text()

        assert main(["run", "--config", str(tmp_path / "snowetl.yml"), "--run-id", RUN, "--master", "none"]) == 0

        url = f"postgresql://{ADMIN}:{ADMIN_PASSWORD}@127.0.0.1:{port}/postgres"
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM atomic.events").fetchone() == (EXPECTED["events"],)
    client = boto3.client("s3", **s3)
    keys = [item["Key"] for item in client.list_objects_v2(Bucket="lake")["Contents"]]
    assert len([key for key in keys if key.startswith("raw/")]) == len(list(LOGS.iterdir()))  # nothing was moved
    for folder in ("etl/enriched/archive", "etl/shredded/archive", "etl/snowetl/runs"):
        assert any(key.startswith(f"{folder}/run={RUN}/") for key in keys), folder
