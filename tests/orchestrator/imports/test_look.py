"""What the old runner would have found in buckets, on a real S3 endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.orchestrator.imports.support import FILES, imported


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, aws_url: str) -> Iterator[Any]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("SNOWETL_S3_ENDPOINT", aws_url),
        ("LARKSPUR_CORES", "3"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=aws_url)
    for bucket in ("larkspur-collector", "larkspur-etl"):
        client.create_bucket(Bucket=bucket)
    monkeypatch.chdir(FILES)
    yield client


def _steps(capsys: pytest.CaptureFixture[str], file: str = "config.yml", *more: str) -> tuple[int, list[str], str]:
    code = imported(Path(), "emr-etl-runner", file, "--show-steps", "--look", *more)
    said = capsys.readouterr()
    return code, re.findall(r"^\d+\. (.*)$", said.out, re.MULTILINE), said.err


def test_only_folders_with_logs_are_staged(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    s3.put_object(Bucket="larkspur-collector", Key="app/2026-03-05.lzo", Body=b"x")
    code, names, _ = _steps(capsys)
    assert code == 0
    assert [name for name in names if name.startswith("[staging]")] == [
        "[staging] s3-dist-cp: Raw s3://larkspur-collector/app/ -> Raw Staging S3"
    ]


def test_no_logs_end_with_3(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = _steps(capsys)
    assert code == 3
    assert "No logs to process: No Snowplow logs to process since last run" in said


def test_what_an_earlier_run_left_ends_with_4(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    s3.put_object(Bucket="larkspur-collector", Key="web/a.lzo", Body=b"x")
    s3.put_object(Bucket="larkspur-etl", Key="raw/processing/a.lzo", Body=b"x")
    code, _, said = _steps(capsys)
    assert code == 4
    assert "There seems to be an ongoing run of EmrEtlRunner: Cannot safely add staging step" in said


def test_the_last_run_is_archived_on_resume(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for run in ("2026-03-04-01-00-00", "2026-03-05-01-00-00"):
        s3.put_object(Bucket="larkspur-etl", Key=f"enriched/good/run={run}/part-00000", Body=b"x")
        s3.put_object(Bucket="larkspur-etl", Key=f"shredded/good/run={run}/atomic-events/part-00000", Body=b"x")
    code, names, _ = _steps(capsys, "config.yml", "--command", "run --resume-from archive_enriched")
    assert code == 0
    assert names == [
        "[archive_enriched] s3-dist-cp: Enriched S3 -> S3 Enriched Archive",
        "[archive_shredded] s3-dist-cp: Shredded S3 -> S3 Shredded Archive",
    ]


def test_files_that_were_passed_over_in_silence_are_named(
    s3: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for key in ("web/E2.2026-03-05-12.a1.gz", "web/no-date.gz"):
        s3.put_object(Bucket="larkspur-collector", Key=key, Body=b"x")
    path = tmp_path / "cloudfront.yml"
    path.write_text((FILES / "config.yml").read_text().replace("thrift", "cloudfront"))
    code, _, said = _steps(capsys, str(path))
    assert code == 0
    assert said.count("has no date in its name") == 1
    assert "no-date.gz" in said
