"""Where raw files are in an archive."""

from __future__ import annotations

import pytest

from snowetl.orchestrator.archive.layout import Layout

RUN = "2026-03-05-10-00-00"


@pytest.mark.parametrize(
    ("inputs", "file", "expected"),
    [
        (["s3://logs/raw"], "s3://logs/raw/2026/x.lzo", "2026/x.lzo"),
        (["s3a://logs/raw/"], "s3://logs/raw/x.lzo.index", "x.lzo.index"),
        (["s3://logs"], "s3://logs/raw/x", "raw/x"),
        (["s3://logs/raw/x.gz"], "s3://logs/raw/x.gz", "x.gz"),
        (["s3://logs/raw/*/x*.gz"], "s3://logs/raw/05/x1.gz", "05/x1.gz"),
        (["s3://logs/ra*"], "s3://logs/raw/x", "raw/x"),
        (["s3://logs/raw/web", "s3://logs/raw/app"], "s3://logs/raw/app/x", "app/x"),
        (["s3://logs/raw", "s3://logs/raw2"], "s3://logs/raw2/x", "raw2/x"),
        (["s3://logs/raw", "s3://logs/raw/web"], "s3://logs/raw/web/x", "web/x"),
        (["s3://one/raw", "s3://two/raw"], "s3://two/raw/x", "two/raw/x"),
        (["s3://one/raw", "/raw"], "/raw/x", "file/raw/x"),
        (["/data/raw"], "/data/raw/a b/ü", "a b/ü"),
        (["hdfs:///raw"], "hdfs:///raw/x", "x"),
    ],
)
def test_the_path_is_the_one_in_the_input(inputs: list[str], file: str, expected: str) -> None:
    layout = Layout.of("s3://archive/raw/", RUN, inputs)
    assert layout.url(file) == f"s3://archive/raw/run={RUN}/{expected}"
