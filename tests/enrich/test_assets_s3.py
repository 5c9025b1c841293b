"""Files of enrichments on S3: kept by ETag; what is said of those that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich import asset_sources, assets
from snowetl.enrich.enrichments.base import Asset
from snowetl.errors import AssetError
from snowetl.storage import filesystem

BUCKET = "assets-tests"


@pytest.fixture
def bucket(aws_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "SNOWETL_S3_ENDPOINT": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SNOWETL_ASSET_CACHE": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    files: Any = filesystem(f"s3://{BUCKET}/x")
    files._clients = {}
    files.client.create_bucket(Bucket=BUCKET)
    yield files
    files._clients = {}


def fetch(key: str, folder: Path) -> bytes:
    folder.mkdir(exist_ok=True)
    return assets.fetch(Asset(f"s3://{BUCKET}/{key}", "ip_geo"), folder, "ip_lookups").read_bytes()


def test_an_object_is_downloaded_again_if_it_changed(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(type(bucket), "open", _noting(type(bucket).open, opened))
    bucket.put(f"s3://{BUCKET}/geo.mmdb", b"old")
    assert [fetch("geo.mmdb", tmp_path / "run") for _ in range(2)] == [b"old", b"old"]
    bucket.put(f"s3://{BUCKET}/geo.mmdb", b"new")
    assert [fetch("geo.mmdb", tmp_path / "run") for _ in range(2)] == [b"new", b"new"]
    assert len(opened) == 2


def _noting(method: Any, urls: list[str]) -> Any:
    def noted(self: Any, url: str, *args: Any, **options: Any) -> Any:
        urls.append(url)
        return method(self, url, *args, **options)

    return noted


def test_what_cannot_be_had(bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put(f"s3://{BUCKET}/folder/a", b"a")
    bucket.put(f"s3://{BUCKET}/folder/b", b"b")
    bucket.put(f"s3://{BUCKET}/large", bytes(2_000))
    monkeypatch.setattr(asset_sources, "POLICY", replace(asset_sources.POLICY, max_bytes=1_000))
    for key, cause in (
        ("none", "there is nothing at"),
        ("folder", "it is a folder of 2 files; name one file"),
        ("large", "it is larger than 1,000 bytes"),
    ):
        with pytest.raises(AssetError) as error:
            fetch(key, tmp_path / "run")
        assert f"cannot fetch s3://{BUCKET}/{key}, which the enrichment ip_lookups needs: {cause}" in str(error.value)
    assert list((tmp_path / "run").iterdir()) == []
