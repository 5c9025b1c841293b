"""The files of a run: each fetched once, known by name and checksum; all that cannot be had is told."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from snowetl.enrich import asset_sources
from snowetl.enrich.enrichments.base import Asset
from snowetl.errors import AssetError, ConfigError
from snowetl.reporting.enrich import AssetReport
from snowetl.steps import assets
from tests.iglu.server import Server


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asset_sources, "POLICY", replace(asset_sources.POLICY, first_wait=0.0))


def test_local_files_stay_where_they_are(tmp_path: Path) -> None:
    plain, url = tmp_path / "geo.mmdb", tmp_path / "rules.yml"
    plain.write_bytes(b"geo")
    url.write_bytes(b"rules")
    paths = assets.fetch_all([Asset(str(plain), "ip_geo"), Asset(f"file://{url}", "x")], tmp_path / "new")
    assert paths == {str(plain): str(plain), f"file://{url}": str(url)}


def test_files_of_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    uris = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rules.yml").write_text(folder)
        uris.append(str(tmp_path / folder / "rules.yml"))
    (tmp_path / "work").mkdir()
    paths = assets.fetch_all([Asset(uri, "x") for uri in uris], tmp_path / "work")
    assert [Path(paths[uri]).read_text() for uri in uris] == ["a", "b"]
    assert len({Path(path).name for path in paths.values()}) == 2


def test_each_address_is_asked_once(file_server: Server, tmp_path: Path) -> None:
    uri = f"{file_server.uri}/geo.mmdb"
    paths = assets.fetch_all([Asset(uri, "ip_geo"), Asset(uri, "ip_isp")], tmp_path)
    assert file_server.paths == ["/geo.mmdb"]
    assert Path(paths[uri]).read_bytes() == b"geo" * 1000


def test_all_that_cannot_be_had_is_named(file_server: Server, tmp_path: Path) -> None:
    wrong = [
        (f"{file_server.uri}/none.mmdb", "HTTP 404"),
        ("http://127.0.0.1:9/geo.mmdb", "onnection refused"),
        (str(tmp_path / "none.mmdb"), "there is no file"),
        ("gopher://x/geo.mmdb", "no storage for gopher"),
    ]
    with pytest.raises(ConfigError) as error:
        assets.fetch_all([Asset(uri, "ip_geo") for uri, _ in wrong], tmp_path)
    assert "4 problems" in str(error.value)
    for one, (uri, reason) in zip(error.value.problems, wrong, strict=True):
        assert isinstance(one, AssetError) and uri in str(one) and reason in str(one)


def test_what_the_report_says_of_files(tmp_path: Path) -> None:
    (tmp_path / "geo").write_bytes(b"geo")
    uri = "https://x.example/geo.mmdb?license_key=s3cret"
    assert assets.reports({uri: str(tmp_path / "geo")}) == [
        AssetReport(
            uri="https://x.example/geo.mmdb?license_key=***", bytes=3, sha256=hashlib.sha256(b"geo").hexdigest()
        )
    ]


def test_assets_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssetError, match="--local: there is no file .*ip_geo"):
        assets.in_working_folder([Asset("s3://b/geo.mmdb", "ip_geo")])
    (tmp_path / "ip_geo").write_bytes(b"geo")
    paths = assets.in_working_folder([Asset("s3://b/geo.mmdb", "ip_geo")])
    assert paths == {"s3://b/geo.mmdb": str(tmp_path / "ip_geo")}
