"""``enrich --output-format`` on Spark, and on S3."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snowetl.storage import filesystem
from tests.steps.test_flat_output import RUN, enrich, table_of
from tests.steps.transform_support import lines_of


@pytest.mark.spark
@pytest.mark.parametrize("form", ["json", "parquet"])
def test_spark_writes_the_same(form: str, tmp_path: Path) -> None:
    here = enrich(tmp_path / "here", form, split_size=20_000)
    there = enrich(tmp_path / "there", form, split_size=20_000, master="local[2]")
    assert (here.events, here.bad_rows, here.output) == (there.events, there.bad_rows, there.output)
    if form == "json":
        assert lines_of(tmp_path / "here" / form) == lines_of(tmp_path / "there" / form)
    else:
        assert table_of(tmp_path / "here" / form / f"run={RUN}").equals(
            table_of(tmp_path / "there" / form / f"run={RUN}")
        )


@pytest.mark.s3
def test_parquet_on_s3(tmp_path: Path, aws_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    given = {"ENDPOINT_URL": aws_url, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "DEFAULT_REGION": "us-east-1"}
    for name, value in given.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    boto3.client("s3").create_bucket(Bucket="lake")
    report = enrich(tmp_path, "parquet", output_folder="s3://lake/events", bad_folder="s3://lake/bad")
    files = filesystem("s3://lake")
    parts = [file.url for file in files.walk(f"s3://lake/events/run={RUN}")]
    assert parts and all(url.endswith(".parquet") for url in parts)
    rows = pa.concat_tables(pq.read_table(io.BytesIO(files.get(url))) for url in parts)
    assert rows.num_rows == report.events
    assert not files.exists(f"s3://lake/events/run={RUN}/_tsv")
